"""The worker process: runs the sequences, the activities and the relay until SIGTERM.

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

from temporalio.service import RPCError

from activities.configured import channels_of, options_of
from activities.running import connections_of, running
from activities.services import ServiceEnded
from activities.temporal import connect_temporal, runtime_of
from local.embedded.private import close, write_for_us_alone
from logs import set_up_logging
from settings import Settings, SettingsError, load_settings
from store.engine import connect

_log = logging.getLogger("dunning.worker")


async def _main(settings: Settings) -> None:
    url = settings.require_database_url()
    engine = connect(
        url,
        pool_size=connections_of(settings.worker_threads),
        answer_within=settings.statement_seconds,
    )
    channels = channels_of(settings, engine)
    if settings.outbox_dir is None:
        close(settings.outbox)  # older versions made it readable for everybody
    address = settings.metrics_bind_address
    runtime = runtime_of(address) if address is not None else None
    options = options_of(settings, engine, runtime.metric_meter if runtime is not None else None)
    client = await connect_temporal(runtime=runtime, keys=settings.temporal_key_list)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(client, engine, url, channels, options):
        _log.info("worker is running")
        await stop.wait()
    engine.dispose()


def main() -> None:
    """Exit code 2 for wrong settings or an unreachable Temporal; 1 when a part of the worker has
    ended: a supervisor then starts the process again. The error is one line on stderr."""
    try:
        write_for_us_alone()
        settings = load_settings()
        set_up_logging(settings.log_level, json_lines=settings.log_json)
        asyncio.run(_main(settings))
    except (SettingsError, RPCError, RuntimeError) as e:
        print(f"worker: {e}", file=sys.stderr, flush=True)  # noqa: T201
        # Threads of the Temporal client may still run and would abort a normal exit.
        os._exit(1 if isinstance(e, ServiceEnded) else 2)


if __name__ == "__main__":
    main()
