"""Members and groups: who works the actions, and who may arrange that."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.auth import Admin, Member
from api.customers import MemberShort, member_short
from api.database import Db, Now
from api.fields import Body, EmailAddress, Key, Name
from db import members
from db import tables as t
from db.actions import reassign_all
from db.errors import Invalid, NotFound

router = APIRouter(tags=["organisation"])

Role = Literal["member", "admin"]


class MemberOut(MemberShort):
    role: Role


class Me(MemberOut):
    organisation_id: uuid.UUID
    organisation: str


class Members(BaseModel):
    items: list[MemberOut]


class MemberIn(Body):
    name: Name = Field(examples=["Ada"])
    role: Role = "member"


class GroupIn(Body):
    members: Annotated[list[EmailAddress], Field(max_length=1000)]


class Group(BaseModel):
    name: str
    members: list[MemberShort]


class Groups(BaseModel):
    items: list[Group]


class Successor(Body):
    to: Key = Field(description="A member: address or id.", examples=["ben@example.com"])


@router.get("/me", operation_id="get_me")
def me(member: Member, db: Db) -> Me:
    """Whose key this is."""
    organisation = db.get_one(t.Organisation, member.organisation_id)
    return Me(
        **_out(member).model_dump(),
        organisation_id=organisation.id,
        organisation=organisation.name,
    )


@router.get("/members", operation_id="list_members")
def list_all(member: Member, db: Db) -> Members:
    """The active members, by name."""
    return Members(items=[_out(m) for m in members.list_members(db, member.organisation_id)])


@router.put("/members/{member}", operation_id="put_member")
def put(member: EmailAddress, body: MemberIn, admin: Admin, db: Db) -> MemberOut:
    """Create or update a member by address; one who had left is back. For admins."""
    return _out(members.put_member(db, admin.organisation_id, member, body.name, body.role))


@router.delete("/members/{member}", operation_id="remove_member", status_code=204)
def remove(member: Key, admin: Admin, db: Db) -> None:
    """The member leaves, and their keys with them. 409 while open actions are theirs: reassign
    those first (rule 29). For admins."""
    members.remove_member(db, members.member_or_404(db, admin.organisation_id, member))


@router.post("/members/{member}/reassign-actions", operation_id="reassign_actions", status_code=204)
def reassign(member: Key, body: Successor, admin: Admin, db: Db, now: Now) -> None:
    """Hand on all open actions of a member who leaves, unseen and uncounted (rule 29)."""
    org = admin.organisation_id
    leaving = members.member_or_404(db, org, member)
    reassign_all(db, admin, leaving, members.member_or_404(db, org, body.to), now)


@router.get("/groups", operation_id="list_groups")
def list_groups(member: Member, db: Db) -> Groups:
    """The groups that a plan may name as owners (rule 33)."""
    found = members.groups(db, member.organisation_id)
    return Groups(items=[_group(name, rows) for name, rows in found.items()])


@router.put("/groups/{name}", operation_id="put_group")
def put_group(name: Key, body: GroupIn, admin: Admin, db: Db) -> Group:
    """Say who is in a group. For admins."""
    org = admin.organisation_id
    found: dict[uuid.UUID, t.Member] = {}
    for place, email in enumerate(body.members):
        try:
            row = members.member_or_404(db, org, email)
        except NotFound as error:
            raise Invalid.at(f"/members/{place}", error.detail) from None
        found[row.id] = row
    members.set_group(db, org, name, list(found.values()))
    return _group(name, list(found.values()))


def _out(row: t.Member) -> MemberOut:
    return MemberOut(
        **member_short(row).model_dump(), role="admin" if row.role == "admin" else "member"
    )


def _group(name: str, rows: list[t.Member]) -> Group:
    return Group(name=name, members=[member_short(m) for m in rows])
