"""A book goes into the database: Amber & Sons import what their billing system exports."""

from __future__ import annotations

import io
import random
import threading
import tracemalloc
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, BinaryIO

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from sqlmodel import select

from activities.deciding import decide_and_record
from backoffice.ledger.applied import find_credit
from backoffice.ledger.contacts import set_contact_validity
from backoffice.ledger.credits import CreditFact, credit_or_404, put_credit, reverse_credit
from backoffice.ledger.customers import CustomerFact, put_customer
from backoffice.ledger.find import find_customer, find_invoice
from backoffice.ledger.import_rows import MOST_NAMED, ImportReport
from backoffice.ledger.imports import ImportOptions, import_book
from backoffice.ledger.invoices import InvoiceFact, close_invoice, put_invoice
from backoffice.ledger.kinds import CREDIT_NOTE, PAYMENT
from backoffice.ledger.reported_contacts import ContactFact
from backoffice.people.plans import put_plan
from books.book import read_book
from books.errors import BookError, RowError
from books.read_map import read_map
from dunning.closures import Heard, Source
from store import bulk, closures
from store import tables as t
from store.engine import transaction
from store.load import load
from store.unit import Unit

HEADER = "customer,customer_name,email,invoice,issued_on,due_on,total,currency,paid_on"
MORE = f"{HEADER},phone,language,country,terms_days,parent,plan"
NOW = datetime(2025, 6, 2, 9, tzinfo=UTC)
NONE_DONE = ImportReport()


def book(*rows: str, header: str = HEADER) -> Callable[[], BinaryIO]:
    text = "\n".join([header, *rows, ""])
    return lambda: io.BytesIO(text.encode())


class Office:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        with transaction(engine) as session:
            organisation = t.Organisation(name="Amber & Sons", rehearsal_now=NOW)
            session.add(organisation)
            session.flush()
            self.id = organisation.id
            step = {"key": "first", "name": "1st", "type": "email", "automatic": True,
                    "trigger": {"from": "due", "days": 1}, "subject": "s", "body": "b"}  # fmt: skip
            for name in ("Standard", "Gentle"):
                put_plan(Unit(session, self.id), {"name": name, "steps": [step]}, lambda _: None)

    def imports(self, *rows: str, header: str = HEADER, skip: bool = False) -> ImportReport:
        return import_book(
            self.engine, self.id, book(*rows, header=header), ImportOptions(skip_bad_rows=skip)
        )

    def refused(self, *rows: str, header: str = HEADER) -> list[str]:
        """What is wrong with a book of which nothing goes in."""
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
            t.Invoice,
            t.Credit,
            t.Application,
            t.TimelineEntry,
            t.Nudge,
        )
        return {str(table.__name__): sorted(map(repr, self.rows(table))) for table in tables}

    def told(self) -> list[str]:
        entries = sorted(self.rows(t.TimelineEntry), key=lambda entry: entry.id)
        return [f"{entry.kind}: {entry.text}" for entry in entries]

    def nudged(self) -> list[str]:
        """Who was nudged; the relay takes the nudges."""
        names = {c.id: c.external_id for c in self.rows(t.Customer)}
        nudged = sorted(names[n.customer_id] for n in self.rows(t.Nudge))
        with transaction(self.engine) as session:
            session.connection().execute(sa.delete(t.Nudge))
        return nudged

    def pays(self, key: str, customer: str, amount: str, on: str, invoice: str) -> None:
        fact = CreditFact(
            PAYMENT, key, customer, Decimal(amount), "EUR", date.fromisoformat(on),
            {invoice: Decimal(amount)},
        )  # fmt: skip
        with transaction(self.engine) as session:
            put_credit(Unit(session, self.id, NOW, by="billing"), fact)

    def reverses(self, key: str) -> None:
        with transaction(self.engine) as session:
            row = credit_or_404(Unit(session, self.id), PAYMENT, key)
            reverse_credit(Unit(session, row.organisation_id, NOW, by="billing"), row, "bounced")


@pytest.fixture
def office(engine: Engine) -> Office:
    return Office(engine)


