"""PostgreSQL is stopped, killed, restarted, read-only or full: everybody is answered in time, goes
on by itself afterwards, and nothing is lost.

The server is this file's own. The time-outs are small here; in production they are settings.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from sqlalchemy import Engine

from activities.callbacks import Callbacks
from activities.relay import Relay
from activities.review import Review
from activities.services import serving
from api.app import create_app
from api.http.database import CONNECTIONS
from backoffice.delivery import callbacks as inbox
from backoffice.people.keys import BILLING, new_key
from local.standalone import Embedded
from messages.message import Message
from providers.port import Accepted
from rehearsal.book import events
from rehearsal.drive import Drive
from rehearsal.run import set_up
from rehearsal.script import Files, read_script
from settings import Settings
from stand_ins.town import Provider, Town
from store import tables as t
from store.calendars import calendar_of
from store.engine import connect, is_outage, migrate, transaction
from store.unit import Unit
from tests.cast.scripted import until
from workflows.contracts import ReviewInput, Signal

pytestmark = [pytest.mark.services, pytest.mark.slow]

#: What a request and one answer of the database may take in these tests, and what is allowed
#: beyond, on a busy machine.
REQUEST, ANSWER, MORE = 0.3, 0.25, 2.5


class Server:
    """PostgreSQL with a database of our own."""

    def __init__(self, embedded: Embedded, url: str) -> None:
        self.embedded, self.url = embedded, url

    def _processes(self) -> list[int]:
        main = self.embedded.postgres_pid
        assert main is not None
        found = [main]
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                with contextlib.suppress(OSError):
                    after_name = (entry / "stat").read_text().rpartition(")")[2].split()
                    if int(after_name[1]) == main:
                        found.append(int(entry.name))
        return found

    def stop(self) -> None:
        for process in self._processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGSTOP)

    def go_on(self) -> None:
        for process in self._processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)

    def kill_a_backend(self) -> None:
        """Of the connections that write; PostgreSQL then cuts off everybody and recovers."""
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
            found = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
                " AND pid <> pg_backend_pid() ORDER BY state = 'active' DESC LIMIT 1"
            ).fetchone()
        assert found is not None
        os.kill(found[0], signal.SIGKILL)

    def kill(self) -> None:
        main = self.embedded.postgres_pid
        assert main is not None
        os.kill(main, signal.SIGKILL)

    def read_only(self, so: bool) -> None:
        """Everybody is cut off, as in a fail-over to a standby."""
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            name = connection.info.dbname
            how = "on" if so else "off"
            connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {how}')
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND pid <> pg_backend_pid()",
                (name,),
            )


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="dunning-", ignore_cleanup_errors=True) as folder:
        embedded = Embedded(Path(folder), temporal=None, durable=False)
        with embedded as services:
            migrate(services.database_url)
            yield Server(embedded, services.database_url)


@pytest.fixture
def engine(server: Server) -> Iterator[Engine]:
    """As the API or a worker has it."""
    engine = connect(server.url, pool_size=CONNECTIONS, ping=True, answer_within=ANSWER)
    yield engine
    engine.dispose()


@pytest.fixture
def watching(server: Server) -> Iterator[Engine]:
    """The test's own, which waits for as long as it takes. Leaves nothing behind."""
    engine = connect(server.url, pool_size=2, ping=True, answer_within=60)
    yield engine
    with engine.begin() as connection:
        connection.execute(sa.text("TRUNCATE organisation, callback CASCADE"))
    engine.dispose()


# The API.


