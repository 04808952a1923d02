"""PostgreSQL is stopped, killed, restarted, read-only or its pool is full: the API answers every
request in time, recovers by itself, and keeps everything that it confirmed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from sqlalchemy import Engine

from api.app import create_app
from api.http.database import CONNECTIONS
from backoffice.people.keys import BILLING, new_key
from settings import Settings
from store import tables as t
from store.engine import connect, transaction
from store.unit import Unit
from tests.cast.outages import (
    MORE,
    Server,
    Trouble,
    a_backend_killed,
    a_full_pool,
    killed_and_restarted,
    read_only,
    stopped,
)
from tests.cast.scripted import until

pytestmark = [pytest.mark.services, pytest.mark.slow]

REQUEST = 0.3  # seconds that a request may take


class Billing:
    """Reports customers one after the other. ``told``: status and seconds of each answer."""

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


@pytest.mark.parametrize(
    ("trouble", "unready"),
    [
        (stopped, True),
        (a_backend_killed, False),
        (killed_and_restarted, True),
        (read_only, False),
        (a_full_pool, True),
    ],
)
async def test_api_answers_in_time_and_keeps_what_it_confirmed(
    server: Server, hurried: Engine, watching: Engine, trouble: Trouble, unready: bool
) -> None:
    app = create_app(Settings(request_seconds=REQUEST), hurried)
    async with billing(app, watching) as reports:
        reporting = [asyncio.create_task(reports.go_on(f"{n}")) for n in range(6)]
        await until(lambda: len(reports.told) > 30)
        async with trouble(server, hurried):
            in_trouble = asyncio.create_task(many_at_once(reports))
            await until(lambda: 503 in reports.statuses)
            await check_health(reports.client, unready)
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
        check_stored(reports, contacts_of_customers(watching))
        # Reporting the same again succeeds, whatever became of the first time.
        for customer in [c for c, told in reports.told.items() if told[-1][0] == 503]:
            assert await reports.report(customer) in (200, 201)
    assert set(contacts_of_customers(watching).values()) == {1}
    # No request that waited keeps a connection or a thread.
    await until(lambda: hurried.pool.checkedout() == 0)  # type: ignore[attr-defined]
    assert threading.active_count() < CONNECTIONS + 20


async def check_health(client: httpx.AsyncClient, unready: bool) -> None:
    """In trouble: ``/readyz`` answers in time, and ``/healthz`` says that the process lives."""
    began = time.monotonic()
    ready = await client.get("/readyz")
    assert time.monotonic() - began < REQUEST + MORE
    assert not unready or ready.status_code == 503
    assert (await client.get("/healthz")).status_code == 200


def check_stored(reports: Billing, kept: dict[str, int]) -> None:
    for customer, told in reports.told.items():
        confirmed = any(status != 503 for status, _ in told)
        assert kept.get(customer, 1) == 1, "half of it is stored"
        assert customer in kept or not confirmed, "confirmed, and not stored"


async def many_at_once(reports: Billing) -> None:
    """More requests than are let in at a time, so that some wait to be let in; and a batch."""
    batch = {"customers": [{"external_id": f"b-{n}", "name": "B"} for n in range(20)]}
    told = asyncio.create_task(reports.client.post("/v1/batch", json=batch))
    began = time.monotonic()
    await asyncio.gather(*(reports.report(f"many-{n}") for n in range(40)))
    answer = await told
    assert answer.status_code in (200, 503)
    # A request may be let in late, after one that waited for the database (a time-out of at least
    # 2 s for connecting).
    assert time.monotonic() - began < 2 + 2 * REQUEST + MORE


def contacts_of_customers(engine: Engine) -> dict[str, int]:
    """How many contacts each of the reported customers has."""
    statement = (
        "SELECT c.external_id, count(k.id) FROM customer c"
        " LEFT JOIN contact k ON k.customer_id = c.id WHERE c.name = 'Acme' GROUP BY 1"
    )
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(sa.text(statement))}


LIMITS = {
    "statement_timeout": "2s",
    "idle_in_transaction_session_timeout": "1min",
    "client_connection_check_interval": "1s",
}


def test_the_server_gives_up_statements_of_clients_that_are_gone(server: Server) -> None:
    engine = connect(server.url, answer_within=2)
    with engine.connect() as connection:
        told = {name: connection.execute(sa.text(f"SHOW {name}")).scalar() for name in LIMITS}
        driver: Any = connection.connection.driver_connection
        assert driver.info.get_parameters()["tcp_user_timeout"] == "15000"
    assert told == LIMITS
    engine.dispose()


def test_a_slow_statement_is_ended_unless_its_transaction_allows_more(hurried: Engine) -> None:
    slow = sa.text("SELECT pg_sleep(0.4)")
    with (
        pytest.raises(sa.exc.OperationalError, match="statement timeout"),
        transaction(hurried) as session,
    ):
        session.connection().execute(slow)
    with transaction(hurried, answer_within=timedelta(seconds=5)) as session:
        session.connection().execute(slow)