def test_a_book_becomes_customers_invoices_and_payments(office: Office) -> None:
    report = office.imports(
        "C1,Ada Ltd,ada@example.com,INV-1,2025-05-01,2025-05-31,100.00,EUR,",
        "C1,Ada Ltd,ada@example.com,INV-2,2025-05-02,2025-06-01,50.50,EUR,2025-05-20",
        "C2,,,INV-3,2025-05-03,,1000,JPY,",
    )
    assert report == ImportReport(customers=2, invoices=3, payments=1)
    ada, other = office.one(t.Customer, "C1"), office.one(t.Customer, "C2")
    assert (ada.name, other.name) == ("Ada Ltd", "C2")
    assert ada.created_at == NOW
    contacts = {c.customer_id: c for c in office.rows(t.Contact)}
    assert (contacts[ada.id].external_id, contacts[ada.id].main) == ("main", True)
    assert contacts[ada.id].email == "ada@example.com"
    assert contacts[other.id].email == ""
    first, second, third = (office.one(t.Invoice, f"INV-{n}") for n in (1, 2, 3))
    assert (first.status, first.balance, first.number) == ("open", Decimal(100), "INV-1")
    assert (second.status, second.balance, second.closed_at) == ("paid", Decimal(0), NOW)
    assert second.closed_reason == "is paid"
    assert (third.due_on, third.currency, third.balance) == (None, "JPY", Decimal(1000))
    payment = office.one(t.Credit, "import/INV-2")
    assert (payment.amount, payment.on_date) == (Decimal("50.5"), date(2025, 5, 20))
    assert office.told() == [
        "customer_created: customer Ada Ltd is known",
        "invoice_created: INV-1 issued 2025-05-01, due 2025-05-31: 100.00 EUR",
        "invoice_created: INV-2 issued 2025-05-02, due 2025-06-01: 50.50 EUR",
        "payment: payment import/INV-2 of 50.50 EUR is reported",
        "invoice_paid: INV-2 is paid",
        "customer_created: customer C2 is known",
        "invoice_created: INV-3 issued 2025-05-03: 1000 JPY",
    ]
    assert office.nudged() == ["C1", "C2"]


def test_the_same_book_twice_changes_nothing(office: Office) -> None:
    rows = (
        "C1,Ada,ada@example.com,INV-1,2025-05-01,2025-05-31,100.00,EUR,,123456,fr,FR,30,,Standard",
        "C1,Ada Ltd,ap@example.com,INV-2,2025-05-02,2025-06-01,50.50,EUR,2025-05-20,,,,,,",
        "C2,Bea,,INV-3,2025-05-03,2025-06-02,10.00,EUR,,,,,,C1,Gentle",
        "C2,Bea,,CN-1,2025-05-03,,-4.00,EUR,,,,,,,",
    )
    assert office.imports(*rows, header=MORE) == ImportReport(customers=2, invoices=4, payments=1)
    before = office.everything()
    assert office.imports(*rows, header=MORE) == ImportReport(unchanged=4)
    assert office.everything() == before
    customer = office.one(t.Customer, "C1")
    assert (customer.name, customer.language, customer.country) == ("Ada Ltd", "fr", "FR")
    assert (customer.terms_days, office.one(t.Customer, "C2").parent_id) == (30, customer.id)


def test_what_is_left_empty_erases_nothing(office: Office) -> None:
    office.imports(
        "C1,Ada,ada@example.com,INV-1,2025-05-01,2025-05-31,100.00,EUR,2025-05-20,123456,fr,FR,30,,Gentle",
        header=MORE,
    )
    before = office.everything()
    assert office.imports("C1,,,INV-1,2025-05-01,,100.00,EUR,") == ImportReport(unchanged=1)
    assert office.everything() == before


def test_news_of_a_customer_is_told_once(office: Office) -> None:
    office.imports("C1,Ada,ada@example.com,INV-1,2025-05-01,2025-05-31,100.00,EUR,")
    office.imports("C2,Bea,bea@example.com,INV-2,2025-05-01,2025-05-31,100.00,EUR,")
    office.nudged()
    before = len(office.told())
    report = office.imports(
        "C1,Ada & Co,new@example.com,INV-1,2025-05-01,2025-05-31,100.00,EUR,,,,,,,Gentle",
        "C2,Bea,bea@example.com,INV-2,2025-05-01,2025-05-31,100.00,EUR,,,,,,,",
        header=MORE,
    )
    assert report == ImportReport(customers=1, unchanged=2)
    assert office.told()[before:] == [
        "customer_updated: customer data updated",
        "plan_changed: plan changed to Gentle",
    ]
    assert office.nudged() == ["C1"]


