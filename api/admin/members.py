"""Members and groups: who works the actions, and who may arrange that."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.http import pages
from api.http.auth import Admin, Member, require_admin
from api.http.bodies import BodyRoute
from api.http.fields import Body, Day, EmailAddress, Key, Name
from api.http.work import Work
from api.members.customers import MemberShort, member_short
from backoffice.ledger import browse
from backoffice.people import absences, audit, groups, members
from dunning.ids import MemberId, OrganisationId
from store import tables as t
from store.errors import Invalid, NotFound
from store.unit import Unit

router = APIRouter(route_class=BodyRoute, tags=["organisation"])

Role = Literal["member", "admin"]


class AbsenceOut(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    from_: date = Field(alias="from")
    until: date | None = Field(description="Included; null: until it is ended.")
    set_by: str


class MemberOut(MemberShort):
    role: Role
    absence: AbsenceOut | None = Field(description="That runs or is to come.")


class AuditEntry(BaseModel):
    at: datetime
    kind: str = Field(examples=["invitation_made"])
    text: str
    by: str
    about: MemberShort | None = Field(description="The member concerned.")


class Entries(pages.Page):
    items: list[AuditEntry]


class Me(MemberOut):
    organisation_id: OrganisationId
    organisation: str
    notices: list[AuditEntry] = Field(
        description="What others did about you in the last 30 days, newest first, at most 20."
    )


class AbsenceIn(Body):
    from_: Day = Field(alias="from", examples=["2025-03-10"])
    until: Day | None = Field(None, description="Included.", examples=["2025-03-14"])


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
def me(member: Member, unit: Work) -> Me:
    """Whose key this is, and what others did about them of late."""
    organisation = unit.organisation
    return Me(
        **_out(member, absences.absence_of(unit, member)).model_dump(),
        organisation_id=organisation.id,
        organisation=organisation.name,
        notices=_entries(unit, audit.notices(unit, member)),
    )


@router.get("/audit", operation_id="list_audit")
def list_audit(member: Member, unit: Work, page: pages.Asked) -> Entries:
    """What was done about members and keys, newest first: what concerns me and what I did, or as an
    admin everything."""
    rows = audit.read(unit, member, before=page.after_number, limit=page.limit + 1)
    kept, following = page.cut(rows, lambda row: row.id)
    return Entries(items=_entries(unit, kept), next_cursor=following)


@router.get("/members", operation_id="list_members")
def list_all(member: Member, unit: Work) -> Members:
    """The active members, by name."""
    rows = members.list_members(unit)
    away = absences.absences(unit, rows)
    return Members(items=[_out(m, away.get(str(m.id))) for m in rows])


@router.put("/members/{member}", operation_id="put_member")
def put(member: EmailAddress, body: MemberIn, admin: Admin, unit: Work) -> MemberOut:
    """Create or update a member by address; one who had left is back. For admins."""
    row = members.put_member(unit, member, body.name, body.role)
    return _out(row, absences.absence_of(unit, row))


@router.delete("/members/{member}", operation_id="remove_member", status_code=204)
def remove(member: Key, admin: Admin, unit: Work) -> None:
    """The member leaves, and their keys with them. 409 while open actions are theirs: record an
    absence and hand those on first (rule 29). For admins."""
    members.remove_member(unit, members.member_or_404(unit, member))


@router.post("/members/{member}/reassign-actions", operation_id="reassign_actions", status_code=204)
def reassign(member: Key, body: Successor, admin: Admin, unit: Work) -> None:
    """Hand on all open actions of a member who left or is absent today, unseen and uncounted (rule
    29); the member is shown it. 409 for one who is there. For admins."""
    away = members.member_or_404(unit, member)
    absences.hand_on_all(unit, admin, away, members.member_or_404(unit, body.to))


@router.put("/members/{member}/absence", operation_id="put_absence")
def put_absence(member: Key, body: AbsenceIn, who: Member, unit: Work) -> AbsenceOut:
    """The member is away for some days, or until it is ended; takes the place of the one before.
    Mine, or as an admin anybody's, who is shown it."""
    row = _mine_or_as_admin(unit, who, member)
    return _absence(absences.set_absence(unit, row, body.from_, body.until, who))


@router.delete("/members/{member}/absence", operation_id="end_absence", status_code=204)
def end_absence(member: Key, who: Member, unit: Work) -> None:
    """The member is back, or does not go. Mine, or as an admin anybody's."""
    absences.end_absence(unit, _mine_or_as_admin(unit, who, member), who)


def _mine_or_as_admin(unit: Unit, who: t.Member, key: str) -> t.Member:
    row = members.member_or_404(unit, key)
    if row.id != who.id:
        require_admin(who)
    return row


@router.get("/groups", operation_id="list_groups")
def list_groups(member: Member, unit: Work) -> Groups:
    """The groups that a plan may name as owners (rule 33)."""
    found = groups.list_groups(unit)
    return Groups(items=[_group(name, rows) for name, rows in found.items()])


@router.put("/groups/{name}", operation_id="put_group")
def put_group(name: Key, body: GroupIn, admin: Admin, unit: Work) -> Group:
    """Say who is in a group. For admins."""
    found: dict[MemberId, t.Member] = {}
    for place, email in enumerate(body.members):
        try:
            row = members.member_or_404(unit, email)
        except NotFound as error:
            raise Invalid.at(f"/members/{place}", error.detail) from None
        found[row.id] = row
    groups.set_group(unit, name, list(found.values()))
    return _group(name, list(found.values()))


def _out(row: t.Member, absence: t.Absence | None) -> MemberOut:
    return MemberOut(
        **member_short(row).model_dump(),
        role="admin" if row.role == "admin" else "member",
        absence=_absence(absence) if absence else None,
    )


def _absence(row: t.Absence) -> AbsenceOut:
    return AbsenceOut(from_=row.from_on, until=row.until_on, set_by=row.set_by)


def _entries(unit: Unit, rows: list[t.AuditEntry]) -> list[AuditEntry]:
    about = browse.by_id(unit, t.Member, (row.about_id for row in rows if row.about_id))
    return [
        AuditEntry(
            at=row.at,
            kind=row.kind,
            text=row.text,
            by=row.by,
            about=member_short(about[row.about_id]) if row.about_id else None,
        )
        for row in rows
    ]


def _group(name: str, rows: list[t.Member]) -> Group:
    return Group(name=name, members=[member_short(m) for m in rows])
