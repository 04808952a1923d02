"""Keys: made and shown once, listed without their secrets, revoked.

A billing system's key is made by an admin. A member's key is made by that member alone: with a key
that they have, or with an invitation, which is a token for one exchange.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.http.auth import Admin, Member
from api.http.bodies import BodyRoute
from api.http.database import DbWithoutKey
from api.http.fields import Body, Key, Line
from api.http.work import Work
from backoffice.people import invitations, keys, members
from dunning.ids import MemberId

router = APIRouter(route_class=BodyRoute, tags=["organisation"])


Scope = Literal["member", "billing"]


class KeyIn(Body):
    name: Line = Field("", description="What it is for.", examples=["nightly export"])


class NewInvitation(BaseModel):
    token: str = Field(description="Shown once; only its hash is kept.")
    expires_at: datetime


class Exchange(Body):
    token: Annotated[Line, Field(min_length=1)] = Field(description="Of the invitation.")
    name: Line = Field("", description="What the key is for.", examples=["laptop"])


class NewKey(BaseModel):
    id: str
    scope: Scope
    key: str = Field(description="Shown once; only its hash is kept.")


class KeyOut(BaseModel):
    id: str
    scope: Scope
    name: str
    last4: str
    member_id: MemberId | None
    created_at: datetime
    expires_at: datetime | None


class Keys(BaseModel):
    items: list[KeyOut]


@router.get("/keys", operation_id="list_keys")
def list_all(member: Member, unit: Work) -> Keys:
    """The keys that are good, oldest first: mine, or as an admin all."""
    rows = keys.list_keys(unit, member)
    return Keys(items=[KeyOut(**row.model_dump(include=set(KeyOut.model_fields))) for row in rows])


@router.post("/keys", operation_id="create_billing_key", status_code=201)
def create(admin: Admin, unit: Work, body: KeyIn | None = None) -> NewKey:
    """A key for a billing system. Two may be good at once, so that they can be exchanged."""
    name = body.name if body else ""
    return _shown("billing", keys.new_key(unit, "billing", name))


@router.post("/me/keys", operation_id="create_my_key", status_code=201)
def create_mine(member: Member, unit: Work, body: KeyIn | None = None) -> NewKey:
    """One more key of mine."""
    return _shown("member", keys.make_key(unit, member, body.name if body else ""))


@router.delete("/keys/{key}", operation_id="revoke_key", status_code=204)
def revoke(key: Key, member: Member, unit: Work) -> None:
    """The key is good no more, from this moment: one of mine, or as an admin any."""
    keys.revoke_key(unit, member, key)


@router.post("/members/{member}/invitations", operation_id="invite_member", status_code=201)
def invite(member: Key, admin: Admin, unit: Work) -> NewInvitation:
    """An invitation for a member to make a key of their own; the member is shown who made it. It
    takes the place of one that was not used. For admins."""
    row = members.member_or_404(unit, member)
    token, made = invitations.invite(unit, row, admin)
    return NewInvitation(token=token, expires_at=made.expires_at)


@router.post("/invitations/exchange", operation_id="exchange_invitation", status_code=201)
def exchange(body: Exchange, db: DbWithoutKey) -> NewKey:
    """The key of the member who was invited, once and without a key. 404 for a token that is
    unknown, used or expired, in the same words."""
    return _shown("member", invitations.exchange(db, body.token, body.name))


def _shown(scope: Scope, key: str) -> NewKey:
    return NewKey(id=key.split("_")[2], scope=scope, key=key)
