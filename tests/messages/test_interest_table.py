"""Interest for late payment in a message."""

from __future__ import annotations

from datetime import date

import pytest

from dunning.interest import late_payment
from dunning.plan import ActionType
from messages.check import check
from messages.render import render, values
from messages.words import LABELS
from tests.cast.letters import facts, invoice, late_facts, text

EMAIL, SMS, LETTER = ActionType.EMAIL, ActionType.SMS, ActionType.LETTER
NARROW, NBSP = "\u202f", "\xa0"


def test_interest_and_the_fixed_sum_can_be_used_as_variables() -> None:
    body = (
        "{% if interest %}{{ interest }} + {{ fixed_sum }} = {{ late_total }},"
        " {{ invoice.interest }}{% for i in invoices %} {{ i.interest }}{% endfor %}"
        "{% else %}nothing{% endif %}"
    )
    check("", body)
    for channel in (EMAIL, SMS, LETTER):
        made = render("x", body, late_facts(), channel)
        assert made.text == "€5.34 + €40.00 = €1,279.90, €5.34 €5.34"
        assert render("x", body, facts(), channel).text == "nothing"


def test_the_calculation_is_shown_line_by_line() -> None:
    made = render("x", "Before\n\n{{ interest_table }}\n\nAfter", late_facts(), EMAIL)
    assert made.text == (
        "Before\n\n"
        "Invoice  From         To            Days       Open  Rate a year  Interest\n"
        "-------  -----------  ------------  ----  ---------  -----------  --------\n"
        "INV-1    Mar 4, 2025  Mar 15, 2025    12  €1,234.56       13.15%     €5.34\n"
        "\n"
        "Interest for late payment: €5.34\n"
        "Fixed sum for recovery costs: €40.00\n"
        "Total with interest and fixed sum: €1,279.90\n"
        "\n"
        "After"
    )
    assert '<td align="right">13.15%</td>' in (made.html or "")
    assert "<b>€1,279.90</b>" in (made.html or "")
    own = render("x", "a", late_facts(), EMAIL, "<p>A</p>{{ interest_table }}").html or ""
    assert '<td align="right">13.15%</td>' in own


def test_without_interest_the_table_leaves_no_blank_lines() -> None:
    body = "a\n\n{{ interest_table }}\n\n{% if interest_table %}yes{% else %}b{% endif %}"
    assert render("x", body, facts(), EMAIL).text == "a\n\nb"


@pytest.mark.parametrize(
    ("country", "currency", "today", "note"),
    [
        ("FR", "EUR", date(2027, 1, 2), "no rate is known for FR after Dec 31, 2026."),
        ("FR", "USD", date(2025, 3, 15), "no rate is known for FR in USD."),
        ("XX", "EUR", date(2025, 3, 15), "no rate is known for XX in EUR."),
    ],
)
def test_an_unknown_rate_is_named_and_not_guessed(
    country: str, currency: str, today: date, note: str
) -> None:
    one = invoice(currency=currency)
    of = late_payment([("INV-1", one.balance, one.due_on)], country, currency, today)
    made = render("x", "{{ interest_table }}", facts(invoice=one, late=of), EMAIL)
    assert made.text.endswith(f"No interest on INV-1: {note}")
    assert "Rate a year" not in made.text
    assert note in (made.html or "")


@pytest.mark.parametrize("language", LABELS)
def test_the_labels_are_in_the_language_of_the_text(language: str) -> None:
    words = LABELS[language].late
    made = text("{{ interest_table }}", late=late_facts().late, language=language)
    for word in (words.first, words.last, words.days, words.rate, words.interest, words.total):
        assert word in made
    for form in (words.no_rate_after, words.no_rate_before, words.no_rate):
        assert "NL" in form.format(invoice="I", country="NL", day="D", currency="C")
        assert len({*form.split("{")}) == 4


def test_values_are_given_for_the_variables_that_a_text_names() -> None:
    body = "{{ invoice.number }} {% for i in invoices %}{{ i.number }}{% endfor %}{{ interest }}"
    found = values("{{ today | date('short') }}", body, late_facts(language="fr"), "{{ country }}")
    assert found["invoice.number"] == "INV-1"
    assert found["invoice.balance"] == f"1{NARROW}234,56{NBSP}€"
    assert (found["today"], found["invoices"], found["country"]) == ("15 mars 2025", "1", "")
    assert found["interest"] == f"5,34{NBSP}€"
    assert not {"invoices.number", "customer.name", "interest_table"} & set(found)
