"""``dunning serve``: everything on one machine, in one process and its two servers."""

from __future__ import annotations

import asyncio
import json
import signal
import urllib.error
import urllib.request
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import uvicorn
from pydantic import SecretStr
from rich.console import Console

from activities.codec import answering, codec_app, origins_of
from activities.configured import channels_of, options_of
from activities.running import connections_of, running
from activities.services import ServiceEnded
from activities.temporal import connect_temporal
from api.app import create_app
from api.http.database import CONNECTIONS
from api.http.protocol import Protocol
from backoffice.people.credentials import new_secret_key
from local.embedded.processes import LOOPBACK, take_port
from local.sample import SampleKey, load_sample
from local.standalone import Embedded, Services, StandaloneError
from logs import set_up_logging
from providers.outbox.callbacks import simulated
from settings import Settings
from store.engine import connect, migrate


def serve(settings: Settings, out: Console) -> None:
    """Until Ctrl-C. Raises StandaloneError, naming the setting, for a port that is taken, and
    ServiceEnded, naming it, when a part of it ends by itself."""
    set_up_logging(settings.log_level, json_lines=settings.log_json)
    port = take_port(settings.api_port, "DUNNING_API_PORT")
    state = settings.state_dir
    settings = with_own_keys(settings, port)
    encrypted = bool(settings.temporal_key_list)
    codec_port = take_port(settings.codec_port, "DUNNING_CODEC_PORT") if encrypted else 0
    embedded = Embedded(
        state,
        temporal_port=settings.temporal_port,
        ui_port=settings.temporal_ui_port,
        postgres=settings.database_url is None,
        ui_codec=f"http://{LOOPBACK}:{codec_port}" if encrypted else None,
    )
    with embedded as services:
        url = services.database_url or settings.require_database_url()
        where = Services(url, services.temporal_address, services.temporal_ui_url)
        _note_running(state, where, f"http://{settings.host}:{port}")
        try:
            migrate(url)
            asyncio.run(_serve(settings, where, port, codec_port, out))
        finally:
            _file(state).unlink(missing_ok=True)
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
    server = uvicorn.Server(
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
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with (
        _decrypting(settings, services, codec_port),
        running(
            client,
            engine,
            services.database_url,
            channels_of(settings, engine),
            options_of(settings, engine),
        ),
    ):
        api = asyncio.create_task(server._serve())
        try:
            while not (server.started or api.done()):  # noqa: ASYNC110 - uvicorn has no event
                await asyncio.sleep(0.02)
            _greet(out, settings, services, port, keys)
            await asyncio.wait(
                {api, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED
            )
            if not stop.is_set():
                raise ServiceEnded("the API has ended") from api.exception()
        finally:
            out.print("ending …")
            server.should_exit = True
            await asyncio.wait([api])
    engine.dispose()


def _decrypting(
    settings: Settings, services: Services, port: int
) -> AbstractAsyncContextManager[None]:
    """The codec endpoint of the embedded UI, if there is anything to decrypt."""
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


def _file(state: Path) -> Path:
    return state / "services.json"


def _note_running(state: Path, services: Services, api: str) -> None:
    """Where the running services are, for the other commands on this machine."""
    _file(state).write_text(json.dumps({**asdict(services), "api": api}), "utf-8")


def with_own_keys(settings: Settings, port: int) -> Settings:
    """What a production installation must be told, and this machine can make by itself: the keys
    that seal and sign, kept in the state directory, and where the API is."""
    own: dict[str, object] = {}
    if settings.secret_keys is None:
        own["secret_keys"] = SecretStr(_own_key(settings.state_dir / "secret.key"))
    if settings.outbox_webhook_key is None:
        own["outbox_webhook_key"] = SecretStr(_own_key(settings.state_dir / "outbox.key"))
    if settings.public_base_url is None:
        own["public_base_url"] = f"http://{settings.host}:{port}"
    return settings.model_copy(update=own)


def _own_key(path: Path) -> str:
    """Made once, readable by its owner alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(new_secret_key(), "ascii")
        draft.replace(path)
    return path.read_text("ascii").strip()


def report_simulated(settings: Settings, delivery: str, event: str) -> None:
    """Send a signed callback of the outbox to the API. Raises StandaloneError when none answers,
    ValueError when it refuses."""
    base = settings.public_base_url
    if base is None:
        try:
            base = str(json.loads(_file(settings.state_dir).read_text("utf-8"))["api"])
        except (OSError, ValueError, KeyError):
            raise StandaloneError("no API runs here: start `dunning serve`") from None
    known = settings.outbox_webhook_keys
    key = known[0] if known else _own_key(settings.state_dir / "outbox.key")
    call = simulated(key, f"{base}/webhooks/outbox", delivery, event, datetime.now(UTC))
    request = urllib.request.Request(call.url, call.body, dict(call.headers), method="POST")
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except urllib.error.HTTPError as e:
        raise ValueError(f"the API refused the report: {e.code} {e.reason}") from None
    except OSError as e:
        raise StandaloneError(f"the API at {base} does not answer: {e}") from None


def running_services(settings: Settings) -> Services | None:
    """The services of a ``dunning serve`` that runs on the same state directory, if one does."""
    with suppress(OSError, ValueError, TypeError, psycopg.Error):
        noted = json.loads(_file(settings.state_dir).read_text("utf-8"))
        noted.pop("api", None)
        services = Services(**noted)
        url = services.database_url.replace("postgresql+psycopg://", "postgresql://")
        psycopg.connect(url, connect_timeout=2).close()
        return services
    return None
