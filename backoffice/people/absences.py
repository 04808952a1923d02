"""Absences of members, and handing on the open actions of a member who is absent or has left (rule
29)."""

from __future__ import annotations

from datetime import date

from sqlmodel import col, select

from backoffice.people.audit import record
from backoffice.people.owners import OPEN, hand_over
from dunning.model import ActionStatus
from store import tables as t
from store.calendars import calendar_of
from store.errors import Conflict, Invalid, NotFound
from store.load import load
from store.unit import Unit

#: Statuses of the actions that are handed on.
_HANDED_ON = (*OPEN, ActionStatus.SENDING)


def set_absence(
    unit: Unit, member: t.Member, from_on: date, until_on: date | None, by: t.Member
) -> t.Absence:
    """The member is absent from one local day to another, both included; None = until it is ended.
    Replaces an earlier absence. Invalid for days in the wrong order or all in the past, Conflict
    for a member who left."""
    unit.session.refresh(member, with_for_update={"key_share": True})  # one absence at a time
    if not member.active:
        raise Conflict(f"{member.name} is not a member any more")
    today = _today(unit, member)
    if until_on is not None and until_on < from_on:
        raise Invalid.at("/until", f"{until_on} is before {from_on}, when the absence begins")
    if until_on is not None and until_on < today:
        raise Invalid.at("/until", f"{until_on} is before today ({today})")
    row = unit.session.get(t.Absence, member.id, populate_existing=True)
    if row is None:
        row = t.Absence(member_id=member.id, from_on=from_on)
    row.from_on, row.until_on, row.set_by = from_on, until_on, by.name
    unit.session.add(row)
    until = f" until {until_on}" if until_on else ""
    words = f"{member.name} is absent from {from_on}{until}"
    record(unit, "absence_set", words, by=by, about=member)
    return row


def end_absence(unit: Unit, member: t.Member, by: t.Member) -> None:
    """Ends a current absence, or cancels a future one. NotFound if there is none."""
    row = absence_of(unit, member)
    if row is None:
        raise NotFound(f"no absence of {member.name}")
    unit.session.delete(row)
    words = f"the absence of {member.name} is ended"
    record(unit, "absence_ended", words, by=by, about=member)


def absence_of(unit: Unit, member: t.Member) -> t.Absence | None:
    """The current or future absence."""
    row = unit.session.get(t.Absence, member.id)
    if row is None or (row.until_on is not None and row.until_on < _today(unit, member)):
        return None
    return row


def absences(unit: Unit, members: list[t.Member]) -> dict[str, t.Absence]:
    """Current and future absences, by the member's id as text."""
    if not members:
        return {}
    today = _today(unit, members[0])
    rows = unit.session.exec(
        select(t.Absence).where(col(t.Absence.member_id).in_([m.id for m in members]))
    )
    return {str(r.member_id): r for r in rows if r.until_on is None or r.until_on >= today}


def hand_on_all(unit: Unit, admin: t.Member, of: t.Member, to: t.Member) -> None:
    """An admin hands on all open actions of a member who left or is absent today, without learning
    which or how many (rule 29). Conflict for a member who is present: nobody else may touch their
    actions."""
    if to.id == of.id or not to.active:
        words = "is the same member" if to.id == of.id else "is not an active member"
        raise Invalid.at("/to", f"{to.name} {words}")
    away = absence_of(unit, of) if of.active else None
    if of.active and (away is None or away.from_on > _today(unit, of)):
        raise Conflict(
            f"{of.name} is there, so their open actions are theirs alone (rule 29): they hand them "
            "on with POST /v1/actions/{action}/reassign; for who leaves or is away record an "
            f"absence with PUT /v1/members/{of.id}/absence first"
        )
    ids = unit.session.exec(
        select(col(t.Action.customer_id), col(t.Action.id))
        .where(t.Action.owner_id == of.id, col(t.Action.status).in_(_HANDED_ON))
        .order_by(col(t.Action.customer_id), col(t.Action.id))
    ).all()
    for customer_id, action_id in ids:
        loaded = load(unit, customer_id)
        row = unit.session.get_one(t.Action, action_id, populate_existing=True)
        if row.owner_id == of.id and row.status in _HANDED_ON:
            hand_over(unit.named(admin.name), loaded.customer, row, to)
    words = f"the open actions of {of.name} are handed on to {to.name}"
    record(unit, "actions_reassigned", words, by=admin, about=of)


def _today(unit: Unit, member: t.Member) -> date:
    organisation = unit.organisation
    return calendar_of(organisation).today(unit.now)
