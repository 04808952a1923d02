"""kill -9 of the worker, of Temporal and of PostgreSQL during a rehearsed week: no message is sent
twice, none is lost, and everything recovers by itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from local.standalone import Embedded, Services
from rehearsal.drive import Driven
from rehearsal.report import Summary
from rehearsal.run import rehearse, write
from rehearsal.script import Script
from store.engine import connect, migrate
from tests.cast.scripted import until
from tests.cast.skipping import Skipping
from tests.cast.small_books import set_up_on, written

pytestmark = [pytest.mark.services, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
CUSTOMERS = 11
MONDAY, FRIDAY = date(2025, 3, 3), date(2025, 3, 7)

PLAN = """
name = "A busy week"
contact_delay_days = 1
""" + "".join(
    f"""
[[steps]]
key = "day-{n}"
name = "Day {n}"
type = "{kind}"
automatic = {"false" if kind == "call" else "true"}
trigger = {{from = "due", days = {n}}}
subject = "{{{{ invoice.number }}}}"
body = "{{{{ invoice.balance }}}} is open, {{{{ customer.name }}}}."
"""
    for n, kind in ((0, "email"), (1, "call"), (2, "email"), (4, "email"))
)


@pytest.fixture
def week(tmp_path: Path) -> Script:
    """Eleven customers with an invoice due on Monday 3 March 2025; some pay. An email
    on Monday, a call on Tuesday, emails on Wednesday and Friday."""
    rows = [
        f"C{n:02},Customer {n},c{n}@example.com,INV-{n},2025-02-01,2025-03-03,{100 + n},EUR,"
        + (f"2025-03-0{4 + n % 4}" if n % 5 == 0 else "")
        for n in range(CUSTOMERS)
    ]
    return written(tmp_path, rows, PLAN, MONDAY, FRIDAY)


class WorkerProcess:
    """``python worker.py``, as in production."""

    def __init__(self, url: str, address: str, queue: str, folder: Path) -> None:
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("DUNNING_", "TEMPORAL_"))},
            "DUNNING_DATABASE_URL": url,
            "DUNNING_TASK_QUEUE": queue,
            "DUNNING_STATE_DIR": str(folder),
            "DUNNING_LOG_LEVEL": "WARNING",
            "TEMPORAL_ADDRESS": address,
        }
        self._log = (folder / "worker.log").open("ab")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "worker.py"],
            cwd=ROOT,
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
        )

    def kill(self) -> None:
        assert self._process
        self._process.kill()
        self._process.wait()

    @property
    def lives(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def end(self) -> None:
        if self.lives:
            self.kill()
        self._log.close()


@contextlib.contextmanager
def worker_of(services: Services, folder: Path) -> Iterator[WorkerProcess]:
    worker = WorkerProcess(services.database_url, services.temporal_address, "kill", folder)
    try:
        worker.start()
        yield worker
    finally:
        worker.end()


def sent(url: str) -> int:
    """How many messages are in the outbox; -1 while the database does not answer."""
    try:
        with psycopg.connect(url.replace("+psycopg", ""), connect_timeout=2) as connection:
            row = connection.execute("SELECT count(*) FROM outbox").fetchone()
            return int(row[0]) if row else 0
    except psycopg.Error:
        return -1


def after(driving: asyncio.Task[Driven], url: str) -> Callable[[int], Awaitable[None]]:
    """Wait until so many messages are in the outbox, and the week is not over."""

    async def wait(messages: int) -> None:
        async def seen() -> bool:
            return driving.done() or await asyncio.to_thread(sent, url) >= messages

        await until(seen, within=60, every=0.05)
        assert not driving.done(), "the week was over too soon"

    return wait


def kill(process: int | None) -> None:
    assert process
    os.kill(process, signal.SIGKILL)


async def lived_under_kills(week: Script, folder: Path) -> Summary:
    """The week on services of its own, each of which is killed during Monday's emails."""
    embedded = Embedded(folder / "state")
    with embedded as services:
        url = services.database_url
        migrate(url)
        engine = connect(url, pool_size=5)
        with worker_of(services, folder) as worker:
            rehearsal = set_up_on(engine, week)
            driving = asyncio.create_task(rehearsal.drive(engine, date(2025, 3, 8)))
            sent_so_far = after(driving, url)
            await sent_so_far(CUSTOMERS // 4)
            worker.kill()
            worker.start()
            await sent_so_far(CUSTOMERS // 2)
            kill(embedded.temporal_pid)
            await asyncio.to_thread(embedded.restart_temporal)
            await sent_so_far(CUSTOMERS * 5 // 8)
            kill(embedded.postgres_pid)
            await asyncio.to_thread(embedded.restart_postgres)
            driven = await driving
            assert worker.lives  # it got over Temporal and PostgreSQL by itself
            assert driven.refused == []
        assert wrong(engine) == {"sent twice": [], "not settled": [], "messages twice": []}
        engine.dispose()
        summary = Summary(start=str(MONDAY), until=str(FRIDAY))
        return write(url, rehearsal.organisation_id, summary, folder / "killed")


WRONG = {
    "sent twice": "SELECT action_id FROM delivery GROUP BY 1 HAVING count(*) > 1",
    "not settled": "SELECT status FROM delivery WHERE status <> 'accepted'",
    "messages twice": "SELECT recipients, subject, at::date, count(*) FROM outbox"
    " GROUP BY 1, 2, 3 HAVING count(*) > 1",
}


def wrong(engine: sa.Engine) -> dict[str, list[sa.Row[tuple[object, ...]]]]:
    with engine.connect() as connection:
        return {
            name: list(connection.execute(sa.text(select)).all()) for name, select in WRONG.items()
        }


def actions(folder: Path) -> list[str]:
    """The rows of actions.csv, sorted: those of the same instant may be in either order."""
    return sorted((folder / "actions.csv").read_text("utf-8").splitlines())


async def test_kill_9_of_every_process_changes_nothing_in_a_rehearsed_week(
    week: Script, skipping: Skipping, database_url: str, tmp_path: Path
) -> None:
    quiet_id, quiet = await rehearse(week, database_url, skipping.client)
    write(database_url, quiet_id, quiet, tmp_path / "quiet")
    killed = await lived_under_kills(week, tmp_path)
    assert actions(tmp_path / "killed") == actions(tmp_path / "quiet")
    assert killed.messages == quiet.messages
    assert killed.steps == quiet.steps
