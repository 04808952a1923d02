"""``dunning serve``: API and worker in one process, beside the two embedded servers."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

import uvicorn
from rich.console import Console
from sqlalchemy import Engine

from activities.codec import answering, codec_app, origins_of
from activities.configured import channels_of, options_of
from activities.running import connections_of, running
from activities.services import ServiceEnded
from activities.temporal import connect_temporal
from api.app import create_app
from api.http.database import CONNECTIONS
from api.http.protocol import Protocol
from local.embedded.ports import LOOPBACK, take_port
from local.own_keys import with_own_keys
from local.running import noted
from local.sample import SampleKey, load_sample
from local.standalone import Embedded, Services, TemporalOptions
from logs import set_up_logging
from settings import Settings
from store.engine import connect, migrate


def serve(settings: Settings, out: Console) -> None:
    """Runs until Ctrl-C. Raises StandaloneError, with the setting, for a port that is taken, and
    ServiceEnded, with the name of the service, if one ends by itself."""
    set_up_logging(settings.log_level, json_lines=settings.log_json)
    port = take_port(settings.api_port, "DUNNING_API_PORT")
    state = settings.state_dir
    settings = with_own_keys(settings, port)
    encrypted = bool(settings.temporal_key_list)
    codec_port = take_port(settings.codec_port, "DUNNING_CODEC_PORT") if encrypted else 0
    embedded = Embedded(
        state,
        postgres=settings.database_url is None,
        temporal=TemporalOptions(
            port=settings.temporal_port,
            ui_port=settings.temporal_ui_port,
            ui_codec=f"http://{LOOPBACK}:{codec_port}" if encrypted else None,
        ),
    )
    with embedded as services:
        url = services.database_url or settings.require_database_url()
        where = Services(url, services.temporal_address, services.temporal_ui_url)
        with noted(state, where, f"http://{settings.host}:{port}"):
            migrate(url)
            asyncio.run(_serve(settings, where, port, codec_port, out))
    out.print("ended; the next start goes on from here")


async def _serve(
    settings: Settings, services: Services, port: int, codec_port: int, out: Console
) -> None:
    most = CONNECTIONS + connections_of(settings.worker_threads)
    engine = connect(
        services.database_url, pool_size=most, answer_within=settings.statement_seconds
    )
    keys = load_sample(engine, settings.state_dir / "keys.json")
    client = await connect_temporal(services.temporal_address, keys=settings.temporal_key_list)
    async with (
        _decrypting(settings, services, codec_port),
        running(
            client,
            engine,
            services.database_url,
            channels_of(settings, engine),
            options_of(settings, engine),
        ),
        _answering(_server(settings, engine, port)) as api,
    ):
        _greet(out, settings, services, port, keys)
        try:
            await _until_signalled(api)
        finally:
            out.print("ending …")
    engine.dispose()


def _server(settings: Settings, engine: Engine, port: int) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            create_app(settings, engine),
            host=settings.host,
            port=port,
            log_config=None,
            access_log=False,
            http=Protocol,
            proxy_headers=False,  # the app does it: DUNNING_TRUSTED_PROXIES
            timeout_graceful_shutdown=5,
        )
    )


@asynccontextmanager
async def _answering(server: uvicorn.Server) -> AsyncIterator[asyncio.Task[None]]:
    """Serves the API until the block ends."""
    api = asyncio.create_task(server._serve())
    try:
        while not (server.started or api.done()):  # noqa: ASYNC110 - uvicorn has no event
            await asyncio.sleep(0.02)
        yield api
    finally:
        server.should_exit = True
        await asyncio.wait([api])


async def _until_signalled(api: asyncio.Task[None]) -> None:
    """Waits for Ctrl-C or SIGTERM. Raises ServiceEnded if the API ends before."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({api, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if not stop.is_set():
        raise ServiceEnded("the API has ended") from api.exception()


def _decrypting(
    settings: Settings, services: Services, port: int
) -> AbstractAsyncContextManager[None]:
    """The codec endpoint for the embedded Temporal UI, if there are keys."""
    keys = settings.temporal_key_list
    if not keys:
        return nullcontext()
    return answering(codec_app(keys, origins_of(services.temporal_ui_url or "")), LOOPBACK, port)


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
