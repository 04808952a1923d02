"""The workflow alone: when a run ends and the next one begins."""

from __future__ import annotations

import asyncio
import warnings
from collections import Counter
from datetime import timedelta

import pytest
from temporalio.api.enums.v1 import EventType as E
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.workflow import UnfinishedSignalHandlersWarning

from tests.cast.scripted import (
    Clerk,
    Sequence,
    day,
    rest,
    until,
    wait,
    working,
)
from tests.cast.skipping import Skipping
from workflows.contracts import LINGER, REVIEW, ROLL_AT_EVENTS, SequenceStart

pytestmark = pytest.mark.services


EMAIL = "send_email"


async def test_another_carrying_invoice_continues_as_new(skipping: Skipping) -> None:
    """INV-1 is paid and INV-2 carries: the sequence continues as a new run, and still sends."""
    script = Clerk(
        wait(day("Tue 08:30")),
        wait(day("Thu 08:30"), carrying="INV-2", label="1st reminder · INV-2"),
        rest(carrying="INV-2"),
    )
    async with working(skipping, script) as acme:
        await acme.begin()
        await acme.clerk.called(1)
        first = await acme.run_id()
        await acme.signal("payment", {"id": "P-7"})
        await acme.clerk.called(2)
        await until(lambda: another_run(acme, first))
        await acme.lives_until(day("Fri 08:30"))
        # The new run was given the decision and made no review of its own.
        assert acme.clerk.names == [REVIEW, REVIEW, EMAIL]
        started = (await acme.events())[0].workflow_execution_started_event_attributes
        assert started.continued_execution_run_id == first
        (start,) = await acme.client.data_converter.decode(started.input.payloads, [SequenceStart])
        assert (start.carrying, start.customer_id) == ("INV-2", acme.customer)
        assert start.next.label == "1st reminder · INV-2"
        await acme.is_sound()


async def test_an_invoice_that_carries_again_stays_in_the_same_run(
    skipping: Skipping,
) -> None:
    """INV-1 is disputed, so no invoice carries, and then carries again: all in one run."""
    script = Clerk(wait(day("Tue 08:30")), rest(), wait(day("Thu 08:30")), rest())
    async with working(skipping, script) as acme:
        await acme.begin()
        await acme.clerk.called(1)
        first = await acme.run_id()
        await acme.signal("account_changed", {"why": "disputed"})
        await acme.clerk.called(2)
        await acme.signal("account_changed", {"why": "settled"})
        await acme.clerk.called(3)
        await acme.lives_until(day("Fri 08:30"))
        assert acme.clerk.names == [REVIEW, REVIEW, REVIEW, EMAIL]
        assert await acme.run_id() == first


async def test_a_long_history_continues_as_new(skipping: Skipping) -> None:
    """Billing reports so often that the history exceeds 300 events."""
    async with working(skipping, Clerk(rest(carrying="INV-1")), cached=10) as acme:
        await acme.begin()
        await acme.clerk.called(1)
        first = await acme.run_id()
        sent = 0
        while await acme.run_id() == first:
            batch = range(sent, sent + 60)
            await asyncio.gather(*(acme.signal("account_changed", {"id": str(n)}) for n in batch))
            sent += 60
            await until(lambda: len(read(acme)) == sent)  # noqa: B023
            await until(acme.idle)
            assert sent < 600
        assert set(Counter(read(acme)).values()) == {1}
        run = acme.client.get_workflow_handle(acme.id, run_id=first)
        events = [e async for e in run.fetch_history_events()]
        assert events[-1].event_type == E.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
        assert ROLL_AT_EVENTS < len(events) < ROLL_AT_EVENTS + 100
        await acme.is_sound()


async def test_a_run_never_continues_as_new_with_an_unread_signal(skipping: Skipping) -> None:
    """INV-2 carries now, and a signal came during the review: it is read first, in the same run,
    and the new run begins after it."""
    script = Clerk(wait(day("Tue 08:30")), rest(carrying="INV-2"), rest(carrying="INV-2"))
    async with working(skipping, script) as acme:
        await acme.begin()
        await acme.clerk.called(1)
        first = await acme.run_id()
        acme.clerk.busy = asyncio.Event()
        await acme.signal("payment", {"id": "P-7"})
        await acme.clerk.called(2)
        await acme.signal("resume", {"id": "late"})
        acme.clerk.busy.set()
        told = await acme.clerk.called(3)
        assert [m.id for m in told.messages] == ["late"]
        await until(lambda: another_run(acme, first))
        run = acme.client.get_workflow_handle(acme.id, run_id=first)
        kinds = Counter([e.event_type async for e in run.fetch_history_events()])
        assert kinds[E.EVENT_TYPE_ACTIVITY_TASK_COMPLETED] == 3
        await acme.is_sound()