class Billing:
    """Reports customers without a pause, and remembers what it was told of each."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.told: dict[str, list[tuple[int, float]]] = {}
        self.without_retry_after = 0
        self.ended = False

    async def report(self, customer: str) -> int:
        body = {"name": "Acme", "contacts": [{"external_id": "eve", "email": "eve@x.example"}]}
        began = time.monotonic()
        answer = await self.client.put(f"/v1/customers/{customer}", json=body)
        took = time.monotonic() - began
        self.told.setdefault(customer, []).append((answer.status_code, took))
        if answer.status_code == 503 and "retry-after" not in answer.headers:
            self.without_retry_after += 1
        return answer.status_code

    async def go_on(self, name: str) -> None:
        number = 0
        while not self.ended:
            await self.report(f"{name}-{number}")
            number += 1
            await asyncio.sleep(0.005)

    @property
    def statuses(self) -> set[int]:
        return {status for told in self.told.values() for status, _ in told}

    @property
    def slowest(self) -> float:
        return max(took for told in self.told.values() for _, took in told)


@asynccontextmanager
async def billing(app: FastAPI, watching: Engine) -> AsyncIterator[Billing]:
    with transaction(watching) as session:
        organisation = t.Organisation(name="Amber & Sons")
        session.add(organisation)
        session.flush()
        key = new_key(Unit(session, organisation.id), BILLING, "billing")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://dunning",
        headers={"Authorization": f"Bearer {key}"},
        timeout=60,
    ) as client:
        yield Billing(client)


Trouble = Callable[[Server, Engine], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def stopped(server: Server, _: Engine) -> AsyncIterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.go_on()


@asynccontextmanager
async def a_backend_killed(server: Server, _: Engine) -> AsyncIterator[None]:
    await asyncio.to_thread(server.kill_a_backend)
    yield


@asynccontextmanager
async def killed_and_restarted(server: Server, _: Engine) -> AsyncIterator[None]:
    server.kill()
    yield
    await asyncio.to_thread(server.embedded.restart_postgres)


@asynccontextmanager
async def read_only(server: Server, _: Engine) -> AsyncIterator[None]:
    await asyncio.to_thread(server.read_only, True)
    yield
    await asyncio.to_thread(server.read_only, False)


@asynccontextmanager
async def a_full_pool(_: Server, engine: Engine) -> AsyncIterator[None]:
    """Somebody has taken every connection."""

    def take() -> list[sa.Connection]:
        taken = []
        with contextlib.suppress(sa.exc.TimeoutError):
            while True:
                taken.append(engine.connect())
        return taken

    taken = [one for some in await asyncio.gather(*(asyncio.to_thread(take) for _ in range(4)))
             for one in some]  # fmt: skip
    yield
    for connection in taken:
        connection.close()


@pytest.mark.parametrize(
    ("trouble", "unready"),
    [(stopped, True), (a_backend_killed, False), (killed_and_restarted, True), (read_only, False),
     (a_full_pool, True)],
)  # fmt: skip
async def test_the_api_answers_in_time_and_loses_nothing(
    server: Server, engine: Engine, watching: Engine, trouble: Trouble, unready: bool
) -> None:
    app = create_app(Settings(request_seconds=REQUEST), engine)
    async with billing(app, watching) as reports:
        reporting = [asyncio.create_task(reports.go_on(f"{n}")) for n in range(6)]
        await until(lambda: len(reports.told) > 30)
        async with trouble(server, engine):
            in_trouble = asyncio.create_task(many_at_once(reports))
            await until(lambda: 503 in reports.statuses)
            began = time.monotonic()
            ready = await reports.client.get("/readyz")
            assert time.monotonic() - began < REQUEST + MORE
            assert not unready or ready.status_code == 503
            assert (await reports.client.get("/healthz")).status_code == 200
            await in_trouble

        async def as_before() -> bool:
            return await reports.report("afterwards") in (200, 201)

        await until(as_before, within=10)  # by itself
        assert (await reports.client.get("/readyz")).status_code == 200
        reports.ended = True
        await asyncio.gather(*reporting)

        assert reports.statuses <= {200, 201, 503}
        assert reports.without_retry_after == 0
        assert reports.slowest < REQUEST + MORE
        kept = contacts_of_customers(watching)
        for customer, told in reports.told.items():
            good = any(status != 503 for status, _ in told)
            assert kept.get(customer, 1) == 1, "half of it is stored"
            assert customer in kept or not good, "told 2xx, and not stored"
        # The same again is fine, whatever became of it.
        for customer in [c for c, told in reports.told.items() if told[-1][0] == 503]:
            assert await reports.report(customer) in (200, 201)
    assert set(contacts_of_customers(watching).values()) == {1}
    # What waited has left nothing behind.
    await until(lambda: engine.pool.checkedout() == 0)  # type: ignore[attr-defined]
    assert threading.active_count() < CONNECTIONS + 20


async def many_at_once(reports: Billing) -> None:
    """More than there are places, so that some wait for a place; and a batch."""
    batch = {"customers": [{"external_id": f"b-{n}", "name": "B"} for n in range(20)]}
    told = asyncio.create_task(reports.client.post("/v1/batch", json=batch))
    began = time.monotonic()
    await asyncio.gather(*(reports.report(f"many-{n}") for n in range(40)))
    answer = await told
    assert answer.status_code in (200, 503)
    # Its place may come late, from who waited for the database (to connect takes 2 s at least).
    assert time.monotonic() - began < 2 + 2 * REQUEST + MORE


def contacts_of_customers(engine: Engine) -> dict[str, int]:
    """How many contacts each of the reported customers has."""
    statement = (
        "SELECT c.external_id, count(k.id) FROM customer c"
        " LEFT JOIN contact k ON k.customer_id = c.id WHERE c.name = 'Acme' GROUP BY 1"
    )
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(sa.text(statement))}


def test_the_server_is_told_the_same(server: Server) -> None:
    """What it cannot know by itself: that nobody waits for its answer any more."""
    engine = connect(server.url, answer_within=2)
    names = ("statement_timeout", "idle_in_transaction_session_timeout",
             "client_connection_check_interval")  # fmt: skip
    with engine.connect() as connection:
        told = [connection.execute(sa.text(f"SHOW {name}")).scalar() for name in names]
        driver: Any = connection.connection.driver_connection
        assert driver.info.get_parameters()["tcp_user_timeout"] == "15000"
    assert told == ["2s", "1min", "1s"]
    engine.dispose()


def test_a_slow_statement_is_ended_and_one_that_said_so_is_not(engine: Engine) -> None:
    slow = sa.text("SELECT pg_sleep(0.4)")
    with (
        pytest.raises(sa.exc.OperationalError, match="statement timeout"),
        transaction(engine) as session,
    ):
        session.connection().execute(slow)
    with transaction(engine, answer_within=timedelta(seconds=5)) as session:
        session.connection().execute(slow)


# The worker's parts, and a rehearsal.


class TemporalStandIn:
    """Takes every signal."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def start_workflow(self, *_: Any, **more: Any) -> None:
        self.taken.append(more["id"])