def test_a_plan_given_by_a_book_remembers_which_invoice_carried(office: Office) -> None:
    office.imports("C1,Ada,,INV-1,2025-05-01,2025-05-31,100.00,EUR,")
    invoice = office.one(t.Invoice, "INV-1")
    assert carried_at_the_change(office, "Gentle") == str(invoice.id)
    assert office.told()[-1] == "plan_changed: plan changed to Gentle"


def test_a_book_that_names_the_default_plan_gives_no_other_plan(office: Office) -> None:
    office.imports("C1,Ada,,INV-1,2025-05-01,2025-05-31,100.00,EUR,")
    assert carried_at_the_change(office, "Standard") is None
    assert office.one(t.Customer, "C1").plan_id is not None  # kept, whatever the default becomes
    assert office.told()[-1] == "customer_updated: customer data updated"


def carried_at_the_change(office: Office, plan: str) -> str | None:
    """A sequence has decided with the default plan; then a book names ``plan``. The invoice that
    the rules take as the one that carried when the customer was given another plan."""
    row = "C1,Ada,,INV-1,2025-05-01,2025-05-31,100.00,EUR,,,,,,,"
    customer_id = office.one(t.Customer, "C1").id
    with transaction(office.engine) as session:
        decide_and_record(Unit(session, office.id, NOW), customer_id, 0)
    office.imports(row + plan, header=MORE)
    with transaction(office.engine) as session:
        return load(
            Unit.of_customer(session, customer_id), customer_id
        ).account.contextualized_invoice_id


def test_a_new_address_is_valid_again_and_an_old_one_keeps_its_mark(office: Office) -> None:
    office.imports("C1,Ada,ada@example.com,INV-1,2025-05-01,2025-05-31,100.00,EUR,")
    with transaction(office.engine) as session:
        customer = find_customer(Unit(session, office.id), "C1", lock=True)
        set_contact_validity(
            Unit(session, customer.organisation_id, NOW, by="billing"), customer, "email", "bounced"
        )
    office.imports("C1,Ada,ada@example.com,INV-2,2025-05-01,2025-05-31,100.00,EUR,")
    assert office.rows(t.Contact)[0].email_invalid == "bounced"
    office.imports("C1,Ada,right@example.com,INV-2,2025-05-01,2025-05-31,100.00,EUR,")
    contact = office.rows(t.Contact)[0]
    assert (contact.email, contact.email_invalid) == ("right@example.com", "")
    times = [datetime.fromisoformat(at) for at in contact.fixed["email"]]
    assert (times, list(contact.fixed)) == ([NOW, NOW], ["email"])


def test_a_new_address_in_a_book_is_closed_as_the_old_one_was(office: Office) -> None:
    """The email address, and the number, which another country makes another one."""
    row = "C1,Ada,{},INV-1,2025-05-01,2025-05-31,100.00,EUR,,{},,{},,,"
    office.imports(row.format("Ada@example.com", "06 12 34 56 78", "FR"), header=MORE)
    for kind, key in (("email", "ada@example.com"), ("phone", "+33612345678")):
        with transaction(office.engine) as session:
            said = Heard(Source.CALLBACK, True, "stop", NOW, "stop it")
            closures.happened(Unit(session, office.id, by="dunning"), kind, key, said)
    office.imports(row.format("right@example.com", "0470 12 34 56", "BE"), header=MORE)
    found = {(c.kind, c.address) for c in office.rows(t.Closure)}
    assert found >= {("email", "right@example.com"), ("phone", "+32470123456")}
    told = [e.text for e in office.rows(t.TimelineEntry) if e.kind == "channel_closed"]
    assert told[2:] == [
        "email of main is another one and stays closed: stop it",
        "phone of main is another one and stays closed: stop it",
    ]


def test_the_address_is_that_of_the_main_contact_whoever_that_is(office: Office) -> None:
    fact = CustomerFact(
        "C1", "Ada",
        contacts=[
            ContactFact("eve", "Eve", email="eve@example.com", main=True),
            ContactFact("max", "Max", email="max@example.com"),
        ],
    )  # fmt: skip
    with transaction(office.engine) as session:
        put_customer(Unit(session, office.id, NOW), fact)
    office.imports("C1,Ada,new@example.com,INV-1,2025-05-01,2025-05-31,100.00,EUR,")
    found = {c.external_id: c.email for c in office.rows(t.Contact)}
    assert found == {"eve": "new@example.com", "max": "max@example.com"}


