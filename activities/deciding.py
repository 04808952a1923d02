"""Loads, decides and records until nothing is left to do now; then answers what is next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlmodel import Session
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from backoffice.worklist.decisions import record
from backoffice.worklist.sequences import write_sequence
from backoffice.worklist.steps import step_in
from dunning.decide import decide
from dunning.decision import Decision, Kind
from dunning.ids import CustomerId
from store.engine import is_lock_timeout, transaction
from store.load import Loaded, load
from store.unit import Unit
from workflows.contracts import Instruction

Clock = Callable[[], datetime]

#: An ``assign`` is followed by another decision; more of them in a row would be a bug of the rules.
_MOST_ROUNDS = 20
#: A pause may last until the year 9999, where the engine's calendar ends. The sequence wakes up
#: sooner and decides again.
_LONGEST_SLEEP = timedelta(days=3650)


#: How long an activity waits for a lock. A transaction that holds the customer for longer (such as
#: an import of a whole book) must not block our threads.
LOCK_TIMEOUT = timedelta(seconds=3)


@contextmanager
def working(engine: Engine) -> Iterator[Session]:
    """The transaction of an activity before anything has left. If a lock is not free in time,
    Temporal retries the activity later, and its thread is free for others."""
    try:
        with transaction(engine, lock_timeout=LOCK_TIMEOUT) as session:
            yield session
    except OperationalError as error:
        if not is_lock_timeout(error):
            raise
        raise ApplicationError(
            "somebody else holds the customer; tried again later",
            type="CustomerLocked",
            category=ApplicationErrorCategory.BENIGN,
        ) from None


def real_clock() -> datetime:
    return datetime.now(UTC)


def engine_time(of_sequence: datetime, clock: Clock) -> datetime:
    """The time of an activity: the sequence's, or the real one if a queue or an outage made the
    activity late. So what was due in the morning is not sent at night (rule 21)."""
    return max(of_sequence, clock())


def decide_and_record(unit: Unit, customer_id: CustomerId, handled: int) -> Instruction:
    """Decides at the unit's time, and records; the answer for the sequence."""
    for _ in range(_MOST_ROUNDS):
        loaded = load(unit, customer_id)
        decision = decide(loaded.account, unit.now)
        record(unit, loaded, decision)
        if decision.kind is not Kind.ASSIGN:
            break
    return answer(unit, loaded, decision, handled)


def answer(
    unit: Unit,
    loaded: Loaded,
    decision: Decision,
    handled: int,
) -> Instruction:
    """The decision in the form for the sequence. ``until`` is on the engine's clock, which in a
    rehearsal may be a year away from the organisation's."""
    summary = write_sequence(unit, loaded, decision, handled)
    step = step_in(loaded, decision.step_key)
    return Instruction(
        state=decision.kind.value,
        until=unit.real + min(decision.at - unit.now, _LONGEST_SLEEP) if decision.at else None,
        then=decision.then.value if decision.then else None,
        carrying=decision.invoice_id,
        summary=summary[:190],
        label=_label(loaded, decision, step.name if step else ""),
        owes_nothing=decision.owes_nothing,
        look_up=decision.look_up,
    )


def _label(loaded: Loaded, decision: Decision, name: str) -> str:
    invoice = loaded.find_invoice(decision.invoice_id)
    return f"{name} · {invoice.number}"[:190] if invoice and name else ""


def no_such_customer(customer_id: str) -> Instruction:
    """The answer for a customer that is not in the database: the run may end."""
    return Instruction("rest", summary=f"no customer {customer_id}", owes_nothing=True)
