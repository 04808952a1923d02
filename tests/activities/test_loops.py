"""Relay and callbacks continue after any error; a worker that has lost one of its services ends."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine, make_url

import worker
from activities.callbacks import Callbacks
from activities.listening import Connection, Listening
from activities.options import WorkerOptions
from activities.outbox_channels import outbox_channels
from activities.relay import Relay
from activities.running import running
from activities.services import ServiceEnded, serving
from activities.temporal import connect_temporal
from backoffice.delivery import callbacks as inbox
from dunning.learnt import CameIn
from providers.callback import Callback
from settings import SettingsError
from stand_ins.town import Town
from store.engine import connect, transaction
from tests.cast.scripted import until
from tests.cast.temporal import TemporalStandIn

pytestmark = pytest.mark.services


def failing_with(*errors: Exception) -> TemporalStandIn:
    """Raises one of these errors at each signal; after the last it accepts every signal."""
    left = list(errors)
    return TemporalStandIn(lambda _: left.pop(0) if left else None)


def readers() -> dict[str, Any]:
    def read(_: Callback, __: Any) -> list[Any]:
        return []

    return {"x": (None, read)}


def store_callback(engine: Engine) -> None:
    with transaction(engine) as session:
        inbox.store(session, CameIn(provider="x"), "https://we.example/x", {}, b"")


def outcomes(url: str) -> list[str]:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        return [row[0] for row in connection.execute("SELECT outcome FROM callback ORDER BY id")]


def nudges(url: str) -> int:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        row = connection.execute("SELECT count(*) FROM nudge").fetchone()
        assert row is not None
        return int(row[0])


@asynccontextmanager
async def on(*services: Relay | Callbacks | Listening) -> AsyncIterator[list[asyncio.Task[None]]]:
    tasks = [asyncio.create_task(service.run()) for service in services]
    yield tasks
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@contextmanager
def standby(url: str) -> Iterator[None]:
    """Make the database read-only during the block, as after a fail-over to a standby. Every
    connection is closed at the beginning, and none at the end."""
    name = make_url(url).database
    admin = make_url(url).set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(admin.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        yield
        connection.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')


async def test_a_read_only_database_stops_neither_relay_nor_callbacks(
    engine: Engine, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    town = Town(engine)
    town.customer()
    store_callback(engine)
    pooled = connect(database_url, pool_size=2)
    temporal: Any = TemporalStandIn()
    relay, taking = Relay(database_url, temporal, "q"), Callbacks(pooled, database_url, readers())
    with caplog.at_level(logging.WARNING), standby(database_url):
        async with on(relay, taking) as tasks:
            await until(lambda: "relay: " in caplog.text and "callbacks: " in caplog.text)
            assert "Traceback" not in caplog.text  # an outage is logged in one line
            assert not any(task.done() for task in tasks)
            assert (outcomes(database_url), nudges(database_url)) == ([""], 1)
            with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as admin:
                name = make_url(database_url).database
                admin.execute("SET default_transaction_read_only = off")
                admin.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
            await until(lambda: outcomes(database_url) == ["done"] and nudges(database_url) == 0)
    pooled.dispose()


async def test_an_exhausted_connection_pool_does_not_stop_the_callbacks(
    engine: Engine, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    store_callback(engine)
    small = connect(database_url, pool_size=2)
    small.pool._timeout = 0.05  # type: ignore[attr-defined]
    held = [small.connect() for _ in range(2)]
    with caplog.at_level(logging.WARNING):
        async with on(Callbacks(small, database_url, readers())) as (task,):
            await until(lambda: "QueuePool limit" in caplog.text)
            assert not task.done()
            assert outcomes(database_url) == [""]
            for connection in held:
                connection.close()
            await until(lambda: outcomes(database_url) == ["done"])
    small.dispose()


async def test_an_unexpected_error_does_not_stop_the_relay(
    engine: Engine,
    database_url: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("activities.listening._LOOK_ANYWAY_SECONDS", 0.1)
    town = Town(engine)
    town.customer()
    temporal: Any = failing_with(KeyError("a mistake of ours"))
    with caplog.at_level(logging.WARNING):
        async with on(Relay(database_url, temporal, "q")):
            await until(lambda: nudges(database_url) == 0)
    assert temporal.told == [f"dunning/{town.id}/{town.key_of('acme')}"]
    assert "a mistake of ours" in caplog.text


async def test_the_pause_after_errors_grows_and_is_reset_by_a_success(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    some = [KeyError("one"), KeyError("two"), KeyError("three")]
    errors: list[Exception | None] = [*some, None, KeyError("four")]

    async def take(_: Connection) -> bool:
        error = errors.pop(0)
        if error is not None:
            raise error
        return bool(errors)

    with caplog.at_level(logging.WARNING):
        async with on(Listening("loop", database_url, "c", take, ())):
            await until(lambda: not errors)
    waits = [r.getMessage() for r in caplog.records if r.name == "activities.listening"]
    assert waits == [f"loop: failed; again in {s} s" for s in ("0.2", "0.4", "0.8", "0.2")]
    assert all(r.exc_info for r in caplog.records if r.name == "activities.listening")


# Services that end.


async def test_a_service_that_ends_ends_the_block_with_its_name_and_error() -> None:
    async def soon() -> None:
        raise KeyError("x")

    ended: list[str] = []

    async def for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("the other one")

    async def block() -> None:
        async with serving() as services:
            services.start("another", for_ever())
            services.start("the relay", soon())
            await asyncio.Event().wait()

    with pytest.raises(ServiceEnded, match=r"^the relay has ended: KeyError$"):
        await block()
    assert ended == ["the other one"]
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0  # the caller itself is not cancelled


async def test_a_block_that_ends_by_itself_ends_its_services() -> None:
    async def for_ever() -> None:
        await asyncio.Event().wait()

    async def block(error: Exception | None) -> None:
        async with serving() as services:
            services.start("a service", for_ever())
            if error is not None:
                raise error

    await block(None)
    with pytest.raises(ZeroDivisionError):
        await block(ZeroDivisionError())


async def _returns(_: Any) -> None:
    """A service that ends without an error."""


async def _fails(_: Any) -> None:
    raise RuntimeError("the server refuses our polls")


RELAY, CALLBACKS = "activities.running.Relay.run", "activities.running.Callbacks.run"
ACTIVITY_WORKER = "temporalio.worker._activity._ActivityWorker.run"


@pytest.mark.parametrize(
    "loss",
    [
        (RELAY, _returns, "the relay has ended: it stopped without an error"),
        (CALLBACKS, _fails, "the service of the callbacks has ended: RuntimeError"),
        (ACTIVITY_WORKER, _fails, "has ended: RuntimeError"),
    ],
)
async def test_a_worker_that_loses_one_of_its_services_ends(
    engine: Engine,
    database_url: str,
    temporal: str,
    monkeypatch: pytest.MonkeyPatch,
    loss: tuple[str, Any, str],
) -> None:
    service, end, said = loss
    monkeypatch.setattr(service, end)
    client = await connect_temporal(temporal)
    queue = f"test-{uuid.uuid4().hex[:8]}"
    channels = outbox_channels(engine, None)
    options = WorkerOptions(task_queue=queue, threads=2)
    with pytest.raises(ServiceEnded, match=said):
        async with running(client, engine, database_url, channels, options):
            await asyncio.sleep(20)


def test_a_worker_that_lost_a_service_exits_with_a_log_line_and_a_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    codes: list[int] = []
    for error in (ServiceEnded("the relay has ended: KeyError: 'x'"), SettingsError("wrong")):

        async def main(_: Any, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(worker, "_main", main)
        monkeypatch.setattr("os._exit", codes.append)
        worker.main()
    assert codes == [1, 2]
    assert "worker: the relay has ended: KeyError: 'x'\n" in capsys.readouterr().err


def test_pooled_connections_are_dropped_after_a_write_to_a_read_only_server(
    engine: Engine, database_url: str
) -> None:
    """A session stays read-only: on a connection that is kept in the pool every write would
    fail."""
    pooled = connect(database_url, pool_size=1)
    write = sa.text("CREATE TEMPORARY TABLE x (y int)")
    with pooled.connect() as connection:
        connection.execute(sa.text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"))
        connection.commit()
    with pooled.connect() as connection, pytest.raises(sa.exc.InternalError):
        connection.execute(sa.text("DELETE FROM nudge"))
    with pooled.connect() as connection:
        connection.execute(write)
    pooled.dispose()
