"""Complete and skip: by a member through the API, by a signal sent by hand, by a rehearsal's owner.

These differ in who asks and in what is checked first. ``backoffice.worklist.working`` decides what
the action becomes, and writes it. For a message in doubt this module also settles the delivery.
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
    """Completes an open action as its owner. For a message in doubt that means: it was sent.

    ``seen_balance``: the balance on the member's page. Conflict if it has changed (rule 31), or if
    a message has no recipient; Invalid for a message without texts for the customer.
    """
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
    """Skips an open action as its owner, with a reason; it does not count as a contact (rule 32).
    For a message in doubt that means: it is given up."""
    if not reason.strip():
        raise Invalid.at("/reason", "say why the action is skipped (rule 32)")
    loaded, row = own_open(unit, member, key)
    _work(unit.named(member.name), loaded, row, Order(How.SKIP, reason, member))
    return row


def work_open_action(unit: Unit, loaded: Loaded, how: How, text: str) -> bool:
    """Completes or skips, in the owner's place, the action that the sequence waits for, else the
    oldest open one: for a signal sent by hand, or a rehearsal. False if none is open. The caller
    notifies the sequence."""
    row = waits_for_owner(unit, loaded)
    if row is None:
        return False
    _work(unit, loaded, row, Order(how, text))
    return True


def _work(unit: Unit, loaded: Loaded, row: t.Action, order: Order) -> None:
    carry_out(unit, loaded, row, order, executed_at=_end_doubt(unit, row, order.how))


def _end_doubt(unit: Unit, row: t.Action, how: How) -> datetime | None:
    """For a message in doubt: a person says that it was sent (complete) or gives it up (skip), and
    the look-ups end. Returns when it was handed over (organisation's time, UTC)."""
    sent = of_action(unit, row) if row.status == ActionStatus.NEEDS_REVIEW else None
    if sent is None:
        return None
    was_sent = how is How.COMPLETE
    move(sent, DeliveryStatus.ACCEPTED if was_sent else DeliveryStatus.ABANDONED, unit.now)
    return sent.claimed_at
