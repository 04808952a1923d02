"""The organisation Amber & Sons imports books."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, BinaryIO

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlmodel import select

from backoffice.ledger.credits import CreditFact, credit_or_404, put_credit, reverse_credit
from backoffice.ledger.find import find_customer
from backoffice.ledger.import_rows import ImportReport
from backoffice.ledger.imports import ImportOptions, import_book
from backoffice.ledger.kinds import PAYMENT
from backoffice.people.plans import put_plan
from dunning.ids import OrganisationId
from store import tables as t
from store.contacts import persons_of
from store.engine import transaction
from store.unit import Unit

HEADER = "customer,customer_name,email,invoice,issued_on,due_on,total,currency,paid_on"
MORE = f"{HEADER},phone,language,country,terms_days,parent,plan"
NOW = datetime(2025, 6, 2, 9, tzinfo=UTC)


def book(*rows: str, header: str = HEADER) -> Callable[[], BinaryIO]:
    text = "\n".join([header, *rows, ""])
    return lambda: io.BytesIO(text.encode())


def organisation_with_plans(engine: Engine) -> OrganisationId:
    """ "Amber & Sons" with the plans Standard and Gentle; its clock stands at ``NOW``."""
    step = {
        "key": "first",
        "name": "1st",
        "type": "email",
        "automatic": True,
        "trigger": {"from": "due", "days": 1},
        "subject": "s",
        "body": "b",
    }
    with transaction(engine) as session:
        organisation = t.Organisation(name="Amber & Sons", rehearsal_now=NOW)
        session.add(organisation)
        session.flush()
        unit = Unit(session, organisation.id)
        for name in ("Standard", "Gentle"):
            put_plan(unit, {"name": name, "steps": [step]}, lambda _: None)
        return organisation.id


class Office:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.id = organisation_with_plans(engine)

    def imports(self, *rows: str, header: str = HEADER, skip: bool = False) -> ImportReport:
        return import_book(
            self.engine, self.id, book(*rows, header=header), ImportOptions(skip_bad_rows=skip)
        )

    def refused(self, *rows: str, header: str = HEADER) -> list[str]:
        """The errors of a book that is refused as a whole."""
        before = self.everything()
        report = self.imports(*rows, header=header)
        assert report.bad_count == len({bad.line for bad in report.bad_rows})
        assert self.everything() == before
        return [str(bad) for bad in report.bad_rows]

    def rows(self, table: Any) -> list[Any]:
        where = table.organisation_id == self.id if hasattr(table, "organisation_id") else sa.true()
        with transaction(self.engine) as session:
            return list(session.exec(select(table).where(where)))

    def one(self, table: Any, key: str) -> Any:
        return next(row for row in self.rows(table) if row.external_id == key)

    def everything(self) -> dict[str, list[str]]:
        tables = (
            t.Customer,
            t.Contact,
            t.ContactAddress,
            t.Invoice,
            t.Credit,
            t.Application,
            t.TimelineEntry,
            t.Nudge,
        )
        return {str(table.__name__): sorted(map(repr, self.rows(table))) for table in tables}

    def emails(self, customer: str) -> dict[str, str]:
        """Of a customer's contacts."""
        with transaction(self.engine) as session:
            unit = Unit(session, self.id)
            persons = persons_of(unit, find_customer(unit, customer).id)
            return {one.row.external_id: one.value("email") for one in persons}

    def told(self) -> list[str]:
        entries = sorted(self.rows(t.TimelineEntry), key=lambda entry: entry.id)
        return [f"{entry.kind}: {entry.text}" for entry in entries]

    def nudged(self) -> list[str]:
        """The external ids of the nudged customers; the nudges are deleted, as by the relay."""
        names = {c.id: c.external_id for c in self.rows(t.Customer)}
        nudged = sorted(names[n.customer_id] for n in self.rows(t.Nudge))
        with transaction(self.engine) as session:
            session.connection().execute(sa.delete(t.Nudge))
        return nudged

    def pays(self, key: str, customer: str, amount: str, on: str, invoice: str) -> None:
        fact = CreditFact(
            PAYMENT,
            key,
            customer,
            Decimal(amount),
            "EUR",
            date.fromisoformat(on),
            {invoice: Decimal(amount)},
        )
        with transaction(self.engine) as session:
            put_credit(Unit(session, self.id, NOW, by="billing"), fact)

    def reverses(self, key: str) -> None:
        with transaction(self.engine) as session:
            row = credit_or_404(Unit(session, self.id), PAYMENT, key)
            reverse_credit(Unit(session, row.organisation_id, NOW, by="billing"), row, "bounced")
