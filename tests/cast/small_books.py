"""A small rehearsal from files, and the code that runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from dunning.calendar import Calendar
from dunning.ids import OrganisationId
from rehearsal.book import events
from rehearsal.drive import Drive, Driven
from rehearsal.run import set_up
from rehearsal.script import Files, Script, read_script
from store.calendars import calendar_of
from store.engine import transaction
from store.tables import Organisation

HEAD = "customer,customer_name,email,invoice,issued_on,due_on,total,currency,paid_on"


def written(
    folder: Path, rows: Iterable[str], plan: str, start: date, until: date, **settings: Any
) -> Script:
    """The script of a book of these rows, under ``HEAD``, with one plan in TOML."""
    book, plan_file = folder / "book.csv", folder / "plan.toml"
    book.write_text("\n".join([HEAD, *rows]) + "\n")
    plan_file.write_text(plan)
    return read_script(Files(book, [plan_file]), start, until, **settings)


@dataclass(frozen=True)
class SetUp:
    """A rehearsal whose organisation exists; worker and relay are running."""

    script: Script
    organisation_id: OrganisationId
    calendar: Calendar

    async def drive(
        self, engine: Engine, end: date, progress: Callable[[datetime], None] = lambda _: None
    ) -> Driven:
        """Run the whole rehearsal, until the day ``end`` begins."""
        script = self.script
        found = events(script.rows, script.facts, self.calendar, script.start, script.until)
        drive = Drive(engine, self.organisation_id, script.manual_days)
        return await drive.run(found, self.calendar.start_of(end), progress)


def set_up_on(engine: Engine, script: Script) -> SetUp:
    organisation_id = set_up(engine, script)
    with transaction(engine) as session:
        calendar = calendar_of(session.get_one(Organisation, organisation_id))
    return SetUp(script, organisation_id, calendar)