# -- balances ----------------------------------------------------------------------------------


def test_paid_on_pays_what_is_then_open(office: Office) -> None:
    row = "C1,Ada,,INV-1,2025-05-01,2025-05-31,100.00,EUR,"
    office.imports(row)
    office.pays("P-1", "C1", "30.00", "2025-05-10", "INV-1")
    assert office.imports(row + "2025-05-20") == ImportReport(payments=1)
    assert office.one(t.Credit, "import/INV-1").amount == Decimal(70)
    assert office.one(t.Invoice, "INV-1").status == "paid"
    assert office.imports(row + "2025-05-20") == ImportReport(unchanged=1)


def test_what_is_paid_already_is_not_paid_again(office: Office) -> None:
    row = "C1,Ada,,INV-1,2025-05-01,2025-05-31,100.00,EUR,"
    office.imports(row)
    office.pays("P-1", "C1", "100.00", "2025-05-10", "INV-1")
    assert office.imports(row + "2025-05-20") == ImportReport(unchanged=1)
    assert [c.external_id for c in office.rows(t.Credit)] == ["P-1"]


def test_a_corrected_total_corrects_the_payment_of_the_book(office: Office) -> None:
    row = "C1,Ada,,INV-1,2025-05-01,2025-05-31,{},EUR,2025-05-20"
    office.imports(row.format("100.00"))
    for total in ("120.00", "80.00"):
        assert office.imports(row.format(total)) == ImportReport(invoices=1, payments=1)
        invoice = office.one(t.Invoice, "INV-1")
        assert (invoice.status, invoice.balance) == ("paid", 0)
        assert office.one(t.Credit, "import/INV-1").amount == Decimal(total)
    assert office.rows(t.Application)[0].amount == Decimal(80)


def test_a_raised_total_opens_an_invoice_that_was_paid_elsewhere(office: Office) -> None:
    office.imports("C1,Ada,,INV-1,2025-05-01,2025-05-31,100.00,EUR,")
    office.pays("P-1", "C1", "100.00", "2025-05-10", "INV-1")
    assert office.one(t.Invoice, "INV-1").status == "paid"
    office.imports("C1,Ada,,INV-1,2025-05-01,2025-05-31,130.00,EUR,")
    invoice = office.one(t.Invoice, "INV-1")
    assert (invoice.status, invoice.balance, invoice.closed_at) == ("open", Decimal(30), None)
    assert office.told()[-1] == "invoice_reopened: INV-1 is open again: 30.00 EUR"


def test_a_later_day_of_payment_moves_the_payment(office: Office) -> None:
    row = "C1,Ada,,INV-1,2025-05-01,2025-05-31,100.00,EUR,"
    office.imports(row + "2025-05-20")
    assert office.imports(row + "2025-05-21") == ImportReport(payments=1)
    assert office.one(t.Credit, "import/INV-1").on_date == date(2025, 5, 21)
    assert office.told()[-1] == "payment: payment import/INV-1 of 100.00 EUR is changed"


def test_a_payment_that_bounced_stays_reversed(office: Office) -> None:
    row = "C1,Ada,,INV-1,2025-05-01,2025-05-31,100.00,EUR,"
    office.imports(row + "2025-05-20")
    office.reverses("import/INV-1")
    assert office.imports(row + "2025-05-20") == ImportReport(unchanged=1)
    assert office.one(t.Invoice, "INV-1").status == "open"
    assert office.refused(row + "2025-05-28") == [
        "line 2, paid_on: the payment was reversed; report the new one by itself"
    ]


@pytest.mark.parametrize(("status", "payments"), [("void", 0), ("written_off", 1)])
def test_a_closed_invoice_stays_closed(office: Office, status: str, payments: int) -> None:
    """A void one asks for nothing; money that comes in on a written-off one is recorded."""
    row = "C1,Ada,,INV-1,2025-05-01,2025-05-31,100.00,EUR,"
    office.imports(row)
    with transaction(office.engine) as session:
        invoice = find_invoice(Unit(session, office.id), "INV-1", lock=True)
        close_invoice(
            Unit(session, invoice.organisation_id, NOW, by="billing"), invoice, status, ""
        )
    assert office.imports(row + "2025-05-20").payments == payments
    assert office.one(t.Invoice, "INV-1").status == status


