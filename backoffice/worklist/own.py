"""A member's own open action, and what is checked before it may be worked (rules 27 to 31)."""

from __future__ import annotations

from decimal import Decimal

from sqlmodel import select

from backoffice.people.owners import OPEN, without_owner
from backoffice.worklist.lists import find
from dunning.carrying import paused
from dunning.decide import decide
from dunning.model import ActionStatus
from store import tables as t
from store.errors import Conflict, NotFound
from store.load import Loaded, load
from store.timeline import money
from store.unit import Unit


def own_open(unit: Unit, member: t.Member, key: str) -> tuple[Loaded, t.Action]:
    """The member's own open action, with its account loaded under the customer's lock.

    NotFound for another member's action. Conflict for an action that has ended (with who ended it
    and when), that the rules would withdraw now, or whose customer is paused. A message in doubt
    can be answered at any time (rule 36).
    """
    row = find(unit, member, key)
    loaded = load(unit, row.customer_id)
    unit.session.refresh(row)
    _refuse_ended(unit, row)
    if row.owner_id != member.id and has_no_owner(unit, row):
        words = f"nobody owns this action; assign it with POST /v1/actions/{row.id}/assign first"
        raise Conflict(words)
    if row.owner_id != member.id or row.status not in OPEN:
        raise NotFound(f"no action {key!r}")
    if row.status != ActionStatus.NEEDS_REVIEW:
        _refuse_without_reason(unit, loaded, row)
    return loaded, row


def has_no_owner(unit: Unit, row: t.Action) -> bool:
    """Whether it is open and has no active owner."""
    same = select(t.Action.id).where(t.Action.id == row.id, without_owner())
    return unit.session.exec(same).first() is not None


def refuse_in_doubt(row: t.Action) -> None:
    """Conflict for an action whose message may have left already."""
    if row.status != ActionStatus.TO_DO:
        raise Conflict("its message may have left already; say what became of it")


def refuse_other_balance(loaded: Loaded, row: t.Action, seen: Decimal | None) -> None:
    """Rule 31: Conflict if the balance is not the one that the member saw; None: not checked."""
    invoice = loaded.invoices.get(row.invoice_id)
    if seen is not None and invoice is not None and invoice.balance != seen:
        raise Conflict(
            f"the balance of {invoice.number} is now {money(invoice.balance, invoice.currency)}, "
            f"not {seen:f}; look again before sending"
        )


def _refuse_ended(unit: Unit, row: t.Action) -> None:
    """Rule 31: the first member wins; the second learns who that was, and when."""
    leaving = row.status in (ActionStatus.TO_DO, ActionStatus.SENDING)
    if row.requested_at is not None and leaving:
        asked_by = unit.session.get_one(t.Member, row.requested_by) if row.requested_by else None
        who = asked_by.name if asked_by else "somebody"
        raise Conflict(f"{who} completed this action at {row.requested_at:%Y-%m-%d %H:%M} UTC")
    if row.ended_at is not None:
        by = f" by {row.ended_by}" if row.ended_by else ""
        words = row.status.replace("_", " ")
        raise Conflict(f"this action is {words}{by} since {row.ended_at:%Y-%m-%d %H:%M} UTC")


def _refuse_without_reason(unit: Unit, loaded: Loaded, row: t.Action) -> None:
    """Decides again now: the action may be about to be withdrawn, or its customer be paused."""
    decision = decide(loaded.account, unit.now)
    gone = [w for w in decision.withdraw if w.action_id == str(row.id)]
    if gone:
        raise Conflict(f"this action has no reason any more: {gone[0].text}; nothing was sent")
    stopped, until = paused(loaded.account.pauses, loaded.account.calendar.today(unit.now))
    if stopped and row.step_key is not None:
        raise Conflict(f"the customer is paused {f'until {until}' if until else 'until resumed'}")
