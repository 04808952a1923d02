"""Four ways of reporting the same book to an organisation."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Engine

from backoffice.ledger.book_rows import pay_row, put_row
from backoffice.ledger.contact_matching import ContactFact
from backoffice.ledger.customers import CustomerFact, put_customer
from backoffice.ledger.imports import import_book
from backoffice.ledger.kinds import PAYMENT
from backoffice.ledger.reports import Change
from books.row import BookRow
from rehearsal.apply import apply_all
from rehearsal.book import Event, with_news
from store import bulk
from store.engine import transaction
from store.unit import Unit
from tests.cast.imports import organisation_with_plans

NOW = datetime(2025, 6, 2, 9, tzinfo=UTC)


class Way:
    """An organisation to which books are reported in one way. ``prefix``: the start of the external
    ids of payments that come from ``paid_on``."""

    prefix = "import"

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.told: dict[str, CustomerFact] = {}
        self.id = organisation_with_plans(engine)

    def report(self, rows: list[BookRow], text: str) -> None:
        raise NotImplementedError

    def do(self, what: Callable[[Unit], object]) -> None:
        with transaction(self.engine) as session:
            what(Unit(session, self.id, NOW, by="billing"))

    def customers(self, rows: list[BookRow]) -> list[CustomerFact]:
        """The customers of these rows; an empty cell keeps the earlier value."""
        facts: dict[str, CustomerFact] = {}
        for row in rows:
            old = self.told.get(row.customer)
            contact = old.contacts[0] if old and old.contacts else ContactFact("main", main=True)
            plan = facts[row.customer].plan if row.customer in facts else None
            facts[row.customer] = self.told[row.customer] = CustomerFact(
                external_id=row.customer,
                name=row.customer_name or (old.name if old else row.customer),
                parent=row.parent or (old.parent if old else None),
                terms_days=old.terms_days if old and row.terms_days is None else row.terms_days,
                language=row.language or (old.language if old else ""),
                country=row.country or (old.country if old else ""),
                plan=row.plan or plan,
                contacts=[
                    ContactFact(
                        "main",
                        main=True,
                        email=row.email or contact.email,
                        phone=row.phone or contact.phone,
                    )
                ],
            )
        return list(facts.values())


class OneByOne(Way):
    def report(self, rows: list[BookRow], text: str) -> None:
        for fact in self.customers(rows):
            self.do(lambda unit, fact=fact: put_customer(unit, fact))  # type: ignore[misc]
        for row in rows:
            self.do(lambda unit, row=row: _whole_row(unit, row))  # type: ignore[misc]


def _whole_row(unit: Unit, row: BookRow) -> None:
    change = put_row(unit, row)
    if row.paid_on is not None:
        pay_row(unit, row, f"import/{row.invoice}", corrected=change is Change.UPDATED)


class InBatches(Way):
    def report(self, rows: list[BookRow], text: str) -> None:
        def all_of_it(unit: Unit) -> None:
            with bulk.batch(
                unit,
                {row.customer for row in rows},
                {row.invoice for row in rows if not row.credit_note},
                [(PAYMENT, f"import/{row.invoice}") for row in rows[::2]],  # some of them
            ):
                for fact in self.customers(rows):
                    put_customer(unit, fact)
                for row in rows:
                    _whole_row(unit, row)

        self.do(all_of_it)


class Imported(Way):
    def report(self, rows: list[BookRow], text: str) -> None:
        report = import_book(self.engine, self.id, lambda: io.BytesIO(text.encode()))
        assert report.bad_rows == []


class Rehearsed(Way):
    prefix = "paid"

    def report(self, rows: list[BookRow], text: str) -> None:
        found = [
            Event(NOW, 2 * place + paid, row, paid=paid)
            for place, row in enumerate(rows)
            for paid in ([False, True] if row.paid_on else [False])
        ]
        self.do(lambda unit: apply_all(unit, list(with_news(found, self.told))))
