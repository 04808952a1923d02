"""Who owns an action (rules 29 and 33), and open actions without an owner.

An open action has no owner if it was made while no member was active, or if its owner left at that
moment. Admins see such actions, and the next decision on the customer finds an owner.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select

from dunning.ids import CustomerId, MemberId
from dunning.model import ActionStatus
from dunning.spellings import lower_case
from store import tables as t
from store.account import plan_of
from store.errors import Invalid
from store.timeline import note
from store.unit import Unit

#: Statuses of an action that waits for its owner.
OPEN = (ActionStatus.TO_DO, ActionStatus.NEEDS_REVIEW)


def is_open() -> ColumnElement[bool]:
    """An action that belongs to its owner: to be worked, or completed and about to leave (rule 29).
    Everybody sees an action that is planned, sent automatically, or ended. The statuses are
    literals, so that PostgreSQL can use the partial index (decision 0031)."""
    status = col(t.Action.status)
    waits: list[ColumnElement[str]] = [sa.literal_column(f"'{one}'") for one in OPEN]
    leaves = status == sa.literal_column(f"'{ActionStatus.SENDING}'")
    return status.in_(waits) | (leaves & col(t.Action.requested_at).is_not(None))


def without_owner() -> ColumnElement[bool]:
    """An open action that no active member owns."""
    owner = select(t.Member.id).where(t.Member.id == t.Action.owner_id, col(t.Member.active))
    return sa.and_(is_open(), sa.not_(sa.exists(owner)))


def customers_without_owner(unit: Unit) -> list[CustomerId]:
    """The customers who have an open action without an owner."""
    statement = select(col(t.Action.customer_id)).where(
        t.Action.organisation_id == unit.organisation_id, without_owner()
    )
    return list(unit.session.exec(statement.distinct().order_by(col(t.Action.customer_id))))


def find_owners(unit: Unit, customer: t.Customer, actions: Iterable[t.Action]) -> None:
    """Gives the open actions without an owner to the members whom their steps name (rule 33). The
    customer is locked. Without any active member the actions stay without an owner."""
    opened = [a for a in actions if _is_open(a)]
    if not opened:
        return
    active = set(
        unit.session.exec(
            select(t.Member.id).where(
                col(t.Member.id).in_({a.owner_id for a in opened}), col(t.Member.active)
            )
        )
    )
    for action in opened:
        if action.owner_id in active:
            continue
        found = owner_of(unit, customer, action)
        if found is not None:
            to = unit.session.get_one(t.Member, found)
            hand_over(unit, customer, action, to, ": nobody owned it")


def _is_open(action: t.Action) -> bool:
    """``is_open`` for a row."""
    leaves = action.status == ActionStatus.SENDING and action.requested_at is not None
    return leaves or action.status in OPEN


def hand_over(unit: Unit, customer: t.Customer, row: t.Action, to: t.Member, why: str = "") -> None:
    """Makes another member the action's owner. Invalid for a member who is not active."""
    if not to.active:
        raise Invalid.at("/to", f"{to.name} is not an active member")
    row.owner_id = to.id
    words = f"'{row.name}' is now {to.name}'s{why}"
    note(
        unit,
        customer,
        "action_reassigned",
        words,
        by=unit.by,
        invoice_id=row.invoice_id,
        action_id=row.id,
    )
    unit.session.flush()


def owner_of(unit: Unit, customer: t.Customer, action: t.Action) -> MemberId | None:
    """The action's owner if that is an active member, else the one that its step names (rule 33).
    An automatic action gets its owner only when it needs one, and an owner may have left."""
    owner = unit.session.get(t.Member, action.owner_id) if action.owner_id else None
    if owner is None or not owner.active:
        version = unit.session.get(t.PlanVersion, action.plan_version_id)
        step = plan_of(version).find(action.step_key) if version else None
        owner = owner_for(unit, customer, step.owner if step else "assigned")
    return owner.id if owner else None


def owner_for(unit: Unit, customer: t.Customer, rule: str) -> t.Member | None:
    """Rule 33: of several members the one assigned first. If the rule names nobody, the first
    assigned member, else the first admin, else the first member; None only without any active
    member."""
    active = {
        m.id: m
        for m in unit.session.exec(
            select(t.Member)
            .where(t.Member.organisation_id == customer.organisation_id, col(t.Member.active))
            .order_by(col(t.Member.created_at), col(t.Member.id))
        )
    }
    assigned = [
        active[m]
        for m in unit.session.exec(
            select(col(t.CustomerMember.member_id))
            .where(t.CustomerMember.customer_id == customer.id)
            .order_by(col(t.CustomerMember.rank))
        )
        if m in active
    ]
    chosen = _chosen(unit, customer, rule, active, assigned)
    if chosen:
        return chosen[0]
    if assigned:
        return assigned[0]
    admins = [m for m in active.values() if m.role == "admin"]
    return next(iter(admins or active.values()), None)


def _chosen(
    unit: Unit,
    customer: t.Customer,
    rule: str,
    active: dict[MemberId, t.Member],
    assigned: list[t.Member],
) -> list[t.Member]:
    if rule == "assigned":
        return assigned
    if rule.startswith("group:"):
        name, _, which = rule.removeprefix("group:").partition(":")
        ids = set(
            unit.session.exec(
                select(t.GroupMember.member_id).where(
                    t.GroupMember.organisation_id == customer.organisation_id,
                    t.GroupMember.name == name.strip(),
                )
            )
        )
        first = [m for m in assigned if m.id in ids]
        if which.strip() == "assigned":
            return first
        return first or [m for m in active.values() if m.id in ids]
    return [member for member in active.values() if _is_named(member, rule)]


def _is_named(member: t.Member, rule: str) -> bool:
    """``rule`` is "member:" and an email address or a name, in upper or lower case."""
    wanted = rule.removeprefix("member:").strip()
    by_address = lower_case(member.email) == lower_case(wanted)
    return by_address or member.name.casefold() == wanted.casefold()


def check_owner(unit: Unit, step: str, rule: str) -> None:
    """Raises Invalid if a plan names a member or a group that does not exist."""
    if rule == "assigned":
        return
    if rule.startswith("group:"):
        name, _, which = rule.removeprefix("group:").partition(":")
        if which.strip() not in ("", "assigned"):
            raise Invalid.at(f"step {step}", f"owner {rule!r}: write 'group:NAME:assigned'")
        known = unit.session.exec(
            select(t.GroupMember.name).where(
                t.GroupMember.organisation_id == unit.organisation_id,
                t.GroupMember.name == name.strip(),
            )
        ).first()
        if known is None:
            raise Invalid.at(f"step {step}", f"owner: there is no group {name.strip()!r}")
        return
    for member in unit.session.exec(
        select(t.Member).where(
            t.Member.organisation_id == unit.organisation_id, col(t.Member.active)
        )
    ):
        if _is_named(member, rule):
            return
    raise Invalid.at(f"step {step}", f"owner: there is no active member {rule!r}")
