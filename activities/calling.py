"""The call of a provider, and recording its outcome, which nobody else knows."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlmodel import Session
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.deciding import LOCK_TIMEOUT, decide_and_record, engine_time
from backoffice.delivery.attempts import Attempt, NotNow, record
from backoffice.delivery.outgoing import Outgoing
from dunning.ids import CustomerId, OrganisationId
from store.engine import ERRORS, is_lock_timeout, is_outage, transaction
from store.locks import lock_customer
from store.unit import Unit
from workflows.contracts import Instruction, SendInput

T = TypeVar("T")
#: Seconds that the database may be away: with a provider's time-outs well inside the deadline of a
#: claim (``dunning.delivery.CLAIM_SECONDS``) and of the activity.
_KEEP_SECONDS = 10
#: Seconds that somebody else, such as an import of a whole book, may hold the customer. After that
#: the delivery becomes unknown, and is looked up.
_KEEP_LOCKED_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Order:
    """What the sequence asks for. ``now``: its time, or the real one if that is later."""

    customer_id: CustomerId
    organisation_id: OrganisationId
    now: datetime
    given: SendInput

    @classmethod
    def of(cls, given: SendInput, outgoing: Outgoing) -> Order:
        now = engine_time(given.now, outgoing.clock)
        customer_id = CustomerId(uuid.UUID(given.customer_id))
        organisation_id = OrganisationId(uuid.UUID(given.organisation_id))
        return cls(customer_id, organisation_id, now, given)

    def unit(self, session: Session) -> Unit:
        return Unit(session, self.organisation_id, self.now)

    def decided(self, unit: Unit) -> Instruction:
        """The account decided again, as the sequence reads it."""
        return decide_and_record(unit, self.customer_id, self.given.handled)


def call(engine: Engine, outgoing: Outgoing, order: Order, attempt: Attempt) -> Instruction:
    """Call the provider once, and record the outcome. The claim is committed."""
    result = attempt.channel.send(attempt.message)

    def settle() -> Instruction:
        with transaction(engine, lock_timeout=LOCK_TIMEOUT) as session:
            unit = order.unit(session)
            customer = lock_customer(unit, order.customer_id)
            retry = record(unit, customer, attempt, result, outgoing)
            if retry is None:
                return order.decided(unit)
        raise tried_again(retry)

    return kept(settle)


def kept(write: Callable[[], T]) -> T:
    """Write what only we know, again and again while the database is away or somebody else holds
    the customer."""
    began = time.monotonic()
    while True:
        try:
            return write()
        except ERRORS as error:
            if time.monotonic() - began > _patience(error):
                raise
            time.sleep(0.2)


def _patience(error: BaseException) -> float:
    """For how many seconds an outcome is kept in spite of this error."""
    if is_lock_timeout(error):
        return _KEEP_LOCKED_SECONDS
    return _KEEP_SECONDS if is_outage(error) or isinstance(error, OperationalError) else 0


def tried_again(later: NotNow) -> ApplicationError:
    """Temporal retries the activity, which adds no event to the run's history."""
    return ApplicationError(
        later.reason[:500],
        type="NotNow",
        next_retry_delay=later.wait,
        category=ApplicationErrorCategory.BENIGN,
    )