@pytest.mark.parametrize("trouble", [stopped, read_only])
async def test_relay_and_callbacks_go_on_and_lose_nothing(
    server: Server, engine: Engine, watching: Engine, trouble: Trouble
) -> None:
    town = Town(watching)
    temporal: Any = TemporalStandIn()
    readers: Any = {"x": (None, lambda *_: [])}
    relay = Relay(server.url, temporal, "q", ANSWER)
    callbacks = Callbacks(engine, server.url, readers, ANSWER)

    def told(number: int) -> None:
        town.customer(f"c-{number}")
        with transaction(watching) as session:
            inbox.store(session, "x", None, "https://we.example/x", {}, b"")

    async def all_taken(number: int) -> bool:
        def look() -> tuple[int, int]:
            with watching.connect() as connection:
                waiting = "SELECT count(*) FROM nudge"
                done = "SELECT count(*) FROM callback WHERE outcome = 'done'"
                return (
                    connection.execute(sa.text(waiting)).scalar_one(),
                    connection.execute(sa.text(done)).scalar_one(),
                )

        return await asyncio.to_thread(look) == (0, number)

    async with serving() as services:
        services.start("the relay", relay.run())
        services.start("the callbacks", callbacks.run())
        await asyncio.to_thread(told, 1)
        await until(lambda: all_taken(1))
        async with trouble(server, engine):
            await asyncio.sleep(2 * ANSWER)
        await until(lambda: quietly(told, 2), within=10)
        await until(lambda: all_taken(2), within=10)
    assert len(set(temporal.taken)) == 2


async def quietly(work: Callable[[int], None], number: int) -> bool:
    """Whether it could be done: the server may still be recovering."""
    try:
        await asyncio.to_thread(work, number)
    except sa.exc.OperationalError:
        return False
    return True


