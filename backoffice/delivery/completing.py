"""Complete and skip: by a member through the API, by a signal by hand, by a rehearsal's owner.

They differ in who asks and in what is checked before; ``backoffice.worklist.working`` decides what
it means and writes it. Of a message in doubt it also says what became of the delivery.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from backoffice.delivery.deliveries import of_action
from backoffice.delivery.drafts import draft
from backoffice.delivery.states import move
from backoffice.worklist.edits import check_words
from backoffice.worklist.own import own_open, refuse_other_balance
from backoffice.worklist.states import type_of
from backoffice.worklist.working import How, Order, carry_out, leaves, waits_for_owner
from dunning.delivery_status import DeliveryStatus
from dunning.model import ActionStatus
from dunning.plan import ActionType
from store import tables as t
from store.errors import Conflict, Invalid
from store.load import Loaded
from store.unit import Unit


def complete(
    unit: Unit, member: t.Member, key: str, text: str, *, seen_balance: Decimal | None = None
) -> t.Action:
    """Complete an open action as its owner. Of a message in doubt: it was sent.

    ``seen_balance``: the balance on the member's page; Conflict when it has changed (rule 31), or
    when a message has no recipient; Invalid for one without words for the customer."""
    loaded, row = own_open(unit, member, key)
    refuse_other_balance(loaded, row, seen_balance)
    if leaves(row):
        check_words(row.edits, ActionType(row.type), type_of(row))
        if all(a.role != "to" for a in draft(unit, loaded, row, member).addressees):
            raise Conflict(
                "nobody to send it to: correct the contact's address, or give the action recipients"
            )
    _work(unit.named(member.name), loaded, row, Order(How.COMPLETE, text, member))
    return row


def skip(unit: Unit, member: t.Member, key: str, reason: str) -> t.Action:
    """Skip an open action as its owner, with a reason: it does not count as a contact (rule 32).
    Of a message in doubt: it is given up."""
    if not reason.strip():
        raise Invalid.at("/reason", "say why the action is skipped (rule 32)")
    loaded, row = own_open(unit, member, key)
    _work(unit.named(member.name), loaded, row, Order(How.SKIP, reason, member))
    return row


def work_open_action(unit: Unit, loaded: Loaded, how: How, text: str) -> bool:
    """Complete or skip, in its owner's place, the action that the sequence waits for, else the
    oldest open one: for a signal by hand, or a rehearsal. False when none is open. The caller tells
    the sequence."""
    row = waits_for_owner(unit, loaded)
    if row is None:
        return False
    _work(unit, loaded, row, Order(how, text))
    return True


def _work(unit: Unit, loaded: Loaded, row: t.Action, order: Order) -> None:
    carry_out(unit, loaded, row, order, executed_at=_end_doubt(unit, row, order.how))


def _end_doubt(unit: Unit, row: t.Action, how: How) -> datetime | None:
    """Of a message in doubt: a person says that it was sent (complete), or gives it up (skip), and
    no provider is asked any more. When it was handed over (organisation's time, UTC)."""
    sent = of_action(unit, row) if row.status == ActionStatus.NEEDS_REVIEW else None
    if sent is None:
        return None
    was_sent = how is How.COMPLETE
    move(sent, DeliveryStatus.ACCEPTED if was_sent else DeliveryStatus.ABANDONED, unit.now)
    return sent.claimed_at
