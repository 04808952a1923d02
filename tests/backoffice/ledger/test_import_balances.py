"""What a book says is paid or credited, and the balances that it leaves."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from backoffice.ledger.find import find_invoice
from backoffice.ledger.import_rows import ImportReport
from backoffice.ledger.invoices import close_invoice
from store import tables as t
from store.engine import transaction
from store.unit import Unit
from tests.cast.imports import NOW, Office


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
