"""The sequence alone, on the real server and without a cache: a clerk with a script answers for the
activities, and weeks pass in a moment."""

from __future__ import annotations

import asyncio
import warnings
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.api.enums.v1 import EventType as E
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.workflow import UnfinishedSignalHandlersWarning

from tests.cast.scripted import (
    Call,
    Clerk,
    Sequence,
    await_owner,
    day,
    rest,
    until,
    wait,
    working,
)
from tests.cast.skipping import Skipping
from workflows.contracts import LINGER, LOOK_UP, REVIEW, ROLL_AT_EVENTS, Instruction, SequenceStart
from workflows.customer import CustomerSequence

pytestmark = pytest.mark.services

EMAIL = "send_email"
SOON = timedelta(seconds=10)


def at(call: Call, when: datetime) -> bool:
    return abs(call.now - when) < SOON


async def test_a_timer_and_then_one_activity(skipping: Skipping) -> None:
    """On Monday it is decided to write on Tuesday 08:30, then on Friday 08:30, then to rest."""
    tuesday, friday = day("Tue 08:30"), day("Fri 08:30")
    async with working(skipping, Clerk(wait(tuesday), wait(friday), rest())) as acme:
        await acme.begin()
        await acme.lives_until(day("Tue 08:00"))
        assert acme.clerk.names == [REVIEW]
        await acme.lives_until(day("Thu 12:00"))
        assert acme.clerk.names == [REVIEW, EMAIL]
        await acme.lives_until(day("Sun 12:00"))
        assert acme.clerk.names == [REVIEW, EMAIL, EMAIL]
        assert at(acme.clerk.calls[1], tuesday)
        assert at(acme.clerk.calls[2], friday)
        assert [c.handled for c in acme.clerk.calls] == [0, 0, 0]
        await acme.is_sound()


async def test_a_moment_without_a_channel_only_looks_again(skipping: Skipping) -> None:
    """A pause ends at the start of Wednesday: the account is reviewed, nothing is sent."""
    wednesday = day("Wed 00:00")
    async with working(skipping, Clerk(wait(wednesday, then=None), rest())) as acme:
        await acme.begin()
        await acme.lives_until(day("Wed 01:00"))
        assert acme.clerk.names == [REVIEW, REVIEW]
        assert at(acme.clerk.calls[1], wednesday)


async def test_what_is_due_at_once_is_sent_at_once(skipping: Skipping) -> None:
    """ "Send now", and a moment that is past already: no timer, no waiting."""
    past = datetime.now(UTC) - timedelta(days=400)
    script = Clerk(Instruction("send", then="email", carrying="INV-1"), wait(past), rest())
    async with working(skipping, script) as acme:
        await acme.begin()
        await acme.clerk.called(3)
        assert acme.clerk.names == [REVIEW, EMAIL, EMAIL]
        assert E.EVENT_TYPE_TIMER_STARTED not in [e.event_type for e in await acme.events()]


async def test_ninety_days_of_three_customers(skipping: Skipping) -> None:
    """Every second Tuesday for thirteen weeks, each customer on its own clock, side by side."""
    tuesdays = [day("Tue 08:30", week) for week in range(0, 14, 2)]

    async def a_quarter() -> list[datetime]:
        async with working(skipping, Clerk(*map(wait, tuesdays), rest())) as customer:
            await customer.begin()
            await customer.lives_until(day("Sun 12:00", 13))
            await customer.is_sound()
            return [call.now for call in customer.clerk.calls if call.name == EMAIL]

    for sent in await asyncio.gather(*(a_quarter() for _ in range(3))):
        assert len(sent) == len(tuesdays)
        assert all(abs(s - t) < SOON for s, t in zip(sent, tuesdays, strict=True))


# Messages.


async def test_a_payment_in_the_middle_of_a_sleep(skipping: Skipping) -> None:
    """The reminder is for Friday; on Wednesday the invoice is paid. Nothing is sent."""
    async with working(skipping, Clerk(wait(day("Fri 08:30")), rest())) as acme:
        await acme.begin()
        await acme.lives_until(day("Wed 11:00"))
        await acme.signal("payment", {"id": "P-7", "nudge": 12, "invoice": "INV-1"})
        told = await acme.clerk.called(2)
        assert told.name == REVIEW
        assert at(told, day("Wed 11:00"))
        assert [(m.signal, m.id, m.nudge, m.invoice) for m in told.messages] == [
            ("payment", "P-7", 12, "INV-1")
        ]
        await acme.lives_until(day("Mon 12:00", 1))
        assert acme.clerk.names == [REVIEW, REVIEW]
        await acme.is_sound()


