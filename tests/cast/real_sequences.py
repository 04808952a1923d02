"""Real sequences with real activities on a real database, on a clock that skips time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType as E
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from activities.options import WorkerOptions
from activities.outbox_channels import outbox_channels
from activities.running import running
from dunning.plan import ActionType
from stand_ins.town import PARIS, Town
from tests.cast.scripted import until
from tests.cast.skipping import Skipping
from workflows.contracts import workflow_id

#: Events that time skipping adds to a history.
SKIPPING = {
    E.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
}


def monday() -> date:
    """The coming Monday, in Paris."""
    today = datetime.now(PARIS).date()
    return today + timedelta(days=7 - today.weekday())


def morning(days: int, clock: str = "08:30") -> datetime:
    """A time of that many days after the coming Monday."""
    hour, minute = map(int, clock.split(":"))
    local = datetime.combine(monday(), datetime.min.time(), PARIS) + timedelta(days=days)
    return local.replace(hour=hour, minute=minute).astimezone(UTC)


class Run:
    """The sequence of one customer, as the Temporal UI shows it."""

    def __init__(self, skipping: Skipping, town: Town, customer: str) -> None:
        self.skipping = skipping
        self.id = workflow_id(str(town.id), str(town.key_of(customer)))

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.skipping.client.get_workflow_handle(self.id)

    async def lives_until(self, when: datetime) -> None:
        await self.skipping.until(self.id, when)

    async def events(self) -> Sequence[HistoryEvent]:
        """The history without the events of time skipping."""
        every = [e async for e in self.handle.fetch_history_events()]
        return [e for e in every if e.event_type not in SKIPPING]

    async def asleep(self) -> Sequence[HistoryEvent]:
        """Wait until it has started and waits for a timer; returns its history."""

        async def timed() -> bool:
            events = await self.events()
            return bool(events[-1].event_type == E.EVENT_TYPE_TIMER_STARTED)

        await self._until(timed)
        return await self.events()

    async def carried_on(self) -> bool:
        """Whether the current run was started by continue-as-new."""
        started = (await self.events())[0].workflow_execution_started_event_attributes
        return bool(started.continued_execution_run_id)

    async def details(self) -> str:
        found = await self.handle.query(
            "__temporal_workflow_metadata", result_type=WorkflowMetadata
        )
        return str(found.current_details)

    async def says(self, words: str) -> None:
        """Wait until the current details contain these words."""

        async def said() -> bool:
            return words in await self.details()

        await self._until(said)

    async def _until(self, what: Callable[[], Awaitable[bool]]) -> None:
        """Wait until it is true; the sequence may not have started yet."""

        async def so() -> bool:
            try:
                return await what()
            except RPCError as e:
                if e.status is not RPCStatusCode.NOT_FOUND:
                    raise
                return False

        await until(so)

    async def runs(self) -> list[WorkflowHandle[Any, Any]]:
        """Every run of the sequence, oldest first."""
        client, found = self.skipping.client, list[WorkflowHandle[Any, Any]]()
        described = await self.handle.describe()
        run_id: str | None = described.run_id
        while run_id:
            one = client.get_workflow_handle(self.id, run_id=run_id)
            found.insert(0, one)
            async for event in one.fetch_history_events():
                run_id = (
                    event.workflow_execution_started_event_attributes.continued_execution_run_id
                )
                break
        return found

    async def summary_of(self, event: HistoryEvent) -> str:
        converter = self.skipping.client.data_converter
        (text,) = await converter.decode([event.user_metadata.summary], [str])
        return str(text)


@asynccontextmanager
async def living(skipping: Skipping, town: Town, url: str) -> AsyncIterator[None]:
    channels = {**outbox_channels(town.engine, None), ActionType.EMAIL: town.provider}
    queue = f"test-{town.id}"
    options = WorkerOptions(task_queue=queue, threads=4, cached=100)
    async with running(skipping.client, town.engine, url, channels, options):
        yield
