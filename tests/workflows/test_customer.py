"""The workflow alone: its timers and activities. A script answers in place of the activities."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.api.enums.v1 import EventType as E
from temporalio.exceptions import ApplicationError

from tests.cast.scripted import (
    Call,
    Clerk,
    day,
    rest,
    wait,
    working,
)
from tests.cast.skipping import Skipping
from workflows.contracts import LOOK_UP, REVIEW, Instruction

pytestmark = pytest.mark.services


EMAIL = "send_email"


SOON = timedelta(seconds=10)


def at(call: Call, when: datetime) -> bool:
    return abs(call.now - when) < SOON


async def test_each_email_takes_one_timer_and_one_activity(skipping: Skipping) -> None:
    """The decisions: an email on Tuesday 08:30, another on Friday 08:30, then rest."""
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


async def test_a_wake_up_without_a_channel_reviews_the_account(skipping: Skipping) -> None:
    """A pause ends at the start of Wednesday: the account is reviewed and nothing is sent."""
    wednesday = day("Wed 00:00")
    async with working(skipping, Clerk(wait(wednesday, then=None), rest())) as acme:
        await acme.begin()
        await acme.lives_until(day("Wed 01:00"))
        assert acme.clerk.names == [REVIEW, REVIEW]
        assert at(acme.clerk.calls[1], wednesday)


async def test_a_send_that_is_due_now_starts_no_timer(skipping: Skipping) -> None:
    """Either "send now", or a time that has already passed."""
    past = datetime.now(UTC) - timedelta(days=400)
    script = Clerk(Instruction("send", then="email", carrying="INV-1"), wait(past), rest())
    async with working(skipping, script) as acme:
        await acme.begin()
        await acme.clerk.called(3)
        assert acme.clerk.names == [REVIEW, EMAIL, EMAIL]
        assert E.EVENT_TYPE_TIMER_STARTED not in [e.event_type for e in await acme.events()]


async def test_three_sequences_send_on_time_over_ninety_days(skipping: Skipping) -> None:
    """Emails every second Tuesday for thirteen weeks, on three clocks at the same time."""
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


async def test_a_failing_activity_is_retried_until_it_succeeds(skipping: Skipping) -> None:
    """The database is down for two minutes: nothing is lost, and the run does not end."""
    script = Clerk(*[ConnectionError("no database")] * 4, wait(day("Tue 08:30")), rest())
    async with working(skipping, script) as acme:
        await acme.begin()
        await acme.lives_until(day("Tue 09:00"))
        assert acme.clerk.names == [REVIEW] * 5 + [EMAIL]
        await acme.is_sound()


async def test_a_retry_asked_for_by_a_provider_adds_no_event_to_the_history(
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


async def test_an_unknown_outcome_is_looked_up_by_its_own_activity(skipping: Skipping) -> None:
    """Unknown on Tuesday 08:30, looked up at 08:31 and found at 08:35; then Friday's reminder."""
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
