"""The sample organisation of a first start: the sample book, with its dates moved to today."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, select

from backoffice.ledger.customers import CustomerFact, put_customer
from backoffice.people.groups import set_group
from backoffice.people.keys import BILLING, MEMBER, new_key
from backoffice.people.members import put_member
from backoffice.people.plans import put_plan
from books.book import read_book
from books.errors import RowError
from books.reading import read_toml
from books.row import BookRow
from messages.check import check_texts
from rehearsal.apply import apply_all
from rehearsal.book import FACTS_BY, events
from store import tables as t
from store.calendars import calendar_of
from store.engine import transaction
from store.unit import Unit

_EXAMPLES = Path(__file__).parents[1] / "examples"
_MEMBERS = (
    ("anna@sample.example", "Anna Admin", "admin"),
    ("bruno@sample.example", "Bruno Keller", "member"),
    ("chloe@sample.example", "Chloé Martin", "member"),
)
_GROUP = "account managers"
_SECOND_PLAN = "Contextualized reminders"


@dataclass(frozen=True)
class SampleKey:
    """A key of the sample organisation, in clear: it protects only sample data on loopback."""

    who: str
    key: str


def load_sample(engine: Engine, keys_file: Path) -> list[SampleKey]:
    """Makes the sample organisation in an empty database, else returns its existing keys."""
    with transaction(engine) as session:
        if session.exec(select(t.Organisation.id).limit(1)).first() is None:
            keys = _make(session, datetime.now(UTC))
            _write(keys_file, keys)
            return keys
    return read_keys(keys_file)


def read_keys(keys_file: Path) -> list[SampleKey]:
    if not keys_file.exists():
        return []
    return [SampleKey(**entry) for entry in json.loads(keys_file.read_text("utf-8"))]


def _write(keys_file: Path, keys: list[SampleKey]) -> None:
    keys_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(os.open(keys_file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        json.dump([vars(key) for key in keys], file, indent=2)


def _make(session: Session, now: datetime) -> list[SampleKey]:
    organisation = t.Organisation(name="Sample & Sons", timezone="Europe/Paris", holidays="FR")
    session.add(organisation)
    session.flush()
    unit = Unit(session, organisation.id, now, by=FACTS_BY)
    members = [put_member(unit, *who) for who in _MEMBERS]
    set_group(unit, _GROUP, members)
    for path in sorted(_EXAMPLES.glob("plan*.toml"), key=lambda p: len(p.name)):
        put_plan(unit, read_toml(path.read_bytes()), check_texts, owners_must_exist=False)
    rows = _rows_until(now)
    calendar = calendar_of(organisation)
    today = calendar.today(now)
    apply_all(unit, events(rows, [], calendar, min(row.issued_on for row in rows), today))
    _assign(unit, members, _to_call(rows, today))
    keys = [SampleKey(f"{m.name} ({m.role})", new_key(unit, MEMBER, m.name, m)) for m in members]
    billing = new_key(unit, BILLING, "sample billing system")
    return [*keys, SampleKey("billing system", billing)]


def _to_call(rows: list[BookRow], today: date) -> set[str]:
    """Customers who are overdue for about as long as the second plan's call asks for, so that the
    sample has something to do at once."""
    return {
        row.customer
        for row in rows
        if row.paid_on is None and row.due_on and 15 <= (today - row.due_on).days < 30
    }


def _assign(unit: Unit, members: list[t.Member], to_call: set[str]) -> None:
    """Gives each customer a member in turn, and the second plan to those to be called."""
    customers = unit.session.exec(
        select(t.Customer).where(t.Customer.organisation_id == unit.organisation_id)
    ).all()
    for place, customer in enumerate(sorted(customers, key=lambda c: c.external_id)):
        fact = CustomerFact(
            external_id=customer.external_id,
            name=customer.name,
            terms_days=customer.terms_days,
            language=customer.language,
            country=customer.country,
            members=[members[place % len(members)].email],
            plan=_SECOND_PLAN if customer.external_id in to_call else None,
        )
        put_customer(unit, fact)


def _rows_until(now: datetime) -> list[BookRow]:
    """The sample book, moved by whole weeks so that its middle is now, without later payments."""
    with (_EXAMPLES / "book.csv").open("rb") as file:
        rows = [row for row in read_book(file) if not isinstance(row, RowError)]
    days = sorted(row.issued_on for row in rows)
    weeks = (now.date() - days[len(days) * 3 // 4]).days // 7
    shift = timedelta(weeks=weeks)
    moved = []
    for row in rows:
        paid_on = row.paid_on + shift if row.paid_on else None
        moved.append(
            replace(
                row,
                issued_on=row.issued_on + shift,
                due_on=row.due_on + shift if row.due_on else None,
                paid_on=paid_on if paid_on and paid_on <= now.date() else None,
            )
        )
    return moved
