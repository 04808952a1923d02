"""``prune``: the daily pruning as an activity, and the Schedule that starts it."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine
from temporalio import activity
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
)

from activities.deciding import Clock, real_clock
from backoffice.pruning.daily import Ages, prune
from workflows.contracts import PRUNE, PRUNE_ACTIVITY

_log = logging.getLogger(__name__)


class Pruning:
    """``folder``: of the outbox on this machine."""

    def __init__(
        self, engine: Engine, ages: Ages, folder: Path | None = None, real: Clock = real_clock
    ) -> None:
        self._engine = engine
        self._ages = ages
        self._folder = folder
        self._clock = real

    @activity.defn(name=PRUNE_ACTIVITY)
    def prune(self) -> dict[str, int]:
        """Delete what is old enough; returns how many of each. It may run any number of times."""
        done = prune(self._engine, self._ages, self._clock(), self._folder, beat=activity.heartbeat)
        _log.info("pruned: %s", ", ".join(f"{count} {name}" for name, count in done.items()))
        return done


def schedule_id(task_queue: str) -> str:
    return f"{task_queue}-prune"


async def make_schedule(client: Client, task_queue: str) -> None:
    """Make the Schedule: every night between 03:30 and 04:00 UTC, one run at a time; a run missed
    while Temporal was down starts within a day. An existing Schedule is not changed, because an
    operator may have paused it."""
    action = ScheduleActionStartWorkflow(PRUNE, id=schedule_id(task_queue), task_queue=task_queue)
    nightly = ScheduleSpec(
        calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(3)], minute=[ScheduleRange(30)])],
        jitter=timedelta(minutes=30),
    )
    policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(days=1))
    try:
        await client.create_schedule(
            schedule_id(task_queue), Schedule(action=action, spec=nightly, policy=policy)
        )
    except ScheduleAlreadyRunningError:
        return
    _log.info("the schedule %s is made", schedule_id(task_queue))
