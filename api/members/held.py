"""Accounts that their provider refuses, as members see them, and the notices of admins."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.http.auth import Admin
from api.http.bodies import BodyRoute
from api.http.work import Work
from backoffice.people import held_shown
from providers.registry import title
from store import tables as t
from store.unit import Unit

router = APIRouter(route_class=BodyRoute, tags=["organisation"])


class HeldAccount(BaseModel):
    """Nothing of the account leaves but one message at a time, to see whether it works again."""

    provider: str = Field(examples=["sendgrid"])
    own: bool = Field(description="The organisation's own account; false: the installation's.")
    text: str = Field(examples=["SendGrid refuses our key since 09:12; 214 messages wait"])
    reason: str = Field(description="What the provider said, in our words.")
    since: datetime
    waiting: int = Field(
        description="Messages of this organisation that are due now and wait; not those that "
        "another member completed (rule 29)."
    )
    probes: int = Field(description="How often it was tried again since.")
    last_probe_at: datetime | None
    next_probe_at: datetime


class Notice(BaseModel):
    """Something that an admin has to see to. It ends by itself when its cause is gone."""

    id: uuid.UUID
    kind: Literal["account_held"]
    text: str
    reason: str
    to_do: str = Field(description="What ends it.")
    since: datetime
    ended_at: datetime | None
    ended_by: str = Field(description='Why it ended; "" while it lasts.')


class Notices(BaseModel):
    items: list[Notice] = Field(description="The newest first, at most 100.")


@router.get("/organisation/notices", operation_id="list_notices")
def list_notices(admin: Admin, unit: Work, ended: bool = False) -> Notices:
    """What the admins have to see to: one notice for each account that its provider refuses,
    however many messages wait. `?ended=true` shows those too that are over."""
    found = held_shown.of_organisation(unit, admin, title, ended=ended)
    return Notices(items=[_notice(shown) for shown in found])


def held_accounts(unit: Unit, member: t.Member) -> list[HeldAccount]:
    """Those that concern the member's organisation, of its own and of the installation."""
    return [as_told(one) for one in held_shown.of_organisation(unit, member, title)]


def as_told(shown: held_shown.Shown) -> HeldAccount:
    row = shown.row
    return HeldAccount(
        provider=row.provider,
        own=row.organisation_id is not None,
        text=shown.text,
        reason=row.reason,
        since=row.since,
        waiting=shown.waiting,
        probes=row.probes,
        last_probe_at=row.last_probe_at,
        next_probe_at=row.next_probe_at,
    )


def _notice(shown: held_shown.Shown) -> Notice:
    row = shown.row
    if row.organisation_id is None:
        to_do = "tell whoever runs this installation; messages leave by themselves once it works"
    else:
        to_do = (
            "mend the account at the provider, or set another with PUT /v1/organisation/providers/"
            f"{row.provider}; messages leave by themselves once it works"
        )
    return Notice(
        id=row.id,
        kind="account_held",
        text=shown.text,
        reason=row.reason,
        to_do=to_do,
        since=row.since,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
    )