async def test_messages_while_an_activity_runs_are_taken_together_after_it(
    skipping: Skipping,
) -> None:
    """The provider is slow; meanwhile Ben pauses the customer, and a payment comes in."""
    async with working(skipping, Clerk(wait(day("Tue 08:30")), wait(day("Fri 08:30")))) as acme:
        await acme.begin()
        await acme.clerk.called(1)
        acme.clerk.busy = asyncio.Event()
        living = asyncio.create_task(acme.lives_until(day("Tue 08:31")))
        await acme.clerk.called(2)
        await acme.signal("pause", {"who": "Ben"})
        await acme.signal("payment", {"id": "P-7"})
        assert acme.clerk.names == [REVIEW, EMAIL]
        acme.clerk.busy.set()
        told = await acme.clerk.called(3)
        assert (told.name, told.signals) == (REVIEW, ["pause", "payment"])
        await living
        await acme.is_sound()


async def test_pause_and_resume(skipping: Skipping) -> None:
    """Paused on Wednesday without an end; three weeks of silence; resumed on a Monday."""
    script = Clerk(wait(day("Fri 08:30")), rest(), wait(day("Tue 08:30", 3)), rest())
    async with working(skipping, script) as acme:
        await acme.begin()
        await acme.lives_until(day("Wed 10:00"))
        await acme.signal("pause", {"who": "Ben", "why": "moving house"})
        assert (await acme.clerk.called(2)).signals == ["pause"]
        await acme.lives_until(day("Mon 10:00", 3))
        assert len(acme.clerk.calls) == 2
        await acme.signal("resume", {"who": "Ben"})
        assert (await acme.clerk.called(3)).signals == ["resume"]
        await acme.lives_until(day("Wed 10:00", 3))
        assert acme.clerk.names == [REVIEW, REVIEW, REVIEW, EMAIL]


async def test_an_owner_is_waited_for_without_a_timer(skipping: Skipping) -> None:
    """Nothing happens for half a year, and costs nothing, until the owner completes the call."""
    script = Clerk(await_owner(), wait(day("Tue 08:30", 27)))
    async with working(skipping, script) as acme:
        await acme.begin()
        await acme.clerk.called(1)
        await until(lambda: _idle(acme))
        before = await acme.events()
        await acme.lives_until(day("Mon 10:00", 26))
        assert len(acme.clerk.calls) == 1
        grown = [e.event_type for e in (await acme.events())[len(before) :]]
        assert set(grown) <= _SKIPPING
        await acme.signal("complete", {"who": "Ben", "why": "talked to Eve"})
        told = await acme.clerk.called(2)
        assert [(m.signal, m.who, m.why) for m in told.messages] == [
            ("complete", "Ben", "talked to Eve")
        ]


async def test_a_rehearsals_clock_stands_for_the_timer(skipping: Skipping) -> None:
    """The clock reached the moment of the email: it is sent, with the number of the nudge."""
    async with working(skipping, Clerk(wait(day("Fri 08:30")), rest())) as acme:
        await acme.begin()
        await acme.clerk.called(1)
        await acme.signal("account_changed", {"clock": True, "nudge": 41})
        sent = await acme.clerk.called(2)
        assert (sent.name, sent.handled) == (EMAIL, 41)
        await acme.signal("account_changed", {"clock": True, "nudge": 42})
        told = await acme.clerk.called(3)
        assert (told.name, [m.nudge for m in told.messages]) == (REVIEW, [42])


async def test_a_clock_that_comes_with_news_looks_at_the_news(skipping: Skipping) -> None:
    async with working(skipping, Clerk(wait(day("Fri 08:30")), rest())) as acme:
        acme.clerk.busy = asyncio.Event()
        await acme.begin()
        await acme.clerk.called(1)
        await acme.signal("account_changed", {"clock": True, "nudge": 41})
        await acme.signal("payment", {"id": "P-7", "nudge": 42})
        acme.clerk.busy.set()
        told = await acme.clerk.called(2)
        assert (told.name, told.signals) == (REVIEW, ["account_changed", "payment"])


async def test_an_activity_that_fails_is_tried_until_it_succeeds(skipping: Skipping) -> None:
    """The database is away for two minutes: nothing is lost, and the run does not end."""
    script = Clerk(*[ConnectionError("no database")] * 4, wait(day("Tue 08:30")), rest())
    async with working(skipping, script) as acme:
        await acme.begin()
        await acme.lives_until(day("Tue 09:00"))
        assert acme.clerk.names == [REVIEW] * 5 + [EMAIL]
        await acme.is_sound()