def test_a_negative_total_is_a_credit_note(office: Office) -> None:
    office.imports(
        "C1,Ada,,INV-1,2025-05-01,2025-05-31,100.00,EUR,",
        "C1,Ada,,CN-1,2025-05-02,,-40.00,EUR,2025-05-03",
    )
    note = office.one(t.Credit, "CN-1")
    assert (note.kind, note.amount, note.on_date) == ("credit_note", 40, date(2025, 5, 2))
    assert office.one(t.Invoice, "INV-1").balance == 100
    assert "credit_note: credit note CN-1 of 40.00 EUR is reported" in office.told()
    row = "C1,Ada,,CN-1,2025-05-02,,-45.00,EUR,2025-05-03"
    assert office.imports(row) == ImportReport(invoices=1)
    assert office.one(t.Credit, "CN-1").amount == 45


def test_the_outcome_is_that_of_the_facts_reported_one_by_one(engine: Engine) -> None:
    """Many random books, three times over, against backoffice.ledger.facts and
    backoffice.ledger.credits row by row."""
    draw = random.Random(20250602)
    by_book, one_by_one = Office(engine), Office(engine)
    for _ in range(8):
        rows = []
        for number in draw.sample(range(24), 14):
            issued = date(2025, 1, 1) + timedelta(days=number)
            due = issued + timedelta(days=draw.choice((0, 14, 30)))
            total = draw.choice(("10.00", "25.50", "99.99")) if number % 7 else "-5.00"
            paid = issued + timedelta(days=40) if draw.random() < 0.3 else ""
            customer = number % 5
            rows.append(f"C{customer},N{customer},{customer}@example.com,I{number},{issued},{due},"
                        f"{total},EUR,{paid}")  # fmt: skip
        by_book.imports(*rows)
        _tell(one_by_one, rows)
        if draw.random() < 0.5:
            pick = draw.choice([i for i in by_book.rows(t.Invoice) if i.status == "open"])
            who = pick.external_id[1:]
            key, amount = f"P{draw.random()}", str(min(pick.balance, Decimal(7)))
            for office in (by_book, one_by_one):
                office.pays(key, f"C{int(who) % 5}", amount, "2025-03-01", pick.external_id)
        assert _state(by_book) == _state(one_by_one)


def _tell(office: Office, rows: list[str]) -> None:
    for row in read_book(book(*rows)()):
        assert not isinstance(row, RowError)
        with transaction(office.engine) as session:
            contact = ContactFact("main", email=row.email, main=True)
            fact = CustomerFact(row.customer, row.customer_name, contacts=[contact])
            put_customer(Unit(session, office.id, NOW), fact)
            if row.credit_note:
                _put(session, office, CREDIT_NOTE, row, -row.total, {})
                continue
            known_as = next(
                ((i.issued_on, i.due_on, i.total) for i in office.rows(t.Invoice)
                 if i.external_id == row.invoice), None,
            )  # fmt: skip
            invoice, _ = put_invoice(Unit(session, office.id, NOW), InvoiceFact(
                row.invoice, row.customer, row.invoice, row.issued_on, row.total, row.currency,
                row.due_on))  # fmt: skip
            known = find_credit(Unit(session, office.id), "payment", f"import/{row.invoice}")
            if row.paid_on and (known or invoice.balance):
                others = sum(
                    a.amount for a in session.exec(
                        select(t.Application).where(t.Application.invoice_id == invoice.id)
                    ) if known is None or a.credit_id != known.id
                )  # fmt: skip
                amount = row.total - others
                changed = known_as != (row.issued_on, row.due_on, row.total)
                if known and (amount <= 0 or (known.amount >= amount and not changed)):
                    amount = known.amount
                _put(session, office, PAYMENT, row, amount, {row.invoice: amount})


def _put(session: Any, office: Office, kind: str, row: Any, amount: Any, applied: Any) -> None:
    key = row.invoice if kind == CREDIT_NOTE else f"import/{row.invoice}"
    on = row.issued_on if kind == CREDIT_NOTE else row.paid_on
    fact = CreditFact(kind, key, row.customer, amount, row.currency, on, applied)
    put_credit(Unit(session, office.id, NOW, by="billing"), fact)


