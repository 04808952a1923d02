"""``dunning rehearse``: its own organisation, its own clock, and by default its own services."""

from __future__ import annotations

import asyncio
import time as real_time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from temporalio.client import Client

from activities.options import WorkerOptions
from activities.outbox_channels import outbox_channels
from activities.running import connections_of, running
from backoffice.people.members import put_member
from backoffice.people.plans import put_plan
from books.book import read_book
from books.causes import Causes, by_cause
from books.cells import check_amount
from books.errors import BookError, RowError
from books.facts import Fact, FactKind, read_facts
from books.map import BookMap
from books.read_map import read_map
from books.reading import Unreadable, read_toml
from books.row import BookRow
from dunning.calendar import instant
from dunning.plan import PlanError
from messages.check import check_texts
from plans.read import parse_plan
from rehearsal.book import events
from rehearsal.drive import Drive
from rehearsal.report import Summary, summarise, write_actions, write_summary
from store import tables as t
from store.calendars import (
    CalendarError,
    calendar_of,
    check_zone,
    parse_working_days,
    public_holidays,
)
from store.engine import connect, transaction
from store.errors import DunningError
from store.unit import Unit

_OWNER = ("owner@example.com", "Owner")
#: Activities at a time: every moment of a rehearsal waits for the last of them.
_THREADS = 12


class RehearsalError(ValueError):
    """The input of a rehearsal makes no sense: every line of it says what, where and why."""


@dataclass(frozen=True)
class Script:
    """Everything a rehearsal is made of, read and checked before anything starts."""

    rows: list[BookRow]
    facts: list[Fact]
    plans: list[dict[str, Any]]
    start: date
    until: date
    timezone: str = "Europe/Paris"
    sending_time: time = time(8, 30)
    working_days: str = "mon-fri"
    holidays: str = ""
    manual_days: int | None = 0
    name: str = "Rehearsal"


def read_script(
    book: Path,
    plans: list[Path],
    start: date,
    until: date,
    *,
    book_map: Path | None = None,
    facts: Path | None = None,
    skip_bad_rows: bool = False,
    **settings: Any,
) -> Script:
    """Read every file whole. Raises RehearsalError with the bad rows by cause, or the first bad
    file."""
    if until < start:
        raise RehearsalError(f"--until {until} is before --from {start}")
    try:
        check_zone(settings.get("timezone", "Europe/Paris"))
        parse_working_days(settings.get("working_days", "mon-fri"))
        if settings.get("holidays"):
            public_holidays(settings["holidays"])
    except CalendarError as e:
        raise RehearsalError(str(e)) from None
    loaded = [read_plan(path) for path in plans]
    names = [data["name"] for data in loaded]
    for name in names:
        if names.count(name) > 1:
            raise RehearsalError(f"two plans are called {name!r}")
    rows, bad = read_rows(book, _map(book_map))
    wrong = _wrong_rows(rows, names)
    bad = sorted([*bad, *wrong], key=lambda e: e.line)
    if bad and not skip_bad_rows:
        hint = "mend the rows, or leave them out: --skip-bad-rows"
        raise RehearsalError("\n".join([*by_cause(Causes(bad), book.name), hint]))
    without = {e.line for e in wrong}
    told = _facts(facts)
    if facts is not None and not skip_bad_rows and (bad := _wrong_facts(told, rows, names)):
        raise RehearsalError(_listed(facts, bad))
    return Script(
        rows=[row for row in rows if row.line not in without],
        facts=told,
        plans=loaded,
        start=start,
        until=until,
        **settings,
    )


def _listed(path: Path, bad: list[RowError]) -> str:
    more = f"\n… and {len(bad) - 50} more" if len(bad) > 50 else ""
    return "\n".join(f"{path.name}, {e}" for e in bad[:50]) + more


def _wrong_rows(rows: list[BookRow], plans: list[str]) -> list[RowError]:
    """Rows that name a plan that is not loaded, or a parent that the book does not know."""
    customers = {row.customer for row in rows}
    wrong = []
    for row in rows:
        if row.plan and row.plan not in plans:
            wrong.append(RowError(row.line, "plan", f"no plan {row.plan!r} is loaded"))
        if row.parent and row.parent not in customers:
            reason = f"the book has no customer {row.parent!r}"
            cause = "names a customer who is not in the book"
            wrong.append(RowError(row.line, "parent", reason, cause, row.parent))
    return wrong


def _wrong_facts(told: list[Fact], rows: list[BookRow], plans: list[str]) -> list[RowError]:
    """Facts about what the book does not know. Whether one makes sense at its moment shows then."""
    customers = {row.customer for row in rows}
    invoices = {row.invoice: row for row in rows if not row.credit_note}
    wrong = []
    for fact in told:
        row = invoices.get(fact.invoice)
        if fact.customer not in customers:
            reason = f"the book has no customer {fact.customer!r}"
            wrong.append(RowError(fact.line, "customer", reason))
        elif fact.invoice and (row is None or row.customer != fact.customer):
            reason = f"customer {fact.customer!r} has no invoice {fact.invoice!r} in the book"
            wrong.append(RowError(fact.line, "invoice", reason))
        elif fact.kind is FactKind.PLAN and fact.text not in plans:
            wrong.append(RowError(fact.line, "value", f"no plan {fact.text!r} is loaded"))
        elif fact.amount is not None and row is not None:
            if fact.currency not in ("", row.currency):
                reason = f"invoice {fact.invoice!r} is in {row.currency}"
                wrong.append(RowError(fact.line, "value", reason))
                continue
            try:
                check_amount(fact.amount, row.currency)
            except ValueError as e:
                wrong.append(RowError(fact.line, "value", str(e)))
    return sorted(wrong, key=lambda e: e.line)


