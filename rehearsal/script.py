"""The input of a rehearsal: a book, plans and facts, read and checked before it starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any

from books.book import read_book
from books.causes import Causes, by_cause
from books.cells import check_amount
from books.errors import BookError, RowError
from books.facts import Fact, FactKind, read_facts
from books.map import BookMap
from books.read_map import read_map
from books.reading import Unreadable, read_toml
from books.row import BookRow
from dunning.plan import PlanError
from messages.check import check_texts
from plans.read import parse_plan
from store.calendars import (
    CalendarError,
    check_zone,
    parse_working_days,
    public_holidays,
)


class RehearsalError(ValueError):
    """The input of a rehearsal is not valid: every line of the text says what, where and why."""


@dataclass(frozen=True)
class Script:
    """The whole input of a rehearsal, read and checked before anything starts."""

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


@dataclass(frozen=True)
class Files:
    """``plans``: the first is the default plan. ``book_map``: how to read a foreign book."""

    book: Path
    plans: list[Path]
    book_map: Path | None = None
    facts: Path | None = None


def read_script(
    files: Files, start: date, until: date, *, skip_bad_rows: bool = False, **settings: Any
) -> Script:
    """Reads every file. Raises RehearsalError with the bad rows by cause, or the first bad file."""
    if until < start:
        raise RehearsalError(f"--until {until} is before --from {start}")
    _check_settings(settings)
    plans = _plans(files.plans)
    names = [data["name"] for data in plans]
    rows, bad = read_rows(files.book, _map(files.book_map))
    wrong = _wrong_rows(rows, names)
    bad = sorted([*bad, *wrong], key=lambda e: e.line)
    if bad and not skip_bad_rows:
        hint = "mend the rows, or leave them out: --skip-bad-rows"
        raise RehearsalError("\n".join([*by_cause(Causes(bad), files.book.name), hint]))
    without = {e.line for e in wrong}
    facts = _facts(files.facts)
    if files.facts is not None and not skip_bad_rows and (bad := _wrong_facts(facts, rows, names)):
        raise RehearsalError(_listed(files.facts, bad))
    return Script(
        rows=[row for row in rows if row.line not in without],
        facts=facts,
        plans=plans,
        start=start,
        until=until,
        **settings,
    )


def _check_settings(settings: Mapping[str, Any]) -> None:
    try:
        check_zone(settings.get("timezone", "Europe/Paris"))
        parse_working_days(settings.get("working_days", "mon-fri"))
        if settings.get("holidays"):
            public_holidays(settings["holidays"])
    except CalendarError as e:
        raise RehearsalError(str(e)) from None


def _plans(paths: list[Path]) -> list[dict[str, Any]]:
    plans = [read_plan(path) for path in paths]
    names = [data["name"] for data in plans]
    for name in names:
        if names.count(name) > 1:
            raise RehearsalError(f"two plans are called {name!r}")
    return plans


def _listed(path: Path, bad: list[RowError]) -> str:
    more = f"\n… and {len(bad) - 50} more" if len(bad) > 50 else ""
    return "\n".join(f"{path.name}, {e}" for e in bad[:50]) + more


def _wrong_rows(rows: list[BookRow], plans: list[str]) -> list[RowError]:
    """Rows that name a plan that is not loaded, or a parent that is not in the book."""
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


def _wrong_facts(facts_: list[Fact], rows: list[BookRow], plans: list[str]) -> list[RowError]:
    """Facts about customers, invoices or plans that do not exist. Whether a fact is possible at its
    moment is checked then."""
    customers = {row.customer for row in rows}
    invoices = {row.invoice: row for row in rows if not row.credit_note}
    wrong = []
    for fact in facts_:
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
