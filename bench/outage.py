"""What a client sees, minute by minute, when PostgreSQL hangs: ``python -m bench.outage``.

The API runs as in production (uvicorn, its own process), on an embedded PostgreSQL that is stopped
with SIGSTOP for a while. A billing system reports four customers a second,
each request on its own; a load balancer asks ``/readyz`` once a second. At the end it
is checked that everything confirmed with 2xx is in the database, and the rest is reported again.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import sqlalchemy as sa

from backoffice.people.keys import BILLING, new_key
from local.standalone import Embedded
from stand_ins.api_process import api_process
from stand_ins.postgres_processes import signal_all
from store import tables as t
from store.engine import connect, migrate, transaction
from store.unit import Unit

_EVERY_SECONDS = 0.25
_MINUTE = 60.0


@dataclass
class Seen:
    """What a client saw in one minute, by what it asked: answers, and the slowest in seconds."""

    answers: dict[str, Counter[str]] = field(default_factory=dict)
    slowest: dict[str, float] = field(default_factory=dict)

    def add(self, what: str, answer: str, took: float) -> None:
        self.answers.setdefault(what, Counter())[answer] += 1
        self.slowest[what] = max(self.slowest.get(what, 0), took)


class Client:
    def __init__(self, base: str, key: str, began: float) -> None:
        self._http = httpx.AsyncClient(
            base_url=base,
            headers={"Authorization": f"Bearer {key}"},
            timeout=600,
            limits=httpx.Limits(max_connections=None),
        )
        self._began = began
        self.minutes: dict[int, Seen] = {}
        self.told: dict[str, str] = {}

    async def ask(self, what: str, method: str, path: str, **more: object) -> str:
        """Sends a request; it counts for the minute in which it was sent."""
        sent = time.monotonic()
        try:
            answer = await self._http.request(method, path, **more)  # type: ignore[arg-type]
            told = str(answer.status_code)
            if told == "503" and "retry-after" in answer.headers:
                told = "503 Retry-After"
        except httpx.HTTPError as e:
            told = type(e).__name__
        took = time.monotonic() - sent
        minute = int((sent - self._began) // _MINUTE)
        self.minutes.setdefault(minute, Seen()).add(what, told, took)
        return told

    async def report(self, customer: str) -> None:
        self.told[customer] = await self.ask(
            "report", "PUT", f"/v1/customers/{customer}", json={"name": "Acme"}
        )


async def live(client: Client, pid: int, before: float, hang: float, after: float) -> None:
    began, asked, tasks = time.monotonic(), 0, set[asyncio.Task[object]]()
    state = "before"
    while (now := time.monotonic() - began) < before + hang + after:
        if state == "before" and now >= before:
            state = "hangs"
            signal_all(pid, signal.SIGSTOP)
        if state == "hangs" and now >= before + hang:
            state = "after"
            signal_all(pid, signal.SIGCONT)
        tasks.add(asyncio.create_task(client.report(f"c-{asked}")))
        if asked % 4 == 0:
            tasks.add(asyncio.create_task(client.ask("/readyz", "GET", "/readyz")))
            tasks.add(asyncio.create_task(client.ask("/healthz", "GET", "/healthz")))
        asked += 1
        await asyncio.sleep(_EVERY_SECONDS)
    await asyncio.gather(*tasks)


def main(before: float, hang: float, after: float) -> None:
    with tempfile.TemporaryDirectory(prefix="dunning-") as folder:
        embedded = Embedded(Path(folder), temporal=None, durable=False)
        with embedded as services:
            url = services.database_url
            migrate(url)
            key = _billing_key(url)
            with api_process({"DUNNING_DATABASE_URL": url}) as base:
                spans = (before, hang, after)
                asyncio.run(_measure(Client(base, key, time.monotonic()), embedded, url, spans))


def _billing_key(url: str) -> str:
    engine = connect(url, pool_size=2)
    with transaction(engine) as session:
        organisation = t.Organisation(name="Amber & Sons")
        session.add(organisation)
        session.flush()
        key = new_key(Unit(session, organisation.id), BILLING, "billing")
    engine.dispose()
    return key


async def _measure(
    client: Client, embedded: Embedded, url: str, spans: tuple[float, float, float]
) -> None:
    assert embedded.postgres_pid
    await live(client, embedded.postgres_pid, *spans)
    await _show(client, url)


async def _show(client: Client, url: str) -> None:
    for minute, seen in sorted(client.minutes.items()):
        print(f"minute {minute + 1}")
        for what, answers in sorted(seen.answers.items()):
            told = ", ".join(f"{count} x {answer}" for answer, count in sorted(answers.items()))
            print(f"  {what:8}  {told}; slowest {seen.slowest[what]:.2f} s")
    engine = connect(url, pool_size=2)
    with engine.connect() as connection:
        stored = set(connection.execute(sa.text("SELECT external_id FROM customer")).scalars())
    engine.dispose()
    good = {customer for customer, told in client.told.items() if told in ("200", "201")}
    others = set(client.told) - good
    print(f"told 2xx: {len(good)}, of which not stored: {len(good - stored)}")
    print(f"told otherwise: {len(others)}, of which stored whole: {len(others & stored)}")
    for customer in others:
        await client.report(customer)
    again = {told for customer, told in client.told.items() if customer in others}
    print(f"the same {len(others)} again: {sorted(again)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=float, default=60, help="seconds before it hangs")
    parser.add_argument("--hang", type=float, default=120, help="seconds")
    parser.add_argument("--after", type=float, default=60, help="seconds after it goes on")
    given = parser.parse_args()
    main(given.before, given.hang, given.after)
