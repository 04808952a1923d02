"""The one file that knows the experimental time skipping of the SDK.

Each sequence started through ``Skipping.client`` has a clock of its own, which stands at the real
time until it is told to skip; timers and retry delays are skipped with it. Activities keep the real
clock: they take the sequence's from their input.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from temporalio.client import Client
from temporalio.testing import TimeSkipper, TimeSkippingConfig

#: The server's own limit is 200 skips, after which it stops without a word.
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
        """Let a sequence live until then, through all its runs; what falls due happens."""
        left = when.astimezone(UTC) - await self.now(workflow_id)
        assert left > timedelta(0), f"{when} is past"
        handle = self.client.get_workflow_handle(workflow_id)
        assert await self._skipper.fast_forward(handle, left), "the sequence has ended on the way"

    async def to_its_end(self, workflow_id: str) -> None:
        """Let a run live until it ends."""
        await self._skipper.fast_forward(self.client.get_workflow_handle(workflow_id))
