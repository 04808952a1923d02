"""The table of open invoices with its totals."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from dunning.plan import ActionType
from messages.content import Totals
from messages.render import render
from messages.words import LABELS
from tests.cast.letters import facts, invoice, text

EMAIL = ActionType.EMAIL


def test_the_table_is_aligned_in_text_and_a_table_in_html() -> None:
    two = (invoice("INV-1", "1234.56"), invoice("INV-1000", "5", days=0))
    made = render("x", "Before\n\n{{ invoices_table }}\n\nAfter", facts(invoices=two), EMAIL)
    assert made.text == (
        "Before\n\n"
        "Invoice   Issued       Due              Total       Open  Days overdue\n"
        "--------  -----------  -----------  ---------  ---------  ------------\n"
        "INV-1     Feb 1, 2025  Mar 3, 2025  €1,234.56  €1,234.56            12\n"
        "INV-1000  Feb 1, 2025  Mar 3, 2025      €5.00      €5.00             –\n"
        "\n"
        "Total outstanding: €1,239.56\n"
        "Of which overdue: €1,239.56\n\n"
        "After"
    )
    assert made.html is not None
    assert made.html.count("<tr>") == 3
    assert '<td align="right">€1,234.56</td>' in made.html
    assert made.html.index("<p>Before</p>") < made.html.index("<table") < made.html.index("After")


def test_a_note_explains_a_total_that_differs_from_the_list() -> None:
    """Rule 9: INV-2 of €500 is disputed, and €30 of credit is unapplied."""
    sums = Totals("EUR", Decimal(570), Decimal(570), Decimal(100), Decimal(500), Decimal(30))
    mine = {"invoice": invoice(balance="100"), "totals": (sums,)}
    note = (
        "The total outstanding of €570.00 includes €500.00 on invoices that are not listed here."
        " A credit of €30.00 has been deducted from the totals."
    )
    assert text("{{ invoices_table }}", **mine).endswith(note)
    assert text("{{ totals_note }}", **mine) == note
    assert text("You owe {{ outstanding }}.", **mine) == f"You owe €570.00.\n\n{note}"
    assert text("Pay {{ invoice.balance }}.", **mine) == "Pay €100.00."
    assert text("a{{ totals_note }}") == "a"


def test_every_currency_has_its_totals() -> None:
    two = (invoice("INV-1", "100"), invoice("INV-2", "5000", "JPY"))
    nothing = Decimal(0)
    sums = tuple(Totals(i.currency, i.balance, i.balance, i.balance, nothing, nothing) for i in two)
    made = text("{{ invoices_table }}", invoices=two, totals=sums)
    assert "Total outstanding: €100.00" in made
    assert "Total outstanding: ¥5,000" in made


@pytest.mark.parametrize("language", LABELS)
def test_the_labels_are_in_the_language_of_the_text(language: str) -> None:
    labels = LABELS[language]
    made = render("x", "{{ invoices_table }}", facts(language=language), EMAIL)
    assert made.text.startswith(labels.invoice)
    assert f'<html lang="{language}" dir="ltr">' in (made.html or "")
    assert len({*LABELS["en"].unlisted_note.split("{")}) == len(labels.unlisted_note.split("{"))


def test_columns_of_a_right_to_left_language_begin_at_the_right() -> None:
    made = render("x", "שלום\n\n{{ invoices_table }}", facts(language="he"), EMAIL)
    assert '<html lang="he" dir="rtl">' in (made.html or "")
    assert '<td align="right">INV-1</td>' in (made.html or "")


def test_of_a_thousand_invoices_five_hundred_are_listed() -> None:
    many = tuple(invoice(f"INV-{n}", "1") for n in range(1000))
    started = time.monotonic()
    made = render("x", "{{ invoices_table }}", facts(invoices=many), EMAIL)
    assert "INV-499" in made.text
    assert "INV-500" not in made.text
    assert "and 500 more" in made.text
    assert time.monotonic() - started < 10