async def test_no_signal_is_lost_while_runs_continue_as_new(skipping: Skipping) -> None:
    """The carrying invoice changes with each review, while two hundred signals come in."""
    script = Clerk(*(rest(carrying=f"INV-{n}") for n in range(400)))
    async with working(skipping, script, cached=10) as acme:
        await acme.begin()
        for hundred in range(0, 200, 20):
            sent = (acme.signal("account_changed", {"id": str(hundred + n)}) for n in range(20))
            await asyncio.gather(*sent)
        await until(lambda: len(read(acme)) == 200)
        assert set(Counter(read(acme)).values()) == {1}


async def test_the_run_ends_after_thirty_days_without_debt_and_a_signal_starts_another(
    skipping: Skipping,
) -> None:
    """Nothing is owed, so the run ends after thirty days without a signal. A new invoice starts
    another run."""
    script = Clerk(rest(owes_nothing=True), wait(day("Tue 08:30", 8)), rest())
    async with working(skipping, script) as acme:
        await acme.begin()
        await acme.clerk.called(1)
        born = await acme.skipping.now(acme.id)
        await acme.lives_until(born + LINGER - timedelta(days=1))
        assert await acme.status() == "RUNNING"
        first = acme.client.get_workflow_handle(acme.id, run_id=await acme.run_id())
        await acme.skipping.to_its_end(acme.id)
        assert await first.result() == "owes nothing"
        assert acme.clerk.names == [REVIEW]

        await acme.begin(
            start_signal="account_changed",
            start_signal_args=[{"nudge": 9, "why": "INV-2"}],
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        # The signal that started it is read in its first review.
        assert [m.nudge for m in (await acme.clerk.called(2)).messages] == [9]
        await acme.lives_until(day("Wed 08:30", 8))
        assert await acme.status() == "RUNNING"
        assert acme.clerk.names == [REVIEW, REVIEW, EMAIL]
        await acme.is_sound()


async def test_a_signal_within_thirty_days_keeps_the_run(skipping: Skipping) -> None:
    script = Clerk(rest(owes_nothing=True), wait(day("Tue 08:30", 9)), rest())
    async with working(skipping, script) as acme:
        await acme.begin()
        await acme.clerk.called(1)
        born = await acme.skipping.now(acme.id)
        await acme.lives_until(born + timedelta(days=20))
        await acme.signal("account_changed", {"why": "INV-2"})
        await acme.clerk.called(2)
        await acme.lives_until(day("Wed 08:30", 9))
        assert acme.clerk.names == [REVIEW, REVIEW, EMAIL]


async def test_signal_with_start_signals_a_sequence_that_already_runs(skipping: Skipping) -> None:
    async with working(skipping, Clerk(wait(day("Fri 08:30")))) as acme:
        await acme.begin()
        await acme.clerk.called(1)
        first = await acme.run_id()
        await acme.begin(
            start_signal="payment",
            start_signal_args=[{"id": "P-7"}],
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        assert (await acme.clerk.called(2)).signals == ["payment"]
        assert await acme.run_id() == first


async def test_a_new_worker_continues_the_run_of_the_old_one(skipping: Skipping) -> None:
    """The worker and its cache are replaced on Wednesday; Friday's email is sent."""
    clerk = Clerk(wait(day("Fri 08:30")), rest())
    async with working(skipping, clerk, cached=100) as acme:
        await acme.begin()
        await acme.lives_until(day("Wed 10:00"))
    async with working(skipping, clerk, cached=100, queue=acme.queue):
        await acme.lives_until(day("Fri 09:00"))
        await clerk.called(2)
        assert clerk.names == [REVIEW, EMAIL]
        await acme.is_sound()


async def test_the_warning_about_an_unfinished_handler_is_an_error_in_tests() -> None:
    with pytest.raises(UnfinishedSignalHandlersWarning):
        warnings.warn(UnfinishedSignalHandlersWarning("left open"), stacklevel=1)


def read(sequence: Sequence) -> list[str]:
    """The ids of the messages that were read."""
    return [m.id for call in sequence.clerk.calls for m in call.messages]


async def another_run(sequence: Sequence, first: str) -> bool:
    return await sequence.run_id() != first
