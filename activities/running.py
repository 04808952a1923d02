"""Everything that one worker process runs: task queues, relay, callbacks, pruning, metrics."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from temporalio.client import Client

from activities.callbacks import Callbacks
from activities.deciding import real_clock
from activities.metrics import Metrics
from activities.options import Outside, WorkerOptions
from activities.outbox_channels import outbox_channels
from activities.pruning import make_schedule
from activities.relay import Relay
from activities.review import Review
from activities.sending import Sending
from activities.services import serving
from activities.slots import Slots
from activities.workers import channel_workers, sequence_worker
from backoffice.delivery.outgoing import Outgoing, via
from backoffice.people.held_accounts import installation_started
from dunning.plan import ActionType
from providers.port import Channel
from providers.registry import readers
from store.engine import transaction

_log = logging.getLogger("dunning.worker")


def connections_of(threads: int) -> int:
    """The size of the connection pool that ``running`` needs with so many threads."""
    return Slots.of(threads).connections


@asynccontextmanager
async def running(
    client: Client,
    engine: Engine,
    database_url: str,
    channels: Mapping[ActionType, Channel],
    options: WorkerOptions | None = None,
) -> AsyncIterator[None]:
    """Run a worker until the block ends. Raises ServiceEnded when a part of it ends earlier.

    ``engine`` needs a pool of ``connections_of(options.threads)``; relay and callbacks listen on
    connections of their own, made with ``database_url``.
    """
    chosen = options or WorkerOptions()
    await asyncio.to_thread(probe_at_once, engine, channels)
    executor = ThreadPoolExecutor(Slots.of(chosen.threads).activities, "activity")
    sending = _sending(engine, channels, chosen.outside)
    sequences = sequence_worker(client, Review(engine), executor, chosen)
    by_channel = channel_workers(client, sending, executor, chosen)
    try:
        async with serving() as services:
            services.start("the worker of the sequences", sequences.run(), sequences.shutdown)
            for kind, worker in by_channel.items():
                services.start(f"the worker of {kind.value}", worker.run(), worker.shutdown)
            if chosen.relay:
                within = chosen.answer_within
                relay = Relay(database_url, client, chosen.task_queue, within)
                services.start("the relay", relay.run())
                callbacks = Callbacks(engine, database_url, readers(), within)
                services.start("the service of the callbacks", callbacks.run())
            if chosen.pruning is not None:
                await make_schedule(client, chosen.task_queue)
            if chosen.meter is not None:
                services.start("the service of the metrics", Metrics(engine, chosen.meter).run())
            yield
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _sending(engine: Engine, channels: Mapping[ActionType, Channel], outside: Outside) -> Sending:
    outgoing = Outgoing(
        channels,
        outbox_channels(engine, None),
        own=outside.own,
        public_url=outside.public_url,
        look_up_after=outside.look_up_after,
        probe_after=outside.probe_after,
    )
    return Sending(engine, outgoing)


def probe_at_once(engine: Engine, channels: Mapping[ActionType, Channel]) -> None:
    """Make held accounts due for a probe when a worker starts: its settings may name other
    accounts, or the operator may have fixed one at the provider."""
    try:
        with transaction(engine) as session:
            installation_started(session, [via(one) for one in channels.values()], real_clock())
    except OperationalError:  # they are probed at their next time
        _log.warning("the database is away: accounts that are held are not probed at once")
