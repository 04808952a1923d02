"""From a report of the billing system to the message, end to end: API, relay, Temporal, worker and
PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from activities.temporal import connect_temporal
from api.app import create_app
from backoffice.people.keys import BILLING, MEMBER, new_key
from backoffice.people.members import put_member
from local.standalone import Embedded, TemporalOptions
from providers.port import NotSent
from settings import Settings
from stand_ins.town import PARIS, Provider, Town, call, email, plan
from store import tables as t
from store.engine import transaction
from store.unit import Unit
from tests.cast.real_sequences import Run, living, monday, morning
from tests.cast.scripted import until
from tests.cast.skipping import Skipping

pytestmark = pytest.mark.services

PLAN = plan(email("one", 1), call("call", 8), email("two", 15))


class Api:
    """Billing's and Ben's requests."""

    def __init__(self, town: Town) -> None:
        with transaction(town.engine) as session:
            ben = put_member(Unit(session, town.id), "ben@amber.example", "Ben")
            self._billing = new_key(Unit(session, town.id), BILLING, "billing")
            self._ben = new_key(Unit(session, town.id), MEMBER, "Ben", ben)
        app = create_app(Settings(request_seconds=60), town.engine)
        transport = httpx.ASGITransport(app)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://dunning", timeout=60)

    async def billing(self, method: str, path: str, body: Any = None) -> Any:
        return await self._does(self._billing, method, path, body)

    async def ben(self, method: str, path: str, body: Any = None) -> Any:
        return await self._does(self._ben, method, path, body)

    async def _does(self, key: str, method: str, path: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {key}"}
        answer = await self._client.request(method, f"/v1{path}", headers=headers, json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def acme(self) -> None:
        contact = {"external_id": "eve", "name": "Eve", "email": "eve@acme.example"}
        body = {"name": "Acme", "contacts": [contact], "members": ["ben@amber.example"]}
        await self.billing("PUT", "/customers/acme", body)

    async def invoice(self, number: str, days: int = 0, total: str = "100.00") -> None:
        """Due that many days after the coming Monday."""
        due = monday() + timedelta(days=days)
        body = {
            "customer": "acme",
            "number": number,
            "issued_on": (due - timedelta(days=30)).isoformat(),
            "due_on": due.isoformat(),
            "currency": "EUR",
            "total": total,
        }
        await self.billing("PUT", f"/invoices/{number}", body)

    async def payment(self, number: str, amount: str = "100.00") -> None:
        body = {
            "customer": "acme",
            "currency": "EUR",
            "amount": amount,
            "paid_on": monday().isoformat(),
            "applied": [{"invoice": number, "amount": amount}],
        }
        await self.billing("PUT", f"/payments/P-{number}-{amount}", body)


@pytest.fixture
def town(engine: Engine) -> Town:
    return Town(engine, Provider(), PLAN)


def sent(town: Town) -> list[str]:
    return [m.subject for m in town.provider.tried]


async def test_a_payment_reported_to_the_api_ends_the_reminders(
    skipping: Skipping, town: Town, database_url: str
) -> None:
    """Tuesday's reminder is sent; on Wednesday billing reports the payment: nothing else is sent,
    and the run ends after thirty days at rest. A new invoice starts a new run."""
    api = Api(town)
    async with living(skipping, town, database_url):
        await api.acme()
        await api.invoice("INV-1")
        run = Run(skipping, town, "acme")
        await run.asleep()
        await run.lives_until(morning(2, "11:00"))
        await until(lambda: town.actions() == [("one", "done")])
        await run.asleep()
        await api.payment("INV-1")
        await run.says("no open invoice")
        await skipping.to_its_end(run.id)
        assert sent(town) == ["INV-1: €100.00 open"]
        assert town.actions() == [("one", "done")]

        await api.invoice("INV-2", days=20, total="250.00")
        await run.says("INV-2")


async def test_a_call_completed_over_the_api_lets_the_plan_go_on(
    skipping: Skipping, town: Town, database_url: str
) -> None:
    """Ben finds the call in his list, completes it, and only then the plan goes on."""
    api = Api(town)
    async with living(skipping, town, database_url):
        await api.acme()
        await api.invoice("INV-1")
        run = Run(skipping, town, "acme")
        await run.asleep()
        await run.lives_until(morning(40))
        await run.says("Waiting for its owner")
        assert len(sent(town)) == 1
        (action,) = (await api.ben("GET", "/actions"))["items"]
        body = {"note": "Eve pays on Friday"}
        await api.ben("POST", f"/actions/{action['id']}/complete", body)
        await run.says("step 3 of 3")
        assert ("call", "done") in town.actions()


async def test_a_pause_over_the_api_moves_the_reminder_to_its_last_day(
    skipping: Skipping, town: Town, database_url: str
) -> None:
    api = Api(town)
    async with living(skipping, town, database_url):
        await api.acme()
        await api.invoice("INV-1")
        run = Run(skipping, town, "acme")
        await run.asleep()
        day = monday() + timedelta(days=9)
        await api.ben("POST", "/customers/acme/pause", {"until": day.isoformat(), "reason": "x"})
        await run.says(f"Waiting until {day:%a %-d %b %Y} 00:00")
        await run.lives_until(morning(8))
        assert sent(town) == []
        await run.lives_until(morning(10))
        await until(lambda: len(sent(town)) == 1)
        ((only,),) = [[a for a in town.rows(t.Action) if a.status == "done"]]
        assert only.executed_at.astimezone(PARIS).date() == day


async def test_ten_payments_at_the_same_time_all_count(
    skipping: Skipping, town: Town, database_url: str
) -> None:
    """The sequence sees the last balance, and no signal fails."""
    api = Api(town)
    async with living(skipping, town, database_url):
        await api.acme()
        await api.invoice("INV-1")
        run = Run(skipping, town, "acme")
        await run.asleep()
        await asyncio.gather(*(api.payment("INV-1", f"{n}.00") for n in range(1, 11)))
        await until(lambda: town.rows(t.Nudge) == [])
        last = max(e.id for e in town.rows(t.TimelineEntry) if e.kind == "payment")
        assert last
        await run.lives_until(morning(2))
        await until(lambda: sent(town) == ["INV-1: €45.00 open"])


# Temporal is down.


@pytest.fixture
def own_temporal() -> Iterator[Embedded]:
    with tempfile.TemporaryDirectory(prefix="dunning-", ignore_cleanup_errors=True) as name:
        options = TemporalOptions(time_skipping=True)
        embedded = Embedded(Path(name), postgres=False, temporal=options, durable=False)
        with embedded:
            yield embedded


async def test_facts_are_accepted_while_temporal_is_down(
    own_temporal: Embedded, town: Town, database_url: str
) -> None:
    """Temporal is killed before the reminder's day. The API accepts payments meanwhile; when
    Temporal is back, the relay signals the sequences, and they go on where they were."""
    skipping = Skipping(await connect_temporal(own_temporal.services.temporal_address))
    api = Api(town)
    async with living(skipping, town, database_url):
        await api.acme()
        await api.invoice("INV-1")
        run = Run(skipping, town, "acme")
        before = len(await run.asleep())

        assert own_temporal.temporal_pid
        os.kill(own_temporal.temporal_pid, signal.SIGKILL)
        await api.invoice("INV-2", days=2, total="250.00")
        await api.payment("INV-1")
        assert len(town.rows(t.Nudge)) >= 2
        await asyncio.to_thread(own_temporal.restart_temporal)

        await until(lambda: town.rows(t.Nudge) == [], within=40)
        await until(run.carried_on)
        assert len(await run.asleep()) < before + 10
        await run.says("INV-2")
        await run.lives_until(morning(4))
        await until(lambda: sent(town) == ["INV-2: €250.00 open"])


async def test_a_nudge_that_temporal_refuses_delays_no_other_customer(
    skipping: Skipping, town: Town, database_url: str
) -> None:
    """A nudge of three million characters, which is over Temporal's limit."""
    town.customer("zenith")
    with transaction(town.engine) as session:
        session.add(
            t.Nudge(
                organisation_id=town.id,
                customer_id=town.key_of("zenith"),
                signal="payment",
                payload={"why": "x" * 3_000_000},
            )
        )
    town.customer("acme")
    town.invoice("INV-1", monday())
    async with living(skipping, town, database_url):
        await Run(skipping, town, "acme").says("INV-1")
        await until(
            lambda: [n.signal for n in town.rows(t.Nudge)] == ["account_changed", "payment"]
        )
        town.pay("INV-1")
        await Run(skipping, town, "acme").says("no open invoice")


async def test_a_send_is_retried_by_the_next_worker(
    skipping: Skipping, town: Town, database_url: str
) -> None:
    """The provider is unavailable, and the worker is replaced before the retry."""
    api = Api(town)
    town.provider.script = [NotSent("503", timedelta(minutes=10))]
    async with living(skipping, town, database_url):
        await api.acme()
        await api.invoice("INV-1")
        run = Run(skipping, town, "acme")
        await run.asleep()
        await run.lives_until(morning(1, "08:35"))
        await until(lambda: len(sent(town)) == 1)
    assert town.actions() == []
    town.provider.script = [Provider().script[0]]
    async with living(skipping, town, database_url):
        await run.lives_until(morning(1, "09:00"))
        await until(lambda: town.actions() == [("one", "done")])
        assert len({m.delivery_id for m in town.provider.tried}) == 1
