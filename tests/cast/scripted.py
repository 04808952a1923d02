"""The workflow alone: activities that answer from a script, and weekdays by name."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from activities.workers import sandbox
from tests.cast.skipping import Skipping
from workflows.contracts import (
    LOOK_UP,
    REVIEW,
    SEND,
    Instruction,
    ReviewInput,
    SendInput,
    SequenceStart,
    Signal,
    channel_queue,
    workflow_id,
)
from workflows.customer import CustomerSequence

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_PATIENCE = 20.0  # seconds


def day(text: str, week: int = 0) -> datetime:
    """ "Tue 08:30" (UTC) of the coming week, or so many weeks later."""
    name, _, clock = text.partition(" ")
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    monday = today + timedelta(days=7 - today.weekday(), weeks=week)
    hour, minute = map(int, clock.split(":"))
    return monday + timedelta(days=_DAYS.index(name), hours=hour, minutes=minute)


async def until(
    what: Callable[[], bool | Awaitable[bool]], within: float = _PATIENCE, every: float = 0.01
) -> None:
    """Poll until it is true; fail if it is not true within that many seconds."""
    deadline = time.monotonic() + within
    while True:
        found = what()
        if found if isinstance(found, bool) else await found:
            return
        assert time.monotonic() < deadline, "did not happen in time"
        await asyncio.sleep(every)


# Answers for scripts.


def wait(when: datetime, **more: Any) -> Instruction:
    """The answer to wait until then, and by default to send an email."""
    told: dict[str, Any] = {"until": when, "then": "email", "carrying": "INV-1", **more}
    return Instruction("wait", **told)


def await_owner(**more: Any) -> Instruction:
    return Instruction(
        "await_owner", **({"carrying": "INV-1", "summary": "Waiting for its owner"} | more)
    )


def rest(**more: Any) -> Instruction:
    return Instruction("rest", **({"summary": "Resting"} | more))


@dataclass
class Call:
    """A call of an activity: its name, the workflow's time, and its input."""

    name: str
    now: datetime
    messages: list[Signal] = field(default_factory=list)
    handled: int = 0

    @property
    def signals(self) -> list[str]:
        return [m.signal for m in self.messages]


class Clerk:
    """Stands in for the activities: answers each call with the next entry of its script; the last
    entry is repeated. While ``busy`` is an event that is not set, calls wait for it."""

    def __init__(self, *script: Instruction | Exception) -> None:
        self.script = list(script)
        self.calls: list[Call] = []
        self.busy: asyncio.Event | None = None

    @activity.defn(name=REVIEW)
    async def review(self, order: ReviewInput) -> Instruction:
        return await self._answer(Call(REVIEW, order.now, order.messages))

    @activity.defn(name=SEND["email"])
    async def send_email(self, order: SendInput) -> Instruction:
        return await self._answer(Call(SEND["email"], order.now, handled=order.handled))

    @activity.defn(name=LOOK_UP)
    async def look_up(self, order: SendInput) -> Instruction:
        return await self._answer(Call(LOOK_UP, order.now, handled=order.handled))

    async def _answer(self, call: Call) -> Instruction:
        self.calls.append(call)
        if self.busy is not None:
            await self.busy.wait()
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def names(self) -> list[str]:
        return [call.name for call in self.calls]

    async def called(self, times: int) -> Call:
        """Wait for that many calls; returns the last of them."""
        await until(lambda: len(self.calls) >= times)
        return self.calls[times - 1]


class Sequence:
    """The sequence of Acme with a clerk's activities, on a clock that skips time."""

    def __init__(self, skipping: Skipping, clerk: Clerk, queue: str) -> None:
        self.skipping, self.clerk, self.queue = skipping, clerk, queue
        self.customer = str(uuid.uuid4())
        self.id = workflow_id("amber", self.customer)
        self.start = SequenceStart("amber", self.customer, queue)

    @property
    def client(self) -> Client:
        return self.skipping.client

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        """The handle of the current run."""
        return self.client.get_workflow_handle(self.id)

    async def begin(self, **more: Any) -> None:
        await self.client.start_workflow(
            CustomerSequence.run, self.start, id=self.id, task_queue=self.queue, **more
        )

    async def lives_until(self, when: datetime) -> None:
        await self.skipping.until(self.id, when)

    async def signal(self, name: str, *payload: Any) -> None:
        await self.handle.signal(name, *payload)

    async def run_id(self) -> str:
        return str((await self.handle.describe()).run_id)

    async def events(self) -> list[HistoryEvent]:
        return [e async for e in self.handle.fetch_history_events()]

    async def idle(self) -> bool:
        """Whether the last event is a workflow task that was completed."""
        return (await self.events())[-1].event_type in (
            EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
            EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
        )

    async def status(self) -> str:
        status = (await self.handle.describe()).status
        assert status is not None
        return status.name

    async def is_sound(self) -> None:
        """Check that no workflow task of the current run has failed."""
        bad = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
        failed = [e for e in await self.events() if e.event_type == bad]
        assert failed == []


@asynccontextmanager
async def working(
    skipping: Skipping, clerk: Clerk, *, cached: int = 0, queue: str = ""
) -> AsyncIterator[Sequence]:
    """Workers as in production, but without a cache, so that each workflow task replays the whole
    history."""
    queue = queue or f"test-{uuid.uuid4().hex[:8]}"
    async with (
        Worker(
            skipping.client,
            task_queue=queue,
            workflows=[CustomerSequence],
            activities=[clerk.review],
            workflow_runner=sandbox(),
            max_cached_workflows=cached,
        ),
        Worker(
            skipping.client,
            task_queue=channel_queue(queue, "email"),
            activities=[clerk.send_email, clerk.look_up],
        ),
    ):
        yield Sequence(skipping, clerk, queue)
