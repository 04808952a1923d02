"""The one transaction of a request, opened and ended here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, Request
from sqlmodel import Session

from db.engine import transaction


def _session(request: Request) -> Iterator[Session]:
    """Committed before the answer leaves, rolled back when anything was raised."""
    with transaction(request.app.state.engine) as session:
        # A customer who is busy for long must not hold a thread of ours: 503, try again.
        most = int(request.app.state.lock_timeout_ms)
        session.connection().execute(sa.text(f"SET LOCAL lock_timeout = {most}"))
        session.info["public_url"] = request.app.state.signers.public_url
        yield session


def _now() -> datetime:
    """The real clock (UTC); an organisation's own time is ``db.accounts.clock`` of it."""
    return datetime.now(UTC)


Db = Annotated[Session, Depends(_session, scope="function")]
Now = Annotated[datetime, Depends(_now)]
