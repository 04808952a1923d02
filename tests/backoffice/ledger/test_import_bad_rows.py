"""What a book says wrongly is named, and nothing goes in or all the rest."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal

import pytest

from backoffice.ledger.credits import CreditFact, put_credit
from backoffice.ledger.import_rows import MOST_NAMED, ImportReport
from backoffice.ledger.imports import ImportOptions, import_book
from backoffice.ledger.kinds import CREDIT_NOTE
from books.errors import BookError
from store import tables as t
from store.engine import transaction
from store.unit import Unit
from tests.cast.imports import MORE, NOW, Office, book

NONE_DONE = ImportReport()


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