async def test_not_now_of_a_provider_is_tried_again_without_another_event(
    skipping: Skipping,
) -> None:
    busy = ApplicationError("429", next_retry_delay=timedelta(minutes=20))
    async with working(skipping, Clerk(wait(day("Tue 08:30")), busy, busy, rest())) as acme:
        await acme.begin()
        await acme.lives_until(day("Tue 12:00"))
        assert acme.clerk.names == [REVIEW, EMAIL, EMAIL, EMAIL]
        kinds = Counter(e.event_type for e in await acme.events())
        assert kinds[E.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED] == 2
        assert kinds[E.EVENT_TYPE_ACTIVITY_TASK_COMPLETED] == 2


# What it answers when it is asked.


async def test_the_query_next_says_what_the_details_say_as_data(skipping: Skipping) -> None:
    friday = day("Fri 08:30")
    words = "Waiting until Friday · step 1 of 3 'Reminder one' (email) · INV-1"
    script = Clerk(wait(friday, summary=words, label="Reminder one · INV-1"), rest())
    async with working(skipping, script) as acme:
        acme.clerk.busy = asyncio.Event()
        await acme.begin()
        await acme.clerk.called(1)
        undecided = await acme.handle.query(CustomerSequence.next)
        assert (undecided.decided, undecided.next, undecided.unread) == (False, None, 0)
        assert (undecided.doing, undecided.since) == (REVIEW, acme.clerk.calls[0].now)
        assert undecided.summary.startswith("Looking at the account since ")
        await acme.signal("payment", {"id": "P-7"})

        async def unread() -> bool:
            return (await acme.handle.query(CustomerSequence.next)).unread == 1

        await until(unread)
        acme.clerk.busy.set()
        await acme.clerk.called(2)
        await until(lambda: _idle(acme))
        resting = await acme.handle.query(CustomerSequence.next)
        assert resting.decided
        assert resting.next == rest()
    async with working(skipping, Clerk(wait(friday, summary=words))) as acme:
        await acme.begin()

        async def decided() -> bool:
            return (await acme.handle.query(CustomerSequence.next)).decided

        await until(decided)
        asked = await acme.handle.query(CustomerSequence.next)
        assert asked.next == wait(friday, summary=words)
        assert (asked.summary, asked.doing, asked.since) == (words, "", None)
        # In the very form in which the command and the UI show it.
        raw = await acme.handle.query("next")
        assert raw["next"]["until"] == friday.isoformat().replace("+00:00", "Z")
        assert raw["next"]["then"] == "email"


async def test_a_send_that_fails_for_hours_does_not_look_like_the_sleep_before_it(
    skipping: Skipping,
) -> None:
    """The provider is away from Tuesday 08:30 on; at 10:00 somebody opens the run."""
    tuesday = day("Tue 08:30")
    away = ApplicationError("away", next_retry_delay=timedelta(minutes=10))
    planned = wait(tuesday, summary="Waiting until Tuesday", label="Reminder one · INV-1")
    async with working(skipping, Clerk(planned, away)) as acme:
        await acme.begin()
        await acme.lives_until(day("Tue 10:00"))
        told = await acme.handle.query(CustomerSequence.next)
        assert told.doing == EMAIL
        assert told.since is not None
        assert abs(told.since - tuesday) < SOON
        assert told.summary == (
            f"Sending since {told.since:%a %-d %b %Y %H:%M:%S} UTC · Reminder one · INV-1 · "
            "if this lasts, the error is under Pending Activities"
        )
        metadata = await acme.handle.query(
            "__temporal_workflow_metadata", result_type=WorkflowMetadata
        )
        assert metadata.current_details == told.summary
        await acme.is_sound()


# Runs: their ends and beginnings.


async def test_a_lost_answer_is_looked_up_by_an_activity_of_its_own(skipping: Skipping) -> None:
    """Unknown on Tuesday 08:30: asked at 08:31, at 08:35, found; then Friday's reminder."""
    tuesday, friday = day("Tue 08:30"), day("Fri 08:30")
    asked = [
        wait(tuesday + timedelta(minutes=m), look_up=True, summary=f"asking after {m}")
        for m in (1, 5)
    ]
    async with working(skipping, Clerk(wait(tuesday), *asked, wait(friday), rest())) as acme:
        await acme.begin()
        await acme.lives_until(day("Wed 12:00"))
        assert acme.clerk.names == [REVIEW, EMAIL, LOOK_UP, LOOK_UP]
        assert at(acme.clerk.calls[2], tuesday + timedelta(minutes=1))
        assert at(acme.clerk.calls[3], tuesday + timedelta(minutes=5))
        await acme.lives_until(day("Sat 12:00"))
        assert acme.clerk.names[4:] == [EMAIL]
        await acme.is_sound()


