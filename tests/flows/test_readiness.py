"""/readyz, and the number of database connections of the API."""

from __future__ import annotations

import asyncio

import httpx
import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy import Engine

from api.app import create_app
from api.http.database import CONNECTIONS
from backoffice.delivery import callbacks
from backoffice.people.keys import BILLING, new_key
from dunning.ids import OrganisationId
from dunning.learnt import CameIn
from settings import Settings
from store import tables as t
from store.engine import connect, transaction
from store.nudges import nudge_many
from store.unit import Unit

pytestmark = pytest.mark.services


def calls(url: str, settings: Settings | None = None) -> tuple[httpx.AsyncClient, Engine]:
    """The API on a pool of its usual size; waiting for a connection fails at once."""
    engine = connect(url, pool_size=CONNECTIONS)
    engine.pool._timeout = 0.001  # type: ignore[attr-defined]
    app = create_app(settings or Settings(ready_seconds=30), engine)
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://dunning", timeout=60), engine


def organisation(engine: Engine) -> tuple[OrganisationId, str]:
    with transaction(engine) as session:
        row = t.Organisation(name="Amber & Sons")
        session.add(row)
        session.flush()
        return row.id, new_key(Unit(session, row.id), BILLING, "billing")


async def test_readyz_reports_the_backlog_of_relay_and_callbacks(
    database_url: str, engine: Engine
) -> None:
    """The API stays ready while no worker runs: it stores facts without one."""
    organisation_id, _ = organisation(engine)
    client, pooled = calls(database_url)
    async with client:
        none = {"waiting": 0, "oldest_seconds": 0.0}
        answer = await client.get("/readyz")
        assert answer.json() == {"status": "ok", "relay": none, "callbacks": none}
        with transaction(engine) as session:
            customers = [
                t.Customer(organisation_id=organisation_id, external_id=name, name=name)
                for name in ("C-1", "C-2")
            ]
            session.add_all(customers)
            session.flush()
            nudge_many(Unit(session, organisation_id), [c.id for c in customers])
            callbacks.store(session, CameIn(provider="lob"), "https://we.example", {}, b"{}")
        with transaction(engine) as session:
            for table, column in (("nudge", "created_at"), ("callback", "received_at")):
                session.connection().execute(
                    sa.text(f"UPDATE {table} SET {column} = now() - interval '90 seconds'")
                )
        answer = await client.get("/readyz")
    assert answer.status_code == 200
    found = answer.json()
    assert [found[k]["waiting"] for k in ("relay", "callbacks")] == [2, 1]
    assert all(90 <= found[k]["oldest_seconds"] < 120 for k in ("relay", "callbacks"))
    pooled.dispose()


async def test_no_request_waits_for_a_database_connection(
    database_url: str, engine: Engine
) -> None:
    """A request that holds a connection needs a thread. If other requests held all threads and
    waited for connections, that would be a deadlock until the pool times out."""
    _, key = organisation(engine)
    client, pooled = calls(
        database_url,
        Settings(outbox_webhook_key=SecretStr("s"), request_seconds=60, ready_seconds=30),
    )
    headers = {"Authorization": f"Bearer {key}"}
    csv = b"customer,customer_name,email,invoice,issued_on,due_on,total,currency,paid_on\n"
    csv += b"C-1,Acme,a@acme.example,INV-1,2025-01-01,2025-02-01,10.00,EUR,\n"
    imported = {"Content-Type": "text/csv", **headers}
    async with client:
        answers = await asyncio.gather(
            *(client.get("/v1/customers/nobody", headers=headers) for _ in range(90)),
            *(client.post("/v1/imports", headers=imported, content=csv) for _ in range(10)),
            *(client.post("/webhooks/outbox", content=b"{}") for _ in range(30)),
            *(client.get("/readyz") for _ in range(10)),
        )
    found = [answer.status_code for answer in answers]
    assert [a.text for a in answers if a.status_code in (422, 500, 503)] == []
    assert found == [404] * 90 + [200] * 10 + [401] * 30 + [200] * 10
    assert pooled.pool.checkedout() == 0  # type: ignore[attr-defined]
    pooled.dispose()
