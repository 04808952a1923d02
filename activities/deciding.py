"""Load, decide, record, until nothing is left to do at this instant; then say what is next."""

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

#: An ``assign`` is followed by another decision; more of them in a row would be a broken rule.
_MOST_ROUNDS = 20
#: A pause may last until the year 9999; the engine's calendar ends there too. It looks again then.
_LONGEST_SLEEP = timedelta(days=3650)


#: How long an activity waits for a lock. Whoever holds the customer for longer (an import of a
#: whole book does) must not hold our threads as well.
LOCK_TIMEOUT = timedelta(seconds=3)


@contextmanager
def working(engine: Engine) -> Iterator[Session]:
    """The transaction of an activity before anything has left. Somebody else holds what it needs:
    Temporal tries it again later, and others have its thread."""
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
    """The time of an activity: the sequence's, or the real one where a queue or an outage made it
    late, so that what was due in the morning is not sent in the night (rule 21)."""
    return max(of_sequence, clock())


def decide_and_record(unit: Unit, customer_id: CustomerId, handled: int) -> Instruction:
    """Decide at the unit's time, record, and answer the sequence."""
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
    """The decision as the sequence reads it. ``until`` is on the engine's clock: a rehearsal's own
    clock may be a year away from it."""
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


def nobody(customer_id: str) -> Instruction:
    """A customer that the database does not know: the run may end."""
    return Instruction("rest", summary=f"no customer {customer_id}", owes_nothing=True)
