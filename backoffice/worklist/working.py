"""Completes and skips actions: the only code that decides what that means and writes it (rules 30
to 32). Its callers in ``backoffice.delivery`` check first who may do so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from backoffice.people.owners import OPEN
from backoffice.worklist.states import end, note_about, type_of
from dunning.decide import decide
from dunning.ids import MemberId
from dunning.model import ActionStatus
from dunning.plan import CHANNELS
from store import tables as t
from store.load import Loaded
from store.nudges import nudge
from store.unit import Unit


class How(StrEnum):
    COMPLETE = "complete"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Order:
    """``text``: the note for a completion, the reason for a skip. ``member``: who asked through the
    API; None: a signal or a rehearsal asked in the owner's place, and its caller notifies the
    sequence."""

    how: How
    text: str
    member: t.Member | None = None


def leaves(row: t.Action) -> bool:
    """Whether completing it sends a message (rule 30). A message in doubt is not sent."""
    return row.status == ActionStatus.TO_DO and type_of(row) in CHANNELS


def carry_out(
    unit: Unit, loaded: Loaded, row: t.Action, order: Order, executed_at: datetime | None = None
) -> None:
    """Completes or skips an open action. A message is then sent through the guarded path of every
    send (rule 30); a call or a task is done, at ``executed_at`` (organisation's time, UTC; None:
    now). A skipped action does not count as a contact (rule 32)."""
    if order.how is How.SKIP:
        end(unit, row, ActionStatus.SKIPPED, order.text or "skipped by hand")
        kind, words = "action_skipped", f"'{row.name}' is skipped"
    else:
        kind, words = "action_completed", _completed(row, order)
        if leaves(row):
            request(unit, row, order.member.id if order.member else row.owner_id, order.text)
        else:
            row.note = order.text or row.note
            end(unit, row, ActionStatus.DONE, executed_at=executed_at)
    words += f": {order.text}" if order.text else ""
    note_about(unit, loaded.customer, row, kind, words)
    if order.member is not None:
        tell_sequence(unit, loaded, row, order.how)
    unit.session.flush()


def request(unit: Unit, row: t.Action, by: MemberId | None, text: str) -> None:
    """Requests that its message be sent now. ``by``: the member who completed it."""
    row.requested_at, row.requested_by, row.note = unit.now, by, text or row.note


def tell_sequence(unit: Unit, loaded: Loaded, row: t.Action, how: How) -> None:
    """Nudges the customer's sequence, with the words that the Temporal UI shows for the signal."""
    invoice = loaded.invoices.get(row.invoice_id)
    payload = {
        "id": str(row.id),
        "invoice": invoice.number if invoice else "",
        "who": unit.by,
        "why": row.name,
    }
    nudge(unit, loaded.customer, how.value, payload)


def waits_for_owner(unit: Unit, loaded: Loaded) -> t.Action | None:
    """The open action that the sequence waits for, else the oldest open one, if there is one."""
    rows = [
        row
        for row in loaded.actions.values()
        if row.status in OPEN and row.requested_at is None and row.step_key is not None
    ]
    waited_for = decide(loaded.account, unit.now).action_id if rows else None
    return min(rows, key=lambda row: (str(row.id) != waited_for, row.seq or 0), default=None)


def _completed(row: t.Action, order: Order) -> str:
    words = f"'{row.name}' is completed"
    if order.member is None:
        return words
    return f"{words} and goes out" if leaves(row) else f"'{row.name}' ({type_of(row)}) is completed"
