"""A book becomes customers, contacts and invoices."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal

from sqlalchemy import Engine

from activities.deciding import decide_and_record
from backoffice.ledger.closures import happened
from backoffice.ledger.contact_matching import ContactFact
from backoffice.ledger.contacts import set_contact_validity
from backoffice.ledger.customers import CustomerFact, put_customer
from backoffice.ledger.find import find_customer
from backoffice.ledger.import_rows import ImportReport
from backoffice.ledger.imports import ImportOptions, import_book
from books.read_map import read_map
from dunning.closures import Heard, Source
from store import tables as t
from store.engine import transaction
from store.load import load
from store.unit import Unit
from tests.cast.imports import MORE, NOW, Office


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
    assert contacts[other.id].external_id == "main"
    assert office.emails("C1") == {"main": "ada@example.com"}
    assert office.emails("C2") == {"main": ""}
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
        loaded = load(Unit(session, office.id), customer_id)
        return loaded.account.contextualized_invoice_id


def test_a_new_address_is_valid_again_and_an_old_one_keeps_its_mark(office: Office) -> None:
    office.imports("C1,Ada,ada@example.com,INV-1,2025-05-01,2025-05-31,100.00,EUR,")
    with transaction(office.engine) as session:
        customer = find_customer(Unit(session, office.id), "C1", lock=True)
        set_contact_validity(
            Unit(session, customer.organisation_id, NOW, by="billing"), customer, "email", "bounced"
        )
    office.imports("C1,Ada,ada@example.com,INV-2,2025-05-01,2025-05-31,100.00,EUR,")
    assert office.rows(t.ContactAddress)[0].invalid == "bounced"
    office.imports("C1,Ada,right@example.com,INV-2,2025-05-01,2025-05-31,100.00,EUR,")
    (row,) = office.rows(t.ContactAddress)
    assert (row.kind, row.address, row.invalid) == ("email", "right@example.com", "")
    assert row.fixed_at == [NOW, NOW]


def test_a_new_address_in_a_book_is_closed_as_the_old_one_was(office: Office) -> None:
    """The email address, and the number, which another country makes another one."""
    row = "C1,Ada,{},INV-1,2025-05-01,2025-05-31,100.00,EUR,,{},,{},,,"
    office.imports(row.format("Ada@example.com", "06 12 34 56 78", "FR"), header=MORE)
    for kind, key in (("email", "ada@example.com"), ("phone", "+33612345678")):
        with transaction(office.engine) as session:
            said = Heard(Source.CALLBACK, True, "stop", NOW, "stop it")
            happened(Unit(session, office.id, by="dunning"), kind, key, said)
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
        "C1",
        "Ada",
        contacts=[
            ContactFact("eve", "Eve", email="eve@example.com", main=True),
            ContactFact("max", "Max", email="max@example.com"),
        ],
    )
    with transaction(office.engine) as session:
        put_customer(Unit(session, office.id, NOW), fact)
    office.imports("C1,Ada,new@example.com,INV-1,2025-05-01,2025-05-31,100.00,EUR,")
    assert office.emails("C1") == {"eve": "new@example.com", "max": "max@example.com"}


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