def _state(office: Office) -> list[tuple[Any, ...]]:
    invoices = [
        (
            i.external_id,
            i.number,
            i.issued_on,
            i.due_on,
            i.total,
            i.balance,
            i.status,
            i.closed_reason,
        )
        for i in office.rows(t.Invoice)
    ]
    paid = [(c.external_id, c.kind, c.amount, c.on_date) for c in office.rows(t.Credit)]
    return [*sorted(invoices), *sorted(paid)]


# -- bad rows ----------------------------------------------------------------------------------


def test_every_bad_row_is_named_and_nothing_goes_in(office: Office) -> None:
    office.imports(
        "C1,Ada,,INV-1,2025-05-01,2025-05-31,100.00,EUR,",
        "C1,Ada,,CN-1,2025-05-01,,-10.00,EUR,",
    )
    assert office.refused(
        "C1,Ada,,INV-9,2025-05-01,2025-05-31,100.00,EUR,,,,,,,",
        "C2,Bea,,INV-1,2025-05-01,2025-05-31,100.00,EUR,,,,,,,",
        "C1,Ada,,INV-2,01.05.2025,2025-05-31,100.00,EUR,,,,,,,",
        "C1,Ada,,INV-3,2025-05-01,2025-05-31,100.00,EUR,,,,,,,Harsh",
        "C1,Ada,,INV-4,2025-05-01,2025-05-31,100.00,EUR,,,,,,C99,",
        "C1,Ada,,CN-1,2025-05-01,2025-05-31,100.00,EUR,,,,,,,",
        "C2,Bea,,INV-5,2025-05-01,2025-05-31,zero,EURO,,,,,,,",
        header=MORE,
    ) == [
        "line 3, customer: invoice 'INV-1' is another customer's",
        "line 4, issued_on: '01.05.2025' is not a date as 2025-03-31",
        "line 5, plan: no plan 'Harsh' is loaded",
        "line 6, parent: no customer 'C99', here or in the book",
        "line 7, total: is not negative, but it is known as a credit note",
        "line 8, currency: 'EURO' is not an ISO 4217 code such as EUR",
        "line 8, total: 'zero' is not a plain amount such as 1234.50",
    ]


def test_a_known_invoice_keeps_its_currency_and_its_kind(office: Office) -> None:
    office.imports("C1,Ada,,INV-1,2025-05-01,2025-05-31,100.00,EUR,")
    assert office.refused("C1,Ada,,INV-1,2025-05-01,2025-05-31,100.00,USD,") == [
        "line 2, currency: invoice 'INV-1' is in EUR; void it and report a new one"
    ]
    assert office.refused("C1,Ada,,INV-1,2025-05-01,2025-05-31,-100.00,EUR,") == [
        "line 2, total: is negative, but it is known as an invoice"
    ]


def test_a_credit_note_is_not_lowered_below_what_is_applied(office: Office) -> None:
    office.imports("C1,Ada,,INV-1,2025-05-01,2025-05-31,100.00,EUR,")
    fact = CreditFact(
        CREDIT_NOTE,
        "CN-1",
        "C1",
        Decimal(40),
        "EUR",
        date(2025, 5, 2),
        {"INV-1": Decimal(40)},
    )
    with transaction(office.engine) as session:
        put_credit(Unit(session, office.id, NOW, by="billing"), fact)
    assert office.imports("C1,Ada,,CN-1,2025-05-02,,-40.00,EUR,") == ImportReport(unchanged=1)
    assert office.refused("C1,Ada,,CN-1,2025-05-02,,-30.00,EUR,") == [
        "line 2, total: more of the credit note is applied to invoices than that"
    ]
    assert office.refused("C2,Bea,,CN-1,2025-05-02,,-40.00,USD,") == [
        "line 2, currency: the credit note is in EUR",
        "line 2, customer: the credit note is another customer's",
    ]


