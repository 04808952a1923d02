"""The actions that a member may see (rule 29): one by its id, and lists of them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select

from backoffice.ledger.find import find_customer
from backoffice.people.owners import without_owner
from backoffice.people.visible import visible_to
from dunning.ids import ActionId
from dunning.model import ActionStatus
from store import tables as t
from store.calendars import calendar_of
from store.errors import NotFound
from store.unit import Unit

Scope = Literal["mine", "all", "without_owner"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which actions to list. ``mine``: the member's own; without a ``status`` only those to be
    worked. ``all``: every action that the member may see. ``without_owner``: open ones without an
    owner. ``automatic``: made by an automatic step, or not. ``customer``: our id or the external
    id."""

    scope: Scope = "mine"
    status: ActionStatus | None = None
    automatic: bool | None = None
    customer: str | None = None


def find(unit: Unit, member: t.Member, key: str) -> t.Action:
    """An action that the member may see. NotFound, in the same words, for one that the member may
    not see and for one that does not exist."""
    try:
        action_id = ActionId(uuid.UUID(key))
    except ValueError:
        action_id = ActionId(uuid.UUID(int=0))
    row = unit.session.exec(
        select(t.Action).where(
            t.Action.id == action_id,
            t.Action.organisation_id == member.organisation_id,
            visible_to(member),
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"no action {key!r}")
    return row


def list_actions(
    unit: Unit, member: t.Member, wanted: Wanted, *, after: int | None = None, limit: int = 50
) -> list[t.Action]:
    """By age, after the place ``after`` (keyset pagination). Actions of paused customers are left
    out (rule 39: hidden, not cancelled), except with ``without_owner``, because admins have no
    other list of those. Raises NotFound for an unknown customer."""
    statement = (
        select(t.Action)
        .where(t.Action.organisation_id == member.organisation_id, visible_to(member))
        .where(*_conditions(unit, member, wanted))
        .order_by(col(t.Action.seq))
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(col(t.Action.seq) > after)
    if wanted.scope != "without_owner":
        today = calendar_of(unit.organisation).today(unit.now)
        statement = statement.where(sa.not_(_hidden(today)))
    return list(unit.session.exec(statement))


def _conditions(unit: Unit, member: t.Member, wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.scope == "mine":
        found.append(col(t.Action.owner_id) == member.id)
        if wanted.status is None:
            found.append(_to_be_worked())
    if wanted.scope == "without_owner":
        found.append(without_owner())
    if wanted.status is not None:
        # A literal: with a parameter PostgreSQL could not use the partial index of open actions.
        named = sa.literal(wanted.status.value, literal_execute=True)
        found.append(col(t.Action.status) == named)
    if wanted.automatic is not None:
        found.append(col(t.Action.automatic) == wanted.automatic)
    if wanted.customer is not None:
        found.append(col(t.Action.customer_id) == find_customer(unit, wanted.customer).id)
    return found


def _to_be_worked() -> ColumnElement[bool]:
    """Leaves out actions that were completed and are about to leave."""
    status = col(t.Action.status)
    waits = (status == ActionStatus.TO_DO) & col(t.Action.requested_at).is_(None)
    return waits | (status == ActionStatus.NEEDS_REVIEW)


def _hidden(today: date) -> ColumnElement[bool]:
    """Rule 39: actions to be done for a paused customer are hidden. A message in doubt is shown,
    because its owner's answer sends nothing."""
    return sa.and_(
        col(t.Action.status) == ActionStatus.TO_DO,
        col(t.Action.step_key).is_not(None),
        sa.exists(
            select(t.Pause.id).where(
                t.Pause.customer_id == t.Action.customer_id,
                col(t.Pause.invoice_id).is_(None),
                col(t.Pause.resumed_at).is_(None),
                sa.or_(col(t.Pause.until).is_(None), col(t.Pause.until) > today),
            )
        ),
    )
