"""Kill -9 of the worker, of Temporal and of PostgreSQL in the middle of a rehearsed week: nothing
is sent twice, nothing is lost, and everything goes on by itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from local.standalone import Embedded
from rehearsal.book import events
from rehearsal.drive import Drive
from rehearsal.report import Summary
from rehearsal.run import rehearse, set_up, write
from rehearsal.script import Files, Script, read_script
from store.calendars import calendar_of
from store.engine import connect, migrate, transaction
from store.tables import Organisation
from tests.cast.scripted import until
from tests.cast.skipping import Skipping

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
    head = "customer,customer_name,email,invoice,issued_on,due_on,total,currency,paid_on"
    rows = [
        f"C{n:02},Customer {n},c{n}@example.com,INV-{n},2025-02-01,2025-03-03,{100 + n},EUR,"
        + (f"2025-03-0{4 + n % 4}" if n % 5 == 0 else "")
        for n in range(CUSTOMERS)
    ]
    book, plan = tmp_path / "book.csv", tmp_path / "plan.toml"
    book.write_text("\n".join([head, *rows]) + "\n")
    plan.write_text(PLAN)
    return read_script(Files(book, [plan]), MONDAY, FRIDAY)


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
            cwd=ROOT, env=self._environment, stdout=self._log, stderr=self._log,
        )  # fmt: skip

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
def ended(worker: WorkerProcess) -> Iterator[WorkerProcess]:
    try:
        yield worker
    finally:
        worker.end()


def sent(url: str) -> int:
    """How many messages are in the outbox; -1 while the database is away."""
    try:
        with psycopg.connect(url.replace("+psycopg", ""), connect_timeout=2) as connection:
            row = connection.execute("SELECT count(*) FROM outbox").fetchone()
            return int(row[0]) if row else 0
    except psycopg.Error:
        return -1


def actions(folder: Path) -> list[str]:
    """The rows of actions.csv; of those of the same instant either may be first."""
    return sorted((folder / "actions.csv").read_text("utf-8").splitlines())


async def test_kill_9_of_everything_in_a_rehearsed_week(
    week: Script, skipping: Skipping, database_url: str, tmp_path: Path
) -> None:
    quiet_id, quiet = await rehearse(week, database_url, skipping.client)
    write(database_url, quiet_id, quiet, tmp_path / "quiet")

    embedded = Embedded(tmp_path / "state")
    with embedded as services:
        url, queue = services.database_url, "kill"
        migrate(url)
        worker = WorkerProcess(url, services.temporal_address, queue, tmp_path)
        with ended(worker):
            worker.start()
            engine = connect(url, pool_size=5)
            organisation_id = set_up(engine, week)
            with transaction(engine) as session:
                calendar = calendar_of(session.get_one(Organisation, organisation_id))
            found = events(week.rows, week.facts, calendar, MONDAY, FRIDAY)
            drive = Drive(engine, organisation_id, week.manual_days)
            end = calendar.start_of(date(2025, 3, 8))
            driving = asyncio.create_task(drive.run(found, end, lambda _: None))

            async def after(messages: int) -> None:
                async def seen() -> bool:
                    return driving.done() or await asyncio.to_thread(sent, url) >= messages

                await until(seen, within=60, every=0.05)
                assert not driving.done(), "the week was over too soon"

            # All of it in the middle of Monday's emails.
            await after(CUSTOMERS // 4)
            worker.kill()
            worker.start()
            await after(CUSTOMERS // 2)
            assert embedded.temporal_pid
            os.kill(embedded.temporal_pid, signal.SIGKILL)
            await asyncio.to_thread(embedded.restart_temporal)
            await after(CUSTOMERS * 5 // 8)
            assert embedded.postgres_pid
            os.kill(embedded.postgres_pid, signal.SIGKILL)
            await asyncio.to_thread(embedded.restart_postgres)
            driven = await driving
            assert worker.lives  # it got over Temporal and PostgreSQL by itself
            assert driven.refused == []

            summary = Summary(start=str(MONDAY), until=str(FRIDAY))
            write(url, organisation_id, summary, tmp_path / "killed")
            with engine.connect() as connection:
                twice = connection.execute(
                    sa.text("SELECT action_id FROM delivery GROUP BY 1 HAVING count(*) > 1")
                ).all()
                unsettled = connection.execute(
                    sa.text("SELECT status FROM delivery WHERE status <> 'accepted'")
                ).all()
                messages = connection.execute(
                    sa.text(
                        "SELECT recipients, subject, at::date, count(*) FROM outbox"
                        " GROUP BY 1, 2, 3 HAVING count(*) > 1"
                    )
                ).all()
            engine.dispose()
    assert (twice, unsettled, messages) == ([], [], [])
    assert actions(tmp_path / "killed") == actions(tmp_path / "quiet")
    assert summary.messages == quiet.messages
    assert summary.steps == quiet.steps