@contextmanager
def stopped_for(server: Server, seconds: float) -> Iterator[None]:
    server.stop()
    timer = threading.Timer(seconds, server.go_on)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def test_an_activity_fails_in_time_and_what_a_provider_has_taken_is_kept(
    server: Server, watching: Engine
) -> None:
    hung: list[Any] = []

    def accept(_: Message) -> Accepted:
        """While the provider takes it, the database begins to hang."""
        hung.append(stopped_for(server, 3 * ANSWER))
        hung[-1].__enter__()
        return Accepted("id-1")

    working = connect(server.url, pool_size=2, answer_within=ANSWER)  # a worker asks no connection
    town = Town(working, Provider(accept))
    town.customer()
    town.invoice("INV-1", "2025-03-03")
    town.at("2025-03-04 08:30")
    with stopped_for(server, 3 * ANSWER):
        began = time.monotonic()
        with pytest.raises(sa.exc.DBAPIError) as caught:
            town.review()
        assert time.monotonic() - began < 2 * ANSWER + MORE
        assert is_outage(caught.value)  # Temporal tries it again
    assert town.review().state == "send"
    town.send()
    hung[-1].__exit__(None, None, None)
    assert len(town.provider.tried) == 1
    with watching.connect() as connection:
        rows = connection.execute(sa.text("SELECT status, provider_id FROM delivery")).all()
    assert [tuple(row) for row in rows] == [("accepted", "id-1")]
    working.dispose()


class ReviewingTemporal:
    """Stands where Temporal is: who is signalled is reviewed."""

    def __init__(self, engine: Engine) -> None:
        self.review = Review(engine)

    async def start_workflow(self, _: str, start: Any, **more: Any) -> None:
        (payload,) = more["start_signal_args"]
        told = [Signal("account_changed", nudge=payload["nudge"])]
        order = ReviewInput(start.organisation_id, start.customer_id, datetime.now(UTC), told)
        await asyncio.to_thread(self.review.review, order)


@pytest.mark.parametrize("trouble", [stopped, killed_and_restarted])
async def test_a_rehearsal_goes_on_where_it_was(
    server: Server, engine: Engine, watching: Engine, tmp_path: Path, trouble: Trouble
) -> None:
    head = "customer,customer_name,email,invoice,issued_on,due_on,total,currency,paid_on"
    rows = [
        f"C{n},Customer {n},c{n}@example.com,INV-{n},2025-02-{n + 1:02},2025-03-03,100,EUR,"
        f"2025-03-{n + 1:02}"
        for n in range(12)
    ]
    book, plan = tmp_path / "book.csv", tmp_path / "plan.toml"
    book.write_text("\n".join([head, *rows]) + "\n")
    plan.write_text(
        'name = "P"\n[[steps]]\nkey = "a"\nname = "A"\ntype = "call"\nautomatic = false\n'
        'trigger = {from = "due", days = 90}\nbody = "Call."\n'
    )
    script = read_script(Files(book, [plan]), date(2025, 2, 1), date(2025, 3, 20))
    organisation = set_up(watching, script)
    with transaction(watching) as session:
        calendar = calendar_of(session.get_one(t.Organisation, organisation))
    found = events(script.rows, [], calendar, script.start, script.until)
    lived: list[Any] = []
    drive = Drive(engine, organisation, None)
    temporal: Any = ReviewingTemporal(engine)
    async with serving() as services:
        services.start("the relay", Relay(server.url, temporal, "q", ANSWER).run())
        end = calendar.start_of(script.until)
        driving = asyncio.create_task(drive.run(found, end, lived.append))
        await until(lambda: len(lived) > 3)
        async with trouble(server, engine):
            await asyncio.sleep(2 * ANSWER)
            assert not driving.done()
        driven = await driving
    assert driven.refused == []
    with watching.begin() as connection:
        figures = connection.execute(
            sa.text(
                "SELECT (SELECT count(*) FROM invoice WHERE status = 'paid'),"
                " (SELECT count(*) FROM credit), (SELECT count(*) FROM application),"
                " (SELECT count(*) FROM customer)"
            )
        ).one()
    assert tuple(figures) == (12, 12, 12, 12)
