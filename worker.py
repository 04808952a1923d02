"""The worker: settings, database, channels, then the sequences, the activities and the relay.

``python worker.py`` is the production worker; ``dunning serve`` runs the same in one process. The
connection to Temporal is read by ``temporalio.envconfig`` (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE,
TEMPORAL_API_KEY, TEMPORAL_TLS…).
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from temporalio.client import Client
from temporalio.common import MetricMeter, VersioningBehavior, WorkerDeploymentVersion
from temporalio.envconfig import ClientConfig
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy

from activities.callbacks import Callbacks
from activities.deciding import LOCK_TIMEOUT, Clock, real_clock
from activities.held import via
from activities.metrics import Metrics
from activities.own_accounts import OwnAccounts
from activities.payloads import data_converter
from activities.pruning import Pruning, make_schedule
from activities.relay import Relay
from activities.review import Review
from activities.sending import OwnChannel, Sending
from activities.services import ServiceEnded, serving
from activities.slots import Slots
from backoffice.delivery import outbox as outbox_table
from backoffice.delivery.deliveries import LOOK_UP_AFTER
from backoffice.people.credentials import Vault
from backoffice.people.held_accounts import PROBE_AFTER, installation_started
from backoffice.pruning.daily import Ages
from dunning.plan import CHANNELS, ActionType
from local.embedded.private import close, write_for_us_alone
from logs import set_up_logging
from messages.message import Message
from providers.outbox import Outbox
from providers.port import Channel
from providers.registry import READERS, account, channel
from settings import Settings, SettingsError, load_settings
from store import tables as t
from store.engine import connect, transaction
from store.load import clock
from store.patience import ANSWER_WITHIN
from workflows.contracts import channel_queue
from workflows.customer import CustomerSequence
from workflows.prune import Prune

_log = logging.getLogger("dunning.worker")

#: A worker that was killed holds the sequences that were about to come back to it for as long as
#: this; longer than the default of 10 s, because a herd at 08:30 queues and would be replayed.
_STICKY = timedelta(seconds=20)


def outbox_channels(engine: Engine, folder: Path | None) -> dict[ActionType, Channel]:
    """The embedded default of every channel; ``folder`` None writes no files."""

    def store(message: Message) -> None:
        with transaction(engine, lock_timeout=LOCK_TIMEOUT) as session:
            organisation_id = uuid.UUID(message.organisation_id)
            organisation = session.get_one(t.Organisation, organisation_id)
            values = {
                "organisation_id": organisation_id,
                "channel": message.channel.value,
                "sender": message.sender_address,
                "recipients": [asdict(r) for r in message.recipients],
                "subject": message.subject,
                "text": message.text,
                "html": message.html or "",
            }
            at = clock(organisation, real_clock())
            outbox_table.store(session, uuid.UUID(message.delivery_id), values, at)

    def has(delivery_id: str) -> bool:
        with transaction(engine) as session:
            return session.get(t.OutboxMessage, uuid.UUID(delivery_id)) is not None

    return {kind: Outbox(kind, store, folder, has) for kind in CHANNELS}


def channels_of(settings: Settings, engine: Engine) -> dict[ActionType, Channel]:
    """Configured = the provider; not configured = the outbox; misconfigured = SettingsError."""
    channels = outbox_channels(engine, settings.outbox)
    for provider, credentials in settings.credentials().items():
        try:
            made = channel(account(provider, credentials), settings.public_base_url or "")
        except ValueError as e:
            raise SettingsError(f"DUNNING_{provider.upper()}_…: {e}") from None
        channels[made.type] = made
    return channels


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


def outside_of(settings: Settings) -> Outside:
    """Raises SettingsError for keys that are none."""
    public_url = settings.public_base_url or ""
    return Outside(
        per_second={
            ActionType.EMAIL: settings.email_per_second,
            ActionType.SMS: settings.sms_per_second,
            ActionType.LETTER: settings.letters_per_second,
        },
        own=OwnAccounts(vault_of(settings), public_url),
        public_url=public_url,
        look_up_after=settings.look_up_after,
    )


def vault_of(settings: Settings) -> Vault:
    try:
        return Vault(settings.secret_key_list)
    except ValueError as e:
        raise SettingsError(f"DUNNING_SECRET_KEYS: {e}") from None


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


def pruning_of(settings: Settings, engine: Engine) -> Pruning:
    return Pruning(engine, Ages(**settings.prune_days), settings.outbox)


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
    await asyncio.to_thread(_probe_at_once, engine, channels)
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


def _probe_at_once(engine: Engine, channels: Mapping[ActionType, Channel]) -> None:
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


async def connect_temporal(
    address: str | None = None, runtime: Runtime | None = None, keys: Sequence[str] = ()
) -> Client:
    """Connect as ``temporalio.envconfig`` says; ``address`` is that of an embedded server. With
    ``keys`` everything we hand over is encrypted. Raises SettingsError for a key that is none."""
    try:
        converter = data_converter(keys)
    except ValueError as e:
        raise SettingsError(f"DUNNING_TEMPORAL_KEYS: {e}") from None
    config: dict[str, Any] = dict(ClientConfig.load_client_connect_config())
    if address is not None:
        config["target_host"] = address
    config.setdefault("target_host", "127.0.0.1:7233")
    if runtime is not None:
        config["runtime"] = runtime
    return await Client.connect(**config, data_converter=converter)


def deployment_of(settings: Settings) -> WorkerDeploymentConfig | None:
    """Worker versioning, only when a build id is configured."""
    if settings.build_id is None:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(settings.deployment_name, settings.build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


def runtime_of(bind_address: str) -> Runtime:
    """Offers the metrics of Temporal's SDK and ours in Prometheus' form. One for each process."""
    metrics = PrometheusConfig(
        bind_address=bind_address,
        durations_as_seconds=True,
        unit_suffix=True,
        counters_total_suffix=True,
    )
    return Runtime(telemetry=TelemetryConfig(metrics=metrics))


async def _main(settings: Settings) -> None:
    url = settings.require_database_url()
    engine = connect(
        url,
        pool_size=connections_of(settings.worker_threads),
        answer_within=settings.statement_seconds,
    )
    channels, outside = channels_of(settings, engine), outside_of(settings)
    if settings.outbox_dir is None:
        close(settings.outbox)  # of a version that left it open
    address = settings.metrics_bind_address
    runtime = runtime_of(address) if address is not None else None
    client = await connect_temporal(runtime=runtime, keys=settings.temporal_key_list)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(
        client,
        engine,
        url,
        channels,
        task_queue=settings.task_queue,
        threads=settings.worker_threads,
        deployment=deployment_of(settings),
        outside=outside,
        meter=runtime.metric_meter if runtime is not None else None,
        answer_within=settings.statement_seconds,
        pruning=pruning_of(settings, engine),
    ):
        _log.info("worker is running")
        await stop.wait()
    engine.dispose()


def main() -> None:
    """One line and exit code 2 for settings that make no sense or an unreachable Temporal, and exit
    code 1 when a service of the worker has ended: whoever started the process starts it again."""
    try:
        write_for_us_alone()
        settings = load_settings()
        set_up_logging(settings.log_level, json_lines=settings.log_json)
        asyncio.run(_main(settings))
    except (SettingsError, RPCError, RuntimeError) as e:
        print(f"worker: {e}", file=sys.stderr, flush=True)  # noqa: T201
        # The client's own threads may still run, and abort an orderly exit.
        os._exit(1 if isinstance(e, ServiceEnded) else 2)


if __name__ == "__main__":
    main()
