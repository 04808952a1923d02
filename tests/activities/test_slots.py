"""With every slot of a worker busy, no activity waits for a thread or a database connection."""

from __future__ import annotations

import asyncio
import logging
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.options import WorkerOptions
from activities.outbox_channels import outbox_channels
from activities.running import connections_of, running
from activities.slots import Slots
from activities.temporal import connect_temporal
from backoffice.delivery import callbacks as inbox
from dunning.ids import CustomerId
from dunning.learnt import CameIn
from providers.outbox.callbacks import simulated
from stand_ins.town import Town
from store.engine import connect, transaction
from tests.cast.scripted import until
from workflows.contracts import REVIEW, SEND, ReviewInput, SendInput, channel_queue

pytestmark = pytest.mark.services

THREADS = 2
_AT_MOST = timedelta(seconds=30)


@workflow.defn
class EverySlot:
    """As many activities as there are slots, all of one customer."""

    @workflow.run
    async def run(self, organisation: str, customer: str, queue: str) -> int:
        now, slots = workflow.now(), Slots.of(THREADS)
        reviews = [
            workflow.execute_activity(
                REVIEW,
                ReviewInput(organisation, customer, now),
                task_queue=queue,
                start_to_close_timeout=_AT_MOST,
            )
            for _ in range(slots.reviews)
        ]
        sends = [
            workflow.execute_activity(
                name,
                SendInput(organisation, customer, now, channel),
                task_queue=channel_queue(queue, channel),
                start_to_close_timeout=_AT_MOST,
            )
            for channel, name in SEND.items()
            for _ in range(slots.sends)
        ]
        return len(await asyncio.gather(*reviews, *sends))


def test_a_worker_of_one_thread_has_a_thread_for_each_of_its_slots() -> None:
    """With fewer threads than slots an accepted activity would wait while its time-out runs."""
    assert Slots.of(1) == Slots(reviews=1, sends=2)
    assert Slots.of(1).activities == 7
    assert Slots.of(20).activities == 38
    assert Slots.of(20).connections == 41


async def test_every_slot_and_the_callbacks_have_a_connection_at_the_same_time(
    engine: Engine, database_url: str, temporal: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The customer is locked: each activity and the callback hold a connection and wait for it."""
    town, customer = town_with_a_sent_email(engine)
    pooled = connect(database_url, pool_size=connections_of(THREADS))
    pooled.pool._timeout = 0.001  # type: ignore[attr-defined]
    client = await connect_temporal(temporal)
    queue = f"test-{uuid.uuid4().hex[:8]}"
    options = WorkerOptions(task_queue=queue, threads=THREADS)
    channels = outbox_channels(pooled, None)
    busy = Slots.of(THREADS).activities
    with caplog.at_level(logging.WARNING):
        async with (
            running(client, pooled, database_url, channels, options),
            worker_of_every_slot(client, queue),
        ):
            with engine.connect() as held, held.begin():
                held.execute(sa.text("SELECT 1 FROM customer FOR UPDATE"))
                handle = await client.start_workflow(
                    EverySlot.run,
                    args=[str(town.id), str(customer), queue],
                    id=queue,
                    task_queue=f"{queue}-test",
                )
                await until(lambda: pooled.pool.checkedout() == busy)  # type: ignore[attr-defined]
                with transaction(engine) as session:
                    report = simulated("k", "u", town.newest(), "delivered", datetime.now(UTC))
                    inbox.store(session, CameIn(provider="outbox"), "u", {}, report.body)
                both = connections_of(THREADS) - 1  # the metrics are not running here
                await until(lambda: pooled.pool.checkedout() == both)  # type: ignore[attr-defined]
            assert await handle.result() == busy
    assert "QueuePool" not in caplog.text
    pooled.dispose()


def town_with_a_sent_email(engine: Engine) -> tuple[Town, CustomerId]:
    town = Town(engine)
    town.at("2025-03-03 10:00")
    customer = town.customer()
    town.invoice("INV-1", "2025-03-03")
    town.review()
    town.at("2025-03-04 08:30")
    town.send()
    return town, customer


def worker_of_every_slot(client: Client, queue: str) -> Worker:
    return Worker(
        client,
        task_queue=f"{queue}-test",
        workflows=[EverySlot],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