def test_bad_rows_may_be_left_out(office: Office) -> None:
    office.imports("C1,Ada,,INV-1,2025-05-01,2025-05-31,100.00,EUR,")
    report = office.imports(
        "C1,Ada,,INV-2,2025-05-01,2025-05-31,100.00,EUR,",
        "C2,Bea,,INV-1,2025-05-01,2025-05-31,100.00,EUR,",
        "C3,Cleo,,INV-3,never,2025-05-31,100.00,EUR,",
        skip=True,
    )
    assert (report.invoices, report.customers, report.bad_count) == (1, 0, 2)
    assert [bad.line for bad in report.bad_rows] == [3, 4]
    assert [c.external_id for c in office.rows(t.Customer)] == ["C1"]


def test_a_parent_whose_only_row_is_bad_is_not_known(office: Office) -> None:
    report = office.imports(
        "C1,Ada,,INV-1,2025-05-01,2025-05-31,100.00,EUR,,,,,,,Harsh",
        "C2,Bea,,INV-2,2025-05-01,2025-05-31,100.00,EUR,,,,,,C1,",
        "C3,Cleo,,INV-3,2025-05-01,2025-05-31,100.00,EUR,,,,,,C2,",
        "C4,Dora,,INV-4,2025-05-01,2025-05-31,100.00,EUR,,,,,,,",
        header=MORE,
        skip=True,
    )
    assert [bad.line for bad in report.bad_rows] == [2, 3, 4]
    assert [c.external_id for c in office.rows(t.Customer)] == ["C4"]


def test_a_parent_may_stand_anywhere_in_the_book(office: Office) -> None:
    office.imports(
        "C1,Ada,,INV-1,2025-05-01,2025-05-31,100.00,EUR,,,,,,C2,",
        "C2,Bea,,INV-2,2025-05-01,2025-05-31,100.00,EUR,,,,,,,",
        header=MORE,
    )
    assert office.one(t.Customer, "C1").parent_id == office.one(t.Customer, "C2").id


def test_nobody_is_above_themselves(office: Office) -> None:
    rows = [f"C{n},N,,INV-{n},2025-05-01,2025-05-31,9.00,EUR,,,,,,{{}}," for n in range(3)]
    office.imports(rows[0].format("C1"), rows[1].format(""), header=MORE)
    assert office.refused(rows[1].format("C2"), rows[2].format("C0"), header=MORE) == [
        "line 2, parent: a customer cannot be its own parent or ancestor",
        "line 3, parent: a customer cannot be its own parent or ancestor",
    ]
    chain = [f"D{n},N,,J-{n},2025-05-01,,9.00,EUR,,,,,,D{n + 1}," for n in range(60)]
    wrong = office.refused(*chain, "D60,N,,J-60,2025-05-01,,9.00,EUR,,,,,,,", header=MORE)
    assert wrong[0] == "line 2, parent: more than 50 customers above one another"


def test_only_the_first_of_many_bad_rows_are_named(office: Office) -> None:
    rows = [f"C1,Ada,,INV-{n},2025-05-01,,x,EUR," for n in range(MOST_NAMED + 500)]
    report = office.imports(*rows)
    assert (len(report.bad_rows), report.bad_count) == (MOST_NAMED, MOST_NAMED + 500)
    assert report.bad_rows[-1].line == MOST_NAMED + 1


