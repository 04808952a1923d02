"""The events and summaries in a sequence's history, with real activities on a real database."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import Engine
from temporalio.api.enums.v1 import EventType as E

from providers.port import Accepted, Ambiguous, Found, NotFound
from stand_ins.town import PARIS, PLAN, Provider, Town
from tests.cast.real_sequences import Run, living, monday, morning
from tests.cast.scripted import until
from tests.cast.skipping import Skipping
from workflows.contracts import ORGANISATION_ATTRIBUTE, STATE_ATTRIBUTE

pytestmark = pytest.mark.services

REMINDER = [
    E.EVENT_TYPE_TIMER_STARTED,
    E.EVENT_TYPE_TIMER_FIRED,
    E.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
    E.EVENT_TYPE_WORKFLOW_TASK_STARTED,
    E.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    E.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
    E.EVENT_TYPE_ACTIVITY_TASK_STARTED,
    E.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
    E.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
    E.EVENT_TYPE_WORKFLOW_TASK_STARTED,
    E.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
]


@pytest.fixture
def town(engine: Engine) -> Town:
    """Acme, whose INV-1 is due on the coming Monday."""
    town = Town(engine, Provider(), PLAN)
    town.customer()
    town.invoice("INV-1", monday())
    return town


async def test_a_reminder_adds_eleven_events_to_the_history_and_sleep_none(
    skipping: Skipping, town: Town, database_url: str
) -> None:
    """Three reminders, a week apart; between them the history does not grow."""
    run = Run(skipping, town, "acme")
    async with living(skipping, town, database_url):
        first = await run.asleep()
        # Started, signalled, a workflow task; the review and a task; the state, and the timer.
        assert len(first) == 2 + 3 + 3 + 3 + 2
        ends = [len(first)]
        for week in range(2):
            tuesday = morning(1 + 7 * week)
            await run.lives_until(tuesday - timedelta(minutes=1))
            assert len(await run.events()) == ends[-1], "sleeping is not free"
            assert len(town.provider.tried) == week
            await run.lives_until(tuesday + timedelta(minutes=1))
            await until(lambda: len(town.provider.tried) == week + 1)  # noqa: B023
            ends.append(len(await run.asleep()))
        assert [after - before for before, after in pairwise(ends)] == [11, 11]
        kinds = [e.event_type for e in await run.events()]
        # Exactly these events, from the start of the timer to the end of the last task.
        assert kinds[ends[0] - 1 : ends[1] - 1] == REMINDER
        assert kinds[ends[1] - 1 : ends[2] - 1] == REMINDER


async def test_summaries_and_attributes_of_a_run_say_what_it_waits_for(
    skipping: Skipping, town: Town, database_url: str
) -> None:
    run = Run(skipping, town, "acme")
    tuesday, second = morning(1).astimezone(PARIS), morning(8).astimezone(PARIS)
    async with living(skipping, town, database_url):
        events = await run.asleep()
        described = await run.handle.describe()
        assert described.id == f"dunning/{town.id}/{town.key_of('acme')}"
        assert await described.static_summary() == "Customer acme"
        attributes = {p.key.name: p.value for p in described.typed_search_attributes}
        assert attributes[ORGANISATION_ATTRIBUTE] == str(town.id)
        assert attributes[STATE_ATTRIBUTE] == "wait"
        words = (
            f"Waiting until {tuesday:%a %-d %b %Y %H:%M %Z} · step 1 of 3 'Reminder one' (email) "
            "· INV-1"
        )
        assert await run.details() == f"Customer acme: {words}"
        assert await run.summary_of(events[-1]) == words

        await run.lives_until(morning(2))
        events = await run.asleep()
        assert f"Waiting until {second:%a %-d %b %Y %H:%M %Z} · step 2 of 3" in await run.details()
        (review, sent) = [e for e in events if e.event_type == E.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED]
        assert await run.summary_of(review) == "look again: account_changed"
        assert await run.summary_of(sent) == "Reminder one · INV-1"


async def test_a_look_up_is_visible_in_the_history(
    skipping: Skipping, town: Town, database_url: str
) -> None:
    """The answer of Tuesday 08:30 is lost; the look-up of 08:31 finds nothing, that of 08:35 finds
    the message. The summaries of timers and activities say so."""
    town.provider.script = [Ambiguous("read timed out"), Accepted("")]
    town.provider.knows = [NotFound(), Found("sg-1")]
    run = Run(skipping, town, "acme")
    async with living(skipping, town, database_url):
        await run.asleep()
        await run.lives_until(morning(2))
        await until(lambda: ("one", "done") in town.actions())
        events = await run.asleep()
        words = [
            await run.summary_of(e)
            for e in events
            if e.event_type == E.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
        ]
        assert words[1:] == ["Reminder one · INV-1", *["look up: Reminder one · INV-1"] * 2]
        timers = [
            await run.summary_of(e) for e in events if e.event_type == E.EVENT_TYPE_TIMER_STARTED
        ]
        asked = f"Unknown whether it left: asking the provider {morning(1).astimezone(PARIS):%a}"
        assert [t.startswith(asked) for t in timers] == [False, True, True, False]
        assert len(town.provider.tried) == 1


async def test_the_run_of_the_next_carrying_invoice_still_names_its_customer(
    skipping: Skipping, town: Town, database_url: str
) -> None:
    """The SDK gives no static summary to a run started by continue-as-new, so the current details
    name the customer. Search attributes and priority are carried over by Temporal."""
    town.invoice("INV-2", monday() + timedelta(days=1), "250")
    run = Run(skipping, town, "acme")
    async with living(skipping, town, database_url):
        await run.asleep()
        first = (await run.events())[0].workflow_execution_started_event_attributes
        town.pay("INV-1")
        await until(run.carried_on)
        await run.asleep()
        assert await run.details() == (
            f"Customer acme: Waiting until {morning(2).astimezone(PARIS):%a %-d %b %Y %H:%M %Z} · "
            "step 1 of 3 'Reminder one' (email) · INV-2"
        )
        described = await run.handle.describe()
        attributes = {p.key.name: p.value for p in described.typed_search_attributes}
        assert attributes[ORGANISATION_ATTRIBUTE] == str(town.id)
        assert attributes[STATE_ATTRIBUTE] == "wait"
        second = (await run.events())[0].workflow_execution_started_event_attributes
        assert second.priority.fairness_key == first.priority.fairness_key == str(town.id)
        await run.lives_until(morning(3))
        await until(lambda: len(town.provider.tried) == 1)
        assert town.provider.tried[0].subject == "INV-2: €250.00 open"