async def test_one_run_is_one_carrying_invoice(skipping: Skipping) -> None:
    """INV-1 is paid and INV-2 carries: the sequence goes on as another run, and still sends."""
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
        await until(lambda: _another_run(acme, first))
        await acme.lives_until(day("Fri 08:30"))
        # The new run took the answer over: it did not ask again.
        assert acme.clerk.names == [REVIEW, REVIEW, EMAIL]
        started = (await acme.events())[0].workflow_execution_started_event_attributes
        assert started.continued_execution_run_id == first
        (start,) = await acme.client.data_converter.decode(started.input.payloads, [SequenceStart])
        assert (start.carrying, start.customer_id) == ("INV-2", acme.customer)
        assert start.next.label == "1st reminder · INV-2"
        await acme.is_sound()


async def test_a_customer_with_nothing_carrying_for_a_while_stays_in_its_run(
    skipping: Skipping,
) -> None:
    """INV-1 is disputed, so nothing carries; it comes back: all of that is one run."""
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


async def test_a_long_history_goes_on_as_a_new_run(skipping: Skipping) -> None:
    """A chatty billing system: with its news the history passes 300 events."""
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
            await until(lambda: _idle(acme))
            assert sent < 600
        assert set(Counter(read(acme)).values()) == {1}
        run = acme.client.get_workflow_handle(acme.id, run_id=first)
        events = [e async for e in run.fetch_history_events()]
        assert events[-1].event_type == E.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
        assert ROLL_AT_EVENTS < len(events) < ROLL_AT_EVENTS + 100
        await acme.is_sound()


async def test_never_with_a_message_unread(skipping: Skipping) -> None:
    """The answer says INV-2 carries now; a message came while it was worked out: it is read first,
    in the same run, and the new run begins after it."""
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
        await until(lambda: _another_run(acme, first))
        run = acme.client.get_workflow_handle(acme.id, run_id=first)
        kinds = Counter([e.event_type async for e in run.fetch_history_events()])
        assert kinds[E.EVENT_TYPE_ACTIVITY_TASK_COMPLETED] == 3
        await acme.is_sound()


async def test_a_storm_of_messages_around_new_runs_loses_none(skipping: Skipping) -> None:
    """The carrying invoice changes with each answer, while two hundred messages come in."""
    script = Clerk(*(rest(carrying=f"INV-{n}") for n in range(400)))
    async with working(skipping, script, cached=10) as acme:
        await acme.begin()
        for hundred in range(0, 200, 20):
            sent = (acme.signal("account_changed", {"id": str(hundred + n)}) for n in range(20))
            await asyncio.gather(*sent)
        await until(lambda: len(read(acme)) == 200)
        assert set(Counter(read(acme)).values()) == {1}


async def test_a_customer_who_owes_nothing_is_forgotten_and_revived(skipping: Skipping) -> None:
    """Nothing is owed: after thirty quiet days the run ends. A new invoice begins another one."""
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


async def test_a_message_in_those_thirty_days_keeps_the_run(skipping: Skipping) -> None:
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


async def test_a_run_that_exists_is_signalled_not_started(skipping: Skipping) -> None:
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


async def test_a_new_worker_goes_on_where_the_old_one_ended(skipping: Skipping) -> None:
    """The worker is replaced on Wednesday, with all it had in its cache; Friday's email leaves."""
    clerk = Clerk(wait(day("Fri 08:30")), rest())
    async with working(skipping, clerk, cached=100) as acme:
        await acme.begin()
        await acme.lives_until(day("Wed 10:00"))
    async with working(skipping, clerk, cached=100, queue=acme.queue):
        await acme.lives_until(day("Fri 09:00"))
        await clerk.called(2)
        assert clerk.names == [REVIEW, EMAIL]
        await acme.is_sound()


async def test_a_handler_that_does_not_finish_would_be_an_error() -> None:
    with pytest.raises(UnfinishedSignalHandlersWarning):
        warnings.warn(UnfinishedSignalHandlersWarning("left open"), stacklevel=1)


_SKIPPING = {
    E.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
}


def read(sequence: Sequence) -> list[str]:
    """The ids of the messages that were read."""
    return [m.id for call in sequence.clerk.calls for m in call.messages]


async def _another_run(sequence: Sequence, first: str) -> bool:
    return await sequence.run_id() != first


async def _idle(sequence: Sequence) -> bool:
    """Nothing is under way: the last event is a workflow task that has been completed."""
    return (await sequence.events())[-1].event_type in (
        E.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
        E.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    )
