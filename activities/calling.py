"""Calls a provider and records the outcome, which only this process knows."""

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
#: Seconds that the database may be away. With a provider's time-outs well below the deadline of a
#: claim (``dunning.delivery.CLAIM_SECONDS``) and below the activity's time-out.
_KEEP_SECONDS = 10
#: Seconds that another transaction, such as an import of a whole book, may hold the customer. After
#: that the delivery becomes unknown, and is looked up.
_KEEP_LOCKED_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Order:
    """What the sequence asks for. ``now``: the sequence's time, or a later real time."""

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
        """Decides the account again; the answer for the sequence."""
        return decide_and_record(unit, self.customer_id, self.given.handled)


def call(engine: Engine, outgoing: Outgoing, order: Order, attempt: Attempt) -> Instruction:
    """Calls the provider once, and records the outcome. The claim is already committed."""
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
    """Writes the outcome, which only we know; retries while the database is away or another
    transaction holds the customer."""
    began = time.monotonic()
    while True:
        try:
            return write()
        except ERRORS as error:
            if time.monotonic() - began > _patience(error):
                raise
            time.sleep(0.2)


def _patience(error: BaseException) -> float:
    """For how many seconds this error is retried."""
    if is_lock_timeout(error):
        return _KEEP_LOCKED_SECONDS
    return _KEEP_SECONDS if is_outage(error) or isinstance(error, OperationalError) else 0


def tried_again(later: NotNow) -> ApplicationError:
    """The error that makes Temporal retry the activity. A retry adds no event to the history."""
    return ApplicationError(
        later.reason[:500],
        type="NotNow",
        next_retry_delay=later.wait,
        category=ApplicationErrorCategory.BENIGN,
    )
