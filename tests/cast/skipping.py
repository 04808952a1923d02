"""The SDK's experimental time skipping, which only this file uses.

Each workflow that is started through ``Skipping.client`` has a clock of its own. It follows the
real clock until a test skips; timers and retry delays skip with it. Activities run on the real
clock and take the workflow's time from their input.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from temporalio.client import Client
from temporalio.testing import TimeSkipper, TimeSkippingConfig

#: By default the server stops skipping after 200 skips, without an error.
_MANY = 100_000


class Skipping:
    def __init__(self, client: Client) -> None:
        config = TimeSkippingConfig(enabled=False, max_session_skip_count=_MANY)
        self._skipper = TimeSkipper(client, config=config)
        self.client = self._skipper.client

    async def now(self, workflow_id: str) -> datetime:
        """The time on the clock of a sequence."""
        return await self._skipper.get_current_time(self.client.get_workflow_handle(workflow_id))

    async def until(self, workflow_id: str, when: datetime) -> None:
        """Skip to then, through all runs of the sequence; what is due on the way happens."""
        left = when.astimezone(UTC) - await self.now(workflow_id)
        assert left > timedelta(0), f"{when} is past"
        handle = self.client.get_workflow_handle(workflow_id)
        assert await self._skipper.fast_forward(handle, left), "the sequence has ended on the way"

    async def to_its_end(self, workflow_id: str) -> None:
        """Skip until the current run ends."""
        await self._skipper.fast_forward(self.client.get_workflow_handle(workflow_id))