def read_rows(book: Path, book_map: BookMap | None) -> tuple[list[BookRow], list[RowError]]:
    try:
        with book.open("rb") as file:
            found: Iterable[BookRow | RowError] = read_book(file, book_map)
            rows: list[BookRow] = []
            bad: list[RowError] = []
            for row in found:
                (bad if isinstance(row, RowError) else rows).append(row)  # type: ignore[arg-type]
    except (BookError, OSError) as e:
        raise RehearsalError(f"{book}: {e}") from None
    return rows, bad


def _map(path: Path | None) -> BookMap | None:
    if path is None:
        return None
    try:
        return read_map(path.read_bytes())
    except (BookError, OSError) as e:
        raise RehearsalError(f"{path}: {e}") from None


def _facts(path: Path | None) -> list[Fact]:
    if path is None:
        return []
    try:
        with path.open("rb") as file:
            found, bad = read_facts(file)
    except (BookError, OSError) as e:
        raise RehearsalError(f"{path}: {e}") from None
    if bad:
        raise RehearsalError(_listed(path, bad))
    return found


def read_plan(path: Path) -> dict[str, Any]:
    """A plan's TOML, checked. Raises RehearsalError naming the file, the step and the reason."""
    try:
        data = read_toml(path.read_bytes())
        check_texts(parse_plan(data))
    except (OSError, Unreadable, PlanError) as e:
        raise RehearsalError(f"{path}: {e}") from None
    return data


def set_up(engine: Engine, script: Script) -> uuid.UUID:
    """The rehearsal's own organisation, with its clock at the start and the plans loaded."""
    with transaction(engine) as session:
        organisation = t.Organisation(
            name=script.name,
            timezone=script.timezone,
            sending_time=script.sending_time,
            cut_off=max(time(17), script.sending_time),
            working_days=script.working_days,
            holidays=script.holidays,
        )
        organisation.rehearsal_now = calendar_of(organisation).start_of(script.start)
        session.add(organisation)
        session.flush()
        unit = Unit(session, organisation.id)
        put_member(unit, *_OWNER, "admin")
        for data in script.plans:
            put_plan(
                unit,
                data,
                check_texts,
                owners_must_exist=False,
            )
        return organisation.id


async def rehearse(
    script: Script,
    database_url: str,
    client: Client,
    *,
    task_queue: str | None = None,
    progress: Callable[[datetime], None] = lambda _: None,
    worker: bool = True,
    sandboxed: bool = False,
) -> tuple[uuid.UUID, Summary]:
    """Live through the script on running services; returns the organisation and the figures.

    ``worker=False``: worker and relay run already, which they must where several rehearsals share
    a database, because a relay serves all of it. ``sandboxed``: as in production, and slower.
    """
    # One more for the drive, which never does two things at a time.
    engine = connect(database_url, pool_size=connections_of(_THREADS) + 1)
    began = real_time.monotonic()
    try:
        organisation_id = await asyncio.to_thread(set_up, engine, script)
        with transaction(engine) as session:
            calendar = calendar_of(session.get_one(t.Organisation, organisation_id))
        found = events(script.rows, script.facts, calendar, script.start, script.until)
        drive = Drive(engine, organisation_id, script.manual_days)
        until = instant(calendar.zone, script.until, time(23, 59, 59))
        queue = task_queue or f"rehearsal-{organisation_id}"
        if worker:
            channels = outbox_channels(engine, None)
            async with running(
                client,
                engine,
                database_url,
                channels,
                WorkerOptions(task_queue=queue, threads=_THREADS, sandboxed=sandboxed),
            ):
                driven = await drive.run(found, until, progress)
        else:
            driven = await drive.run(found, until, progress)
        summary = Summary(
            start=script.start.isoformat(),
            until=script.until.isoformat(),
            seconds=round(real_time.monotonic() - began, 2),
            moments=driven.moments,
            refused=driven.refused,
        )
        return organisation_id, summary
    finally:
        engine.dispose()


def write(database_url: str, organisation_id: uuid.UUID, summary: Summary, folder: Path) -> Summary:
    """DIR/actions.csv and DIR/summary.json; returns the completed figures."""
    folder.mkdir(parents=True, exist_ok=True)
    engine = connect(database_url, pool_size=2)
    try:
        with transaction(engine) as session:
            summary.actions = write_actions(session, organisation_id, folder / "actions.csv")
            summarise(session, organisation_id, summary)
    finally:
        engine.dispose()
    write_summary(summary, folder / "summary.json")
    return summary


__all__ = ["DunningError", "RehearsalError", "Script", "read_script", "rehearse", "write"]
