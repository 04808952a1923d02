"""Members of an organisation: they are added, changed and removed."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlmodel import col, select

from backoffice.people import admins
from backoffice.people.invitations import end_invitations
from backoffice.people.owners import OPEN, customers_without_owner
from dunning.ids import our_id
from dunning.model import ActionStatus
from store import tables as t
from store.errors import Conflict, NotFound
from store.locks import lock_organisation
from store.nudges import nudge_many
from store.unit import Unit


def put_member(unit: Unit, email: str, name: str, role: str = "member") -> t.Member:
    """Creates or updates a member by email address; a member who had left is active again.
    Customers with an open action without an owner are nudged, because the new member may become its
    owner. Conflict if no admin with a valid key would be left."""
    row = _of_address(unit, email)
    if row is None:  # two concurrent requests, in upper and lower case, must not both create it
        lock_organisation(unit)
        row = _of_address(unit, email)
    if row is None:
        row = t.Member(organisation_id=unit.organisation_id, email=email, name=name)
        unit.session.add(row)
    elif row.role == "admin" and role != "admin":
        admins.before_leaving(unit, row)
    row.name, row.role, row.active = name, role, True
    unit.session.flush()
    unowned = customers_without_owner(unit)
    if unowned:
        nudge_many(unit, unowned)
    return row


def _of_address(unit: Unit, email: str) -> t.Member | None:
    """PostgreSQL lowers both sides: Python's lower case differs for some letters ("İ")."""
    return unit.session.exec(
        select(t.Member).where(
            t.Member.organisation_id == unit.organisation_id,
            sa.func.lower(t.Member.email) == sa.func.lower(email),
        )
    ).one_or_none()


def list_members(unit: Unit) -> list[t.Member]:
    """The active members, by name."""
    return list(
        unit.session.exec(
            select(t.Member)
            .where(t.Member.organisation_id == unit.organisation_id, col(t.Member.active))
            .order_by(t.Member.name, t.Member.email)
        )
    )


def member_or_404(unit: Unit, key: str) -> t.Member:
    """Finds a member by our id, if the key has the form of one, else by email address."""
    ours = our_id(key)
    if ours is None:
        row = _of_address(unit, key)
    else:
        mine = select(t.Member).where(t.Member.organisation_id == unit.organisation_id)
        row = unit.session.exec(mine.where(t.Member.id == ours)).one_or_none()
    if row is None:
        raise NotFound(f"no member {key!r}")
    return row


def remove_member(unit: Unit, member: t.Member) -> None:
    """A member leaves; their keys, an unused invitation and an absence end. Conflict while they own
    open actions, which must be handed on first (rule 29: it does not say how many). Conflict for
    the last admin with a valid key."""
    if member.role == "admin":
        admins.before_leaving(unit, member)
    # FOR UPDATE, because a weaker lock would not wait for a transaction that gives them an action.
    unit.session.refresh(member, with_for_update=True)
    owns = unit.session.exec(
        select(t.Action.id)
        .where(
            t.Action.owner_id == member.id,
            col(t.Action.status).in_((*OPEN, ActionStatus.SENDING)),
        )
        .limit(1)
    ).first()
    if owns is not None:
        raise Conflict(
            f"{member.name} owns open actions; record an absence with "
            f"PUT /v1/members/{member.id}/absence and hand them on with "
            f"POST /v1/members/{member.id}/reassign-actions first"
        )
    member.active = False
    now = datetime.now(UTC)
    for key in unit.session.exec(select(t.ApiKey).where(t.ApiKey.member_id == member.id)):
        key.revoked_at = key.revoked_at or now
    end_invitations(unit.at(now), member)
    absence = unit.session.get(t.Absence, member.id)
    if absence is not None:
        unit.session.delete(absence)
