"""The workers of the task queues, the relay and the other services of one worker process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from temporalio.client import Client
from temporalio.common import MetricMeter
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy

from activities.callbacks import Callbacks
from activities.deciding import Clock, real_clock
from activities.held import via
from activities.metrics import Metrics
from activities.outbox_channels import outbox_channels
from activities.pruning import Pruning, make_schedule
from activities.relay import Relay
from activities.review import Review
from activities.sending import OwnChannel, Sending
from activities.services import serving
from activities.slots import Slots
from backoffice.delivery.deliveries import LOOK_UP_AFTER
from backoffice.people.held_accounts import PROBE_AFTER, installation_started
from dunning.plan import ActionType
from providers.port import Channel
from providers.registry import READERS
from store.engine import transaction
from store.patience import ANSWER_WITHIN
from workflows.contracts import channel_queue
from workflows.customer import CustomerSequence
from workflows.prune import Prune

_log = logging.getLogger("dunning.worker")

#: A worker that was killed holds the sequences that were about to come back to it for as long as
#: this; longer than the default of 10 s, because a herd at 08:30 queues and would be replayed.
_STICKY = timedelta(seconds=20)


@dataclass(frozen=True)
class Outside:
    """How the worker deals with the world outside, beside its channels.

    ``per_second``: the most calls of a channel, over all workers; a channel that is missing has no
    limit. ``own``: the organisations' own accounts. ``public_url``: our public address.
    ``look_up_after``, ``probe_after``: see ``activities.sending``.
    """

    per_second: Mapping[ActionType, float] = field(default_factory=dict)
    own: OwnChannel | None = None
    public_url: str = ""
    look_up_after: Sequence[timedelta] = LOOK_UP_AFTER
    probe_after: Sequence[timedelta] = PROBE_AFTER


def activities_of(
    engine: Engine,
    channels: Mapping[ActionType, Channel],
    real: Clock = real_clock,
    outside: Outside | None = None,
) -> tuple[Review, Sending]:
    beyond = outside or Outside()
    sending = Sending(
        engine,
        channels,
        outbox_channels(engine, None),
        real,
        own=beyond.own,
        public_url=beyond.public_url,
        look_up_after=beyond.look_up_after,
        probe_after=beyond.probe_after,
    )
    return Review(engine, real), sending


def connections_of(threads: int) -> int:
    """The size of the pool that ``running`` needs with so many threads."""
    return Slots.of(threads).connections


@asynccontextmanager
async def running(
    client: Client,
    engine: Engine,
    database_url: str,
    channels: Mapping[ActionType, Channel],
    *,
    task_queue: str = "dunning",
    threads: int = 20,
    cached: int = 20_000,
    deployment: WorkerDeploymentConfig | None = None,
    real: Clock = real_clock,
    relay: bool = True,
    sandboxed: bool = True,
    outside: Outside | None = None,
    meter: MetricMeter | None = None,
    answer_within: float = ANSWER_WITHIN,
    pruning: Pruning | None = None,
) -> AsyncIterator[None]:
    """Sequences, reviews, one queue for each channel, the relay, and who takes in callbacks, until
    the block ends. Raises ServiceEnded when one of them ends before it.

    ``pruning``: the nightly pruning runs here, and its Schedule is made where there is none.
    ``engine`` needs a pool of ``connections_of(threads)``. ``meter`` shows our own figures.
    ``answer_within``: the most seconds for one answer of the database, to those who listen.
    ``sandboxed=False`` spares each run an import of its own: for rehearsals, which start thousands.
    """
    review, sending = activities_of(engine, channels, real, outside)
    await asyncio.to_thread(probe_at_once, engine, channels)
    per_second = outside.per_second if outside else {}
    send = {
        ActionType.EMAIL: sending.send_email,
        ActionType.SMS: sending.send_sms,
        ActionType.LETTER: sending.send_letter,
    }
    slots = Slots.of(threads)
    executor = ThreadPoolExecutor(max_workers=slots.activities, thread_name_prefix="activity")
    # Without a build id of ours the client would hash every loaded module, which takes a second.
    versioned: dict[str, Any] = (
        {"deployment_config": deployment} if deployment else {"build_id": "unversioned"}
    )
    sequences = Worker(
        client,
        task_queue=task_queue,
        workflows=[CustomerSequence, Prune],
        activities=[review.review, *([pruning.prune] if pruning else [])],
        activity_executor=executor,
        max_concurrent_activities=slots.reviews,
        max_concurrent_workflow_tasks=20,
        max_cached_workflows=cached,
        sticky_queue_schedule_to_start_timeout=_STICKY,
        workflow_runner=sandbox() if sandboxed else UnsandboxedWorkflowRunner(),
        graceful_shutdown_timeout=timedelta(seconds=10),
        **versioned,
    )
    channel_workers = {
        kind: Worker(
            client,
            task_queue=channel_queue(task_queue, kind.value),
            activities=[activity, sending.look_up],
            activity_executor=executor,
            max_concurrent_activities=slots.sends,
            max_task_queue_activities_per_second=per_second.get(kind),
            graceful_shutdown_timeout=timedelta(seconds=35),
            **versioned,
        )
        for kind, activity in send.items()
    }
    try:
        async with serving() as services:
            services.start("the worker of the sequences", sequences.run(), sequences.shutdown)
            for kind, worker in channel_workers.items():
                services.start(f"the worker of {kind.value}", worker.run(), worker.shutdown)
            if relay:
                services.start(
                    "the relay", Relay(database_url, client, task_queue, answer_within).run()
                )
                taking_in = Callbacks(engine, database_url, READERS, answer_within)
                services.start("the service of the callbacks", taking_in.run())
            if pruning is not None:
                await make_schedule(client, task_queue)
            if meter is not None:
                services.start("the service of the metrics", Metrics(engine, meter).run())
            yield
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def probe_at_once(engine: Engine, channels: Mapping[ActionType, Channel]) -> None:
    """The accounts may be others than before, or mended: who restarts a worker wants to know."""
    try:
        with transaction(engine) as session:
            installation_started(session, [via(one) for one in channels.values()], real_clock())
    except OperationalError:  # then they are probed when their time has come
        _log.warning("the database is away: accounts that are held are not probed at once")


def sandbox() -> SandboxedWorkflowRunner:
    """The sequence runs sandboxed, and an import that slips through by accident is an error."""
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_import_notification_policy(
            SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
        )
    )
