"""An unknown delivery: nobody knows whether the message left.

It is not sent again automatically, except under its idempotency key. The provider is asked at
growing intervals until it has the message; after the last look-up its owner is asked
(needs_review).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlmodel import select

from backoffice.delivery.claim import same_account
from backoffice.delivery.deliveries import Case, tell
from backoffice.delivery.states import move
from backoffice.people.held_accounts import Via
from backoffice.people.owners import owner_of
from dunning.delivery_status import DeliveryStatus
from dunning.model import ActionStatus, Cause
from store import tables as t
from store.unit import Unit

#: Times of the look-ups after the lost answer. After the last one its owner is asked.
LOOK_UP_AFTER = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60))


def unknown(
    unit: Unit, case: Case, reason: str, look_up_after: Sequence[timedelta] = LOOK_UP_AFTER
) -> None:
    """The answer was lost: plans the first look-up."""
    row, action = case.row, case.action
    move(row, DeliveryStatus.UNKNOWN, unit.now, deadline=unit.now + look_up_after[0])
    row.error, row.look_ups = reason[:1000], 0
    action.status = ActionStatus.SENDING
    text = f"'{action.name}': unknown whether it left, the provider is asked: {reason}"
    tell(unit, case, "action_unknown", text)
    unit.session.flush()


def still_unknown(
    unit: Unit, case: Case, reason: str, look_up_after: Sequence[timedelta] = LOOK_UP_AFTER
) -> None:
    """A retry under the same key was not accepted: the look-ups go on."""
    move(case.row, DeliveryStatus.UNKNOWN, unit.now, deadline=unit.now)
    not_found(unit, case, reason, look_up_after)


def not_found(
    unit: Unit, case: Case, answer: str, look_up_after: Sequence[timedelta] = LOOK_UP_AFTER
) -> None:
    """A look-up found nothing, or could not tell (``answer``): plans the next, or asks the
    owner."""
    row = case.row
    row.look_ups += 1
    if row.look_ups < len(look_up_after):
        row.deadline = unit.now + look_up_after[row.look_ups] - look_up_after[row.look_ups - 1]
        unit.session.flush()
        return
    why = f"{row.provider} was asked {row.look_ups} times: {answer[:200]}"
    needs_review(unit, case, why)


def needs_review(unit: Unit, case: Case, why: str) -> None:
    """Its owner must say whether it left. ``why``: the reason that no provider can say it."""
    row, action = case.row, case.action
    move(row, DeliveryStatus.NEEDS_REVIEW, unit.now)
    action.status, action.cause = ActionStatus.NEEDS_REVIEW, Cause.UNKNOWN_OUTCOME
    action.shown_at = action.shown_at or unit.now
    action.owner_id = owner_of(unit, case.customer, action)
    action.reason = f"we do not know whether this left: {row.error[:200]}; {why}"
    tell(unit, case, "action_needs_review", f"'{action.name}': {action.reason}")
    unit.session.flush()


def can_be_asked(row: t.Delivery, via: Via) -> bool:
    """Whether this account can tell what became of the message: only the one that sent it can. A
    delivery that was claimed before accounts were stored may be looked up at any account of its
    provider; its id or text identifies it there."""
    return same_account(row, via) or (row.provider == via.provider and not row.account)


def of_another_account(row: t.Delivery) -> str:
    """The reason to ask its owner at once."""
    return (
        f"it was handed to another account at {row.provider} than the one in use now, so nobody "
        "can be asked"
    )


def is_ours(unit: Unit, row: t.Delivery, provider_id: str) -> bool:
    """Whether a message that a look-up found can be this delivery's: it is no other delivery's."""
    if not provider_id:
        return True
    other = unit.session.exec(
        select(t.Delivery.id).where(
            t.Delivery.provider == row.provider,
            t.Delivery.provider_id == provider_id,
            t.Delivery.id != row.id,
        )
    ).first()
    return other is None
