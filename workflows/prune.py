"""The daily pruning: one activity, started by a Temporal Schedule."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from workflows.contracts import PRUNE, PRUNE_ACTIVITY

#: The activity sends a heartbeat after each batch, so that a dead worker is replaced.
_BEAT = timedelta(minutes=5)
_LONGEST = timedelta(hours=6)


@workflow.defn(name=PRUNE)
class Prune:
    @workflow.run
    async def run(self) -> dict[str, int]:
        """How many of each were deleted."""
        done: dict[str, int] = await workflow.execute_activity(
            PRUNE_ACTIVITY,
            result_type=dict[str, int],
            start_to_close_timeout=_LONGEST,
            heartbeat_timeout=_BEAT,
            retry_policy=RetryPolicy(maximum_attempts=5),
        )
        return done
