"""The workflow alone: its signals."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from temporalio.api.enums.v1 import EventType as E

from tests.cast.scripted import (
    Call,
    Clerk,
    await_owner,
    day,
    rest,
    until,
    wait,
    working,
)
from tests.cast.skipping import Skipping
from workflows.contracts import REVIEW

pytestmark = pytest.mark.services


EMAIL = "send_email"


SOON = timedelta(seconds=10)


def at(call: Call, when: datetime) -> bool:
    return abs(call.now - when) < SOON


async def test_a_payment_wakes_a_sleeping_sequence(skipping: Skipping) -> None:
    """The reminder is planned for Friday and the invoice is paid on Wednesday: nothing is sent."""
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


async def test_signals_during_an_activity_are_reviewed_together_after_it(
    skipping: Skipping,
) -> None:
    """The provider is slow. During the call Ben pauses the customer, and a payment is reported."""
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


async def test_a_paused_sequence_sleeps_until_it_is_resumed(skipping: Skipping) -> None:
    """Paused on Wednesday without an end, and resumed on a Monday three weeks later."""
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


async def test_waiting_for_an_owner_starts_no_timer(skipping: Skipping) -> None:
    """For half a year no event is added, until the owner completes the call."""
    script = Clerk(await_owner(), wait(day("Tue 08:30", 27)))
    async with working(skipping, script) as acme:
        await acme.begin()
        await acme.clerk.called(1)
        await until(acme.idle)
        before = await acme.events()
        await acme.lives_until(day("Mon 10:00", 26))
        assert len(acme.clerk.calls) == 1
        grown = [e.event_type for e in (await acme.events())[len(before) :]]
        assert set(grown) <= SKIPPING
        await acme.signal("complete", {"who": "Ben", "why": "talked to Eve"})
        told = await acme.clerk.called(2)
        assert [(m.signal, m.who, m.why) for m in told.messages] == [
            ("complete", "Ben", "talked to Eve")
        ]


async def test_moving_a_rehearsals_clock_to_the_due_time_sends_the_email(
    skipping: Skipping,
) -> None:
    """The clock reached the time of the email: it is sent, with the number of the nudge."""
    async with working(skipping, Clerk(wait(day("Fri 08:30")), rest())) as acme:
        await acme.begin()
        await acme.clerk.called(1)
        await acme.signal("account_changed", {"clock": True, "nudge": 41})
        sent = await acme.clerk.called(2)
        assert (sent.name, sent.handled) == (EMAIL, 41)
        await acme.signal("account_changed", {"clock": True, "nudge": 42})
        told = await acme.clerk.called(3)
        assert (told.name, [m.nudge for m in told.messages]) == (REVIEW, [42])


async def test_moving_a_rehearsals_clock_with_a_payment_causes_a_review(skipping: Skipping) -> None:
    async with working(skipping, Clerk(wait(day("Fri 08:30")), rest())) as acme:
        acme.clerk.busy = asyncio.Event()
        await acme.begin()
        await acme.clerk.called(1)
        await acme.signal("account_changed", {"clock": True, "nudge": 41})
        await acme.signal("payment", {"id": "P-7", "nudge": 42})
        acme.clerk.busy.set()
        told = await acme.clerk.called(2)
        assert (told.name, told.signals) == (REVIEW, ["account_changed", "payment"])


SKIPPING = {
    E.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
}
