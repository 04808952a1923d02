"""Rehearsals on one set of services: small books side by side, each in its own organisation."""

from __future__ import annotations

import asyncio
import io
import tempfile
import tomllib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import holidays
import pytest
from temporalio.client import Client

from activities.options import WorkerOptions
from activities.outbox_channels import outbox_channels
from activities.running import connections_of, running
from activities.temporal import connect_temporal
from books.book import read_book
from books.errors import RowError
from books.facts import read_facts
from books.row import BookRow
from local.standalone import Embedded, Services, TemporalOptions
from rehearsal.report import Summary
from rehearsal.run import rehearse, write
from rehearsal.script import Script
from store.calendars import parse_working_days
from store.engine import connect, migrate
from tests.cast.checker.check import check
from tests.cast.checker.data import ActionRow, Setting, read_actions

HEADER = "customer,customer_name,email,invoice,issued_on,due_on,total,currency,paid_on,plan,phone"


def plan(name: str, *steps: str, delay: int = 5, **more: Any) -> dict[str, Any]:
    """``plan("P", "first email 1", "talk call 8")``: key, type and days from the due date; an
    email, SMS or letter is automatic unless it says ``by-hand``."""
    data: dict[str, Any] = {"name": name, "contact_delay_days": delay, "steps": [], **more}
    for text in steps:
        key, kind, days, *rest = text.split()
        step: dict[str, Any] = {
            "key": key,
            "type": kind,
            "trigger": {"from": "due", "days": int(days)},
        }
        step["automatic"] = kind in ("email", "sms", "letter") and "by-hand" not in rest
        for word in rest:
            name_, _, value = word.partition("=")
            if value:
                step[name_] = int(value)
        if kind != "call":
            step |= {"subject": "{{ invoice.number }}", "body": "{{ invoice.balance }}"}
        data["steps"].append(step)
    return data


def script(
    plans: list[dict[str, Any]],
    start: str,
    until: str,
    *rows: str,
    facts: tuple[str, ...] = (),
    **settings: Any,
) -> Script:
    """A row: ``customer invoice issued due [paid] [plan]`` with ``-`` for what is empty."""
    lines = [HEADER]
    for row in rows:
        customer, invoice, issued, due, *rest = (w.replace("-", "", w == "-") for w in row.split())
        paid, name, total, email = [
            *rest,
            *("", "", "100.00", f"{customer}@example.com")[len(rest) :],
        ]
        email = "" if email == "none" else email
        lines.append(
            f"{customer},,{email},{invoice},{issued},{due},{total or '100.00'},EUR,{paid},{name},"
        )
    return Script(
        rows=rows_of("\n".join(lines)),
        facts=facts_of(*facts),
        plans=plans,
        start=date.fromisoformat(start),
        until=date.fromisoformat(until),
        **settings,
    )


def lines(text: str) -> tuple[str, ...]:
    """The lines of a text, without indentation and empty lines: rows, facts or expected days."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def days(text: str) -> dict[str, list[str]]:
    """Expected days by customer, as ``Lived.days`` gives them. A line: customer and day."""
    found: dict[str, list[str]] = {}
    for line in lines(text):
        customer, *words = line.split()
        found.setdefault(customer, []).append(" ".join(words))
    return found


def rows_of(text: str) -> list[BookRow]:
    found = []
    for row in read_book(io.BytesIO(text.encode())):
        assert not isinstance(row, RowError), row
        found.append(row)
    return found


def facts_of(*lines: str) -> list[Any]:
    text = "\n".join(["at,kind,customer,invoice,value", *lines])
    found, wrong = read_facts(io.BytesIO(text.encode()))
    assert not wrong, wrong
    return found


@dataclass
class Lived:
    """A finished rehearsal, and what the checker found wrong in it."""

    actions: list[ActionRow]
    summary: Summary
    violations: list[str]

    def days(self, customer: str, *statuses: str) -> list[str]:
        """ "Mon 3 Mar 08:30 first A" for each action of a customer that has one of the statuses."""
        return [
            f"{a.at:%a %-d %b %H:%M} {a.step} {a.invoice}"
            for a in self.actions
            if a.customer == customer and a.status in (statuses or ("done",))
        ]


@pytest.fixture(scope="session")
def services() -> Iterator[Services]:
    with (
        tempfile.TemporaryDirectory(prefix="dunning-", ignore_cleanup_errors=True) as folder,
        Embedded(Path(folder), durable=False, temporal=TemporalOptions(in_memory=True)) as embedded,
    ):
        migrate(embedded.database_url)
        yield embedded


@pytest.fixture(scope="session")
async def client(services: Services) -> AsyncIterator[Client]:
    """One worker and one relay for all rehearsals, sandboxed as in production."""
    connected = await connect_temporal(services.temporal_address)
    engine = connect(services.database_url, pool_size=connections_of(12))
    channels = outbox_channels(engine, None)
    options = WorkerOptions(threads=12)
    async with running(connected, engine, services.database_url, channels, options):
        yield connected
    engine.dispose()


class Stage:
    def __init__(self, services: Services, client: Client, folder: Path) -> None:
        self._services, self._client, self._folder = services, client, folder

    async def live(self, *scripts: Script) -> list[Lived]:
        """All of them at once, each in its own organisation."""
        return list(await asyncio.gather(*(self._one(script) for script in scripts)))

    async def _one(self, script: Script) -> Lived:
        organisation_id, summary = await rehearse(
            script, self._services.database_url, self._client, worker=False
        )
        folder = self._folder / str(organisation_id)
        summary = write(self._services.database_url, organisation_id, summary, folder)
        return judged(script, folder, summary)


def judged(script: Script, folder: Path, summary: Summary) -> Lived:
    setting = setting_of(script)
    actions, wrong = read_actions(folder / "actions.csv", setting)
    copies = [replace(action) for action in actions]
    copies = [replace(action) for action in actions]
    wrong += check(script.rows, script.facts, script.plans, setting, copies, summary.refused)
    return Lived(actions, summary, wrong)


def setting_of(script: Script) -> Setting:
    code = script.holidays
    return Setting(
        start=script.start,
        until=script.until,
        timezone=script.timezone,
        sending_time=script.sending_time,
        working_days=parse_working_days(script.working_days),
        holidays=holidays.country_holidays(code) if code else (),
        manual_days=script.manual_days,
    )


@pytest.fixture
def stage(services: Services, client: Client, tmp_path: Path) -> Stage:
    return Stage(services, client, tmp_path)


def example(name: str) -> Path:
    return Path(__file__).parents[2] / "examples" / name


def example_plan(name: str) -> dict[str, Any]:
    return tomllib.loads(example(name).read_text("utf-8"))
