"""Asks the provider of an unknown delivery whether it has the message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from backoffice.delivery.attempts import Attempt, again, askable
from backoffice.delivery.deliveries import case_of, in_flight
from backoffice.delivery.frozen import thaw
from backoffice.delivery.outgoing import Outgoing
from backoffice.delivery.settle import found
from backoffice.delivery.states import is_unknown
from backoffice.delivery.unknown import is_ours, not_found
from dunning.ids import DeliveryId
from messages.message import Message
from providers.port import CannotTell, Channel, Found, LookUp
from store import tables as t
from store.load import Loaded
from store.unit import Unit

#: How far a provider's clock may be behind ours.
_CLOCKS_DIFFER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Question:
    """``channel`` is asked for ``message``, which was handed over after ``since`` (UTC)."""

    delivery_id: DeliveryId
    channel: Channel
    message: Message
    since: datetime


def question(unit: Unit, loaded: Loaded, outgoing: Outgoing) -> Question | None:
    """The look-up that is due now, if any."""
    row = in_flight(unit, loaded)
    if row is None or not is_unknown(row) or not row.message:
        return None
    if row.deadline is not None and unit.now < row.deadline:
        return None
    channel = askable(unit, case_of(unit, loaded.customer, row), outgoing)
    if channel is None:
        return None
    since = (row.first_claimed_at or unit.now) - _CLOCKS_DIFFER
    return Question(row.id, channel, thaw(unit.session, row), since)


def answered(
    unit: Unit, loaded: Loaded, asked: Question, answer: LookUp, outgoing: Outgoing
) -> Attempt | None:
    """Records the answer. Returns an Attempt to send the message again under the same key."""
    row = unit.session.get_one(t.Delivery, asked.delivery_id, populate_existing=True)
    if not is_unknown(row):  # a callback was quicker
        return None
    case = case_of(unit, loaded.customer, row)
    if isinstance(answer, Found) and is_ours(unit, row, answer.provider_id):
        found(unit, case, answer.provider_id, f"a look-up at {row.provider}")
        return None
    attempted = again(unit, loaded, row, outgoing)
    if isinstance(attempted, timedelta):  # the account is held: asked again then, without counting
        row.deadline = unit.now + attempted
        return None
    if attempted is None:
        words = answer.reason if isinstance(answer, CannotTell) else "nothing found"
        not_found(unit, case, words, outgoing.look_up_after)
    return attempted
