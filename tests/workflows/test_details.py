"""The workflow alone: its current details and its query."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.exceptions import ApplicationError

from tests.cast.scripted import (
    Clerk,
    day,
    rest,
    until,
    wait,
    working,
)
from tests.cast.skipping import Skipping
from workflows.contracts import REVIEW
from workflows.customer import CustomerSequence

pytestmark = pytest.mark.services


EMAIL = "send_email"


SOON = timedelta(seconds=10)


async def test_the_query_next_has_the_current_details_as_data(skipping: Skipping) -> None:
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
        await until(acme.idle)
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
        # The raw form, which the command line and the UI show.
        raw = await acme.handle.query("next")
        assert raw["next"]["until"] == friday.isoformat().replace("+00:00", "Z")
        assert raw["next"]["then"] == "email"


async def test_the_details_show_since_when_a_send_fails(
    skipping: Skipping,
) -> None:
    """The provider is down from Tuesday 08:30 on; the run is opened in the UI at 10:00."""
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
