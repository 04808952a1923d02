"""Orphaned claims: an attempt that ended between its claim and its record, or whose answer is
late."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from messages.message import Message
from providers.port import Accepted, Result
from stand_ins.town import late
from tests.cast.first_reminder import (
    Died,
    delivery,
    due_today,
)

pytestmark = pytest.mark.services


def test_after_a_crash_an_idempotent_provider_gets_the_stored_message_again(
    engine: Engine,
) -> None:
    """The worker dies during the call. The next one waits for the deadline of the claim, then sends
    the stored message again unchanged, although the balance has changed."""
    town = due_today(engine, Died(), Accepted("x"), idempotent=True)
    with pytest.raises(Died):
        town.send()
    assert delivery(town).status == "sending"
    with pytest.raises(ApplicationError) as busy:
        town.send()
    assert busy.value.category is ApplicationErrorCategory.BENIGN
    assert busy.value.next_retry_delay is not None
    assert timedelta(seconds=20) < busy.value.next_retry_delay <= timedelta(seconds=27)
    assert len(town.provider.tried) == 1
    town.pay("INV-1", "40")
    late(town)
    assert town.send().state == "wait"
    first, second = town.provider.tried
    assert first == second
    assert town.actions() == [("one", "done")]
    assert delivery(town).status == "accepted"


def test_after_a_crash_a_message_to_a_provider_without_idempotency_is_in_doubt(
    engine: Engine,
) -> None:
    """Nobody knows whether it left: its owner must say."""
    town = due_today(engine, Died(), Accepted("x"))
    with pytest.raises(Died):
        town.send()
    with pytest.raises(ApplicationError):
        town.send()
    late(town)
    assert town.send().look_up
    assert len(town.provider.tried) == 1
    assert town.actions() == [("one", "sending")]
    (told,) = town.timeline("action_unknown")
    assert told.startswith(
        "'Reminder one': unknown whether it left, the provider is asked: the program ended"
    )


def test_a_review_during_a_claim_waits_for_the_outcome(engine: Engine) -> None:
    """The signal of a payment comes while the claim is open: the review waits for its deadline."""
    town = due_today(engine, Died())
    with pytest.raises(Died):
        town.send()
    town.pay("INV-1")
    coming = town.review()
    assert (coming.state, coming.then) == ("wait", "email")
    late(town)
    assert town.send().look_up  # it may have left, so the claim is kept


def test_an_exception_raised_by_a_channel_is_treated_as_a_crash(engine: Engine) -> None:
    """A channel raises for no transport error; one that raises has a bug, which must not send
    twice."""
    town = due_today(engine, ZeroDivisionError(), Accepted("x"))
    with pytest.raises(ZeroDivisionError):
        town.send()
    late(town)
    assert town.send().look_up
    assert len(town.provider.tried) == 1


class Slow:
    """A provider that answers only when the test releases it."""

    def __init__(self) -> None:
        self.called, self.go = threading.Event(), threading.Event()

    def __call__(self, message: Message) -> Result:
        self.called.set()
        assert self.go.wait(20)
        return Accepted("of the zombie")


@pytest.mark.parametrize("idempotent", [True, False])
def test_a_late_answer_to_a_claim_that_was_taken_over_causes_no_second_send(
    engine: Engine, idempotent: bool
) -> None:
    """The first attempt hangs beyond its deadline and a second takes over. The late answer of the
    first is recorded unless the second already has an outcome."""
    slow = Slow()
    town = due_today(engine, slow, Accepted("of the successor"), idempotent=idempotent)
    with ThreadPoolExecutor(1) as pool:
        zombie = pool.submit(town.send)
        assert slow.called.wait(20)
        late(town)
        coming = town.send()
        slow.go.set()
        zombie.result(20)
    row = delivery(town)
    if idempotent:
        assert coming.state == "wait"
        assert (row.status, row.provider_id) == ("accepted", "of the successor")
        assert town.actions() == [("one", "done")]
        assert len(town.timeline("action_done")) == 1
    else:
        assert coming.look_up
        assert (row.status, row.provider_id) == ("accepted", "of the zombie")
        assert town.actions() == [("one", "done")]
        assert len(town.provider.tried) == 1
    assert town.review().state == "wait"


def test_two_concurrent_attempts_send_once(engine: Engine) -> None:
    """The same activity runs twice, on two workers, in the same second."""
    town = due_today(engine)
    gate = threading.Barrier(2)

    def attempt() -> str:
        gate.wait(20)
        try:
            return town.send().state
        except ApplicationError:
            return "busy"

    with ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            states = [pool.submit(attempt), pool.submit(attempt)]
            assert {s.result(20) for s in states} <= {"wait", "busy"}
    assert len(town.provider.tried) == 1
    assert town.actions() == [("one", "done")]
