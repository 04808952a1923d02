"""The nightly pruning: one Temporal Schedule for all workers; any of them can run it."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import select
from temporalio.client import ScheduleActionExecutionStartWorkflow

from activities.options import WorkerOptions
from activities.outbox_channels import outbox_channels
from activities.pruning import Pruning, make_schedule, schedule_id
from activities.running import running
from activities.temporal import connect_temporal
from backoffice.pruning.daily import Ages
from store import tables as t
from store.engine import transaction


async def test_several_workers_prune_by_one_schedule(
    engine: Engine, database_url: str, temporal: str
) -> None:
    ended = datetime.now(UTC) - timedelta(days=400)
    with transaction(engine) as session:
        for _ in range(3):
            session.add(
                t.Callback(provider="lob", url="/", body=b"", outcome="done", ended_at=ended)
            )
    client = await connect_temporal(temporal)
    queue = f"test-{uuid.uuid4().hex[:8]}"
    await asyncio.gather(*(make_schedule(client, queue) for _ in range(3)))
    schedule = client.get_schedule_handle(schedule_id(queue))
    await schedule.pause(note="an operator's")
    async with running(
        client,
        engine,
        database_url,
        outbox_channels(engine, None),
        WorkerOptions(task_queue=queue, threads=2, relay=False, pruning=Pruning(engine, Ages())),
    ):
        described = await schedule.describe()
        assert described.schedule.state.paused, "a worker that starts must not change it"
        (tonight, tomorrow) = described.info.next_action_times[:2]
        assert timedelta(hours=23) < tomorrow - tonight < timedelta(hours=25)
        await schedule.trigger()
        while not (done := (await schedule.describe()).info.recent_actions):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        run = done[0].action
        assert isinstance(run, ScheduleActionExecutionStartWorkflow)
        handle = client.get_workflow_handle(run.workflow_id, result_type=dict[str, int])
        assert (await handle.result())["callbacks"] == 3
    with transaction(engine) as session:
        assert session.exec(select(t.Callback)).all() == []
    await schedule.delete()