def test_a_file_whose_rows_are_all_wrong_is_not_read_to_its_end(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backoffice.ledger.import_rows.MOST_BAD", 100)
    wrong = book(*["x"] * 200_000)
    for skip in (False, True):
        with pytest.raises(BookError, match="line 102: with this row more than 100 are wrong"):
            import_book(office.engine, office.id, wrong, ImportOptions(skip_bad_rows=skip))


def test_a_file_that_is_no_book_is_refused_whole(office: Office) -> None:
    before = office.everything()
    with pytest.raises(BookError, match="no column for"):
        import_book(office.engine, office.id, lambda: io.BytesIO(b"a,b\n1,2\n"))
    broken = book("C1,Ada,,INV-1,2025-05-01,,1.00,EUR,", "C1,\0,,INV-2,2025-05-01,,1.00,EUR,")
    with pytest.raises(BookError, match=r"line 3.*NUL"):
        import_book(office.engine, office.id, broken)
    assert office.everything() == before
    assert office.imports() == NONE_DONE


def test_a_foreign_file_is_read_with_its_map(office: Office) -> None:
    foreign = io.BytesIO("Kunde;Beleg;Datum;Betrag\nZoë;7;31.03.2025;1.234,50\n".encode("cp1252"))
    book_map = read_map("""
        date_format = "%d.%m.%Y"
        decimal = ","
        thousands = "."
        customer = "Kunde"
        invoice = "Beleg"
        issued_on = "Datum"
        due_on = ""
        total = "Betrag"
        currency = "EUR"
        paid_on = ""
    """)
    report = import_book(office.engine, office.id, lambda: foreign, ImportOptions(book_map))
    assert report == ImportReport(customers=1, invoices=1)
    assert office.one(t.Invoice, "7").total == Decimal("1234.5")
    assert office.rows(t.Customer)[0].external_id == "Zoë"


def test_another_organisation_is_not_touched(engine: Engine) -> None:
    ours, theirs = Office(engine), Office(engine)
    row = "C1,{},,INV-1,2025-05-01,2025-05-31,100.00,EUR,"
    theirs.imports(row.format("Theirs"))
    before = theirs.everything()
    ours.imports(row.format("Ours") + "2025-05-20")
    assert theirs.everything()["Invoice"] == before["Invoice"]
    assert theirs.one(t.Customer, "C1").name == "Theirs"
    assert ours.one(t.Customer, "C1").name == "Ours"


# -- many --------------------------------------------------------------------------------------


def many(count: int) -> Callable[[], BinaryIO]:
    """A book of that many rows, ten for each customer, two of three paid."""

    def rows() -> bytes:
        out = io.StringIO()
        out.write(HEADER + "\n")
        for n in range(count):
            issued, who = date(2024, 1, 1) + timedelta(days=n % 400), n % max(count // 10, 1)
            paid = issued + timedelta(days=20) if n % 3 else ""
            out.write(f"C{who},Customer {who},c{who}@example.com,INV-{n},{issued},"
                      f"{issued + timedelta(days=30)},{100 + n % 77}.50,EUR,{paid}\n")  # fmt: skip
        return out.getvalue().encode()

    content = rows()
    return lambda: io.BytesIO(content)


@pytest.mark.slow
def test_nine_thousand_invoices_do_not_pile_up_in_memory(engine: Engine) -> None:
    file, office, warm = many(9_000), Office(engine), Office(engine)
    size = len(file().read())
    seen: list[int] = []
    import_book(engine, warm.id, many(10))
    tracemalloc.start()
    try:
        report = import_book(office.engine, office.id, file, ImportOptions(progress=seen.append))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (report.invoices, report.payments) == (9_000, 6_000)
    assert peak < 6_000_000, f"{peak:,} bytes for a file of {size:,}"
    assert seen == sorted(seen)
    assert (seen[0] >= 0, seen[-1]) == (True, 2 * size)
    assert len(seen) > 15


def test_two_imports_of_the_same_file_at_once(office: Office) -> None:
    file = many(500)
    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(import_book, office.engine, office.id, file) for _ in range(3)]
        reports = sorted((job.result(timeout=60) for job in jobs), key=lambda r: r.unchanged)
    assert [r.invoices for r in reports] == [500, 0, 0]
    assert [r.unchanged for r in reports] == [0, 500, 500]
    assert len(office.rows(t.Nudge)) == 50
    assert sum(entry.kind == "invoice_created" for entry in office.rows(t.TimelineEntry)) == 500


def test_payments_over_the_api_go_on_during_imports(office: Office) -> None:
    """Batches that lock customers in their order, single facts, and imports: all get through."""
    import_book(office.engine, office.id, many(300))
    done = threading.Event()
    failures: list[Exception] = []

    def report_facts(seed: int) -> None:
        draw = random.Random(seed)
        while not done.is_set():
            try:
                with transaction(office.engine) as session:
                    some = draw.sample(range(30), 5)
                    unit = Unit(session, office.id, NOW)
                    with bulk.batch(unit, {f"C{n}" for n in some}, []):
                        for n in some:
                            name, parent = f"Batch {draw.random()}", f"C{n - 1}" if n else None
                            put_customer(unit, CustomerFact(f"C{n}", name, parent=parent))
                office.pays(f"P{uuid.uuid4()}", "C1", "1.00", "2025-05-10", "INV-1")
            except Exception as error:  # noqa: BLE001 - told below
                failures.append(error)

    threads = [threading.Thread(target=report_facts, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(8):
        import_book(office.engine, office.id, many(300))
    done.set()
    for thread in threads:
        thread.join(30)
    assert failures == []
