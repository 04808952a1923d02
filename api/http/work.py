"""The unit of work of a request: its transaction, for the organisation of the key that asks."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from api.http.auth import Anyone
from api.http.database import Db, Now
from store.unit import Unit


def _unit(request: Request, db: Db, who: Anyone, now: Now) -> Unit:
    public_url = request.app.state.signers.public_url
    return Unit(db, who.organisation_id, now, by=who.name, public_url=public_url)


Work = Annotated[Unit, Depends(_unit)]
