"""Keys: made and shown once, listed without their secrets, revoked. For admins."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlmodel import Session

from api.auth import Admin
from api.database import Db
from api.fields import Body, Key, Line
from db import members
from db import tables as t
from db.errors import Conflict

router = APIRouter(tags=["organisation"])


Scope = Literal["member", "billing"]


class KeyIn(Body):
    name: Line = Field("", description="What it is for.", examples=["nightly export"])


class NewKey(BaseModel):
    id: str
    scope: Scope
    key: str = Field(description="Shown once; only its hash is kept.")


class KeyOut(BaseModel):
    id: str
    scope: Scope
    name: str
    last4: str
    member_id: uuid.UUID | None
    created_at: datetime
    expires_at: datetime | None


class Keys(BaseModel):
    items: list[KeyOut]


@router.get("/keys", operation_id="list_keys")
def list_all(admin: Admin, db: Db) -> Keys:
    """The keys that are good, oldest first."""
    rows = members.list_keys(db, admin.organisation_id)
    return Keys(items=[KeyOut(**row.model_dump(include=set(KeyOut.model_fields))) for row in rows])


@router.post("/keys", operation_id="create_billing_key", status_code=201)
def create(admin: Admin, db: Db, body: KeyIn | None = None) -> NewKey:
    """A key for a billing system. Two may be good at once, so that they can be exchanged."""
    return _new(db, admin, "billing", body, None)


@router.post("/members/{member}/keys", operation_id="create_member_key", status_code=201)
def create_for(member: Key, admin: Admin, db: Db, body: KeyIn | None = None) -> NewKey:
    """A key for a member."""
    row = members.member_or_404(db, admin.organisation_id, member)
    if not row.active:
        raise Conflict(f"{row.name} is not a member any more")
    return _new(db, admin, "member", body, row)


@router.delete("/keys/{key}", operation_id="revoke_key", status_code=204)
def revoke(key: Key, admin: Admin, db: Db) -> None:
    """The key is good no more, from this moment."""
    members.revoke_key(db, admin.organisation_id, key)


def _new(
    db: Session, admin: t.Member, scope: Scope, body: KeyIn | None, member: t.Member | None
) -> NewKey:
    name = body.name if body else ""
    made = members.new_key(db, admin.organisation_id, scope, name, member)
    return NewKey(id=made.split("_")[2], scope=scope, key=made)
