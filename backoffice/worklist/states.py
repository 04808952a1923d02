"""The life of an action: one function opens it for its owner, and one ends it.

In between a delivery moves it (``backoffice.delivery``): to being sent, in doubt, or back to its
owner.
"""

from __future__ import annotations

from datetime import datetime

from dunning.ids import MemberId
from dunning.model import ActionStatus, Cause
from dunning.plan import ActionType
from store import tables as t
from store.timeline import note
from store.unit import Unit

#: The actor on the timeline when a decision acts.
BY = "dunning"


def type_of(row: t.Action) -> ActionType:
    """The type it is executed as: the one that its owner chose, else the planned one (rule 28)."""
    return ActionType(row.executed_type or row.type)


def open_for(
    unit: Unit,
    row: t.Action,
    owner: MemberId | None,
    cause: Cause | None = None,
    reason: str = "",
) -> None:
    """Makes the action a to-do of its owner; None: of nobody, until an owner is found."""
    row.status, row.shown_at, row.owner_id = ActionStatus.TO_DO, unit.now, owner
    if cause is not None:
        row.cause, row.reason = cause, reason


def reopen(row: t.Action) -> None:
    """Makes an action in doubt its owner's to-do again."""
    row.status, row.cause, row.reason = ActionStatus.TO_DO, None, ""


def end(
    unit: Unit,
    row: t.Action,
    status: ActionStatus,
    reason: str | None = None,
    *,
    executed_at: datetime | None = None,
) -> None:
    """Ends the action with ``status``, now and by ``unit.by``. ``reason`` None leaves the reason as
    it is. A done action counts from ``executed_at`` (organisation's time, UTC; None: now)."""
    row.status, row.ended_at, row.ended_by = status, unit.now, unit.by
    if reason is not None:
        row.reason = reason
    if status is ActionStatus.DONE:
        row.executed_type = row.executed_type or row.type
        row.executed_at = executed_at or unit.now


def note_about(unit: Unit, customer: t.Customer, row: t.Action, kind: str, words: str) -> None:
    """Adds an entry about an action to the timeline, by ``unit.by``."""
    note(unit, customer, kind, words, invoice_id=row.invoice_id, action_id=row.id, by=unit.by)
