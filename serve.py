"""``dunning serve``: everything on one machine, in one process and its two servers."""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import psycopg
import uvicorn
from rich.console import Console

from api.app import create_app
from db.engine import connect, migrate
from embedded.processes import take_port
from logs import set_up_logging
from sample import SampleKey, load_sample
from settings import Settings
from standalone import Embedded, Services
from worker import channels_of, connect_temporal, deployment_of, running


def serve(settings: Settings, out: Console) -> None:
    """Until Ctrl-C. Raises StandaloneError, naming the setting, for a port that is taken."""
    set_up_logging(settings.log_level, json_lines=settings.log_json)
    port = take_port(settings.api_port, "DUNNING_API_PORT")
    state = settings.state_dir
    embedded = Embedded(
        state,
        temporal_port=settings.temporal_port,
        ui_port=settings.temporal_ui_port,
        postgres=settings.database_url is None,
    )
    with embedded as services:
        url = services.database_url or settings.require_database_url()
        where = Services(url, services.temporal_address, services.temporal_ui_url)
        _note_running(state, where)
        try:
            migrate(url)
            asyncio.run(_serve(settings, where, port, out))
        finally:
            _file(state).unlink(missing_ok=True)
    out.print("ended; the next start goes on from here")


async def _serve(settings: Settings, services: Services, port: int, out: Console) -> None:
    engine = connect(services.database_url, pool_size=settings.worker_threads)
    keys = load_sample(engine, settings.state_dir / "keys.json")
    client = await connect_temporal(services.temporal_address)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings, engine),
            host=settings.host,
            port=port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=5,
        )
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running(
        client,
        engine,
        services.database_url,
        channels_of(settings, engine),
        task_queue=settings.task_queue,
        threads=settings.worker_threads,
        deployment=deployment_of(settings),
    ):
        api = asyncio.create_task(server._serve())
        while not (server.started or api.done()):  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.02)
        _greet(out, settings, services, port, keys)
        await asyncio.wait(
            {api, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED
        )
        out.print("ending …")
        server.should_exit = True
        await api
    engine.dispose()


def _greet(
    out: Console, settings: Settings, services: Services, port: int, keys: list[SampleKey]
) -> None:
    base = f"http://{settings.host}:{port}"
    out.print(f"\n[bold]Dunning is running.[/bold]  API {base}/docs", highlight=False)
    out.print(f"Temporal UI  {services.temporal_ui_url}", highlight=False)
    out.print(f"Outbox       {settings.outbox}", highlight=False)
    for key in keys:
        out.print(f"  key of {key.who}: {key.key}", highlight=False, soft_wrap=True)
    if keys:
        out.print(
            f"Try: curl -H 'Authorization: Bearer {keys[0].key}' {base}/v1/actions",
            highlight=False,
            soft_wrap=True,
        )
    out.print("Ctrl-C ends everything.\n", highlight=False)


def _file(state: Path) -> Path:
    return state / "services.json"


def _note_running(state: Path, services: Services) -> None:
    """Where the running services are, for the other commands on this machine."""
    _file(state).write_text(json.dumps(asdict(services)), "utf-8")


def running_services(settings: Settings) -> Services | None:
    """The services of a ``dunning serve`` that runs on the same state directory, if one does."""
    with suppress(OSError, ValueError, TypeError, psycopg.Error):
        services = Services(**json.loads(_file(settings.state_dir).read_text("utf-8")))
        url = services.database_url.replace("postgresql+psycopg://", "postgresql://")
        psycopg.connect(url, connect_timeout=2).close()
        return services
    return None
