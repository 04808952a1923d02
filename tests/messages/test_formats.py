"""Amounts, dates and languages in a rendered text."""

from __future__ import annotations

import pytest

from dunning.plan import ActionType
from messages.render import render
from tests.cast.letters import facts, invoice, text

EMAIL = ActionType.EMAIL
NARROW, NBSP = "\u202f", "\xa0"


@pytest.mark.parametrize(
    ("language", "country", "currency", "shown"),
    [
        ("fr", "", "EUR", f"1{NARROW}234,56{NBSP}€"),
        ("fr", "FR", "EUR", f"1{NARROW}234,56{NBSP}€"),
        ("fr", "", "JPY", f"1{NARROW}235{NBSP}JPY"),
        ("fr", "", "KWD", f"1{NARROW}234,560{NBSP}KWD"),
        ("en", "", "EUR", "€1,234.56"),
        ("de", "", "EUR", f"1.234,56{NBSP}€"),
        ("de", "CH", "CHF", f"CHF{NBSP}1’234.56"),
        ("pt-BR", "", "BRL", f"R${NBSP}1.234,56"),
        ("en", "", "XQQ", "XQQ1,234.56"),
    ],
)
def test_amounts_are_written_in_the_customers_language(
    language: str, country: str, currency: str, shown: str
) -> None:
    one = invoice(currency=currency)
    assert text("{{ invoice.balance }}", language=language, country=country, invoice=one) == shown
    assert text(
        "{{ invoice.balance | money(invoice.currency) }}", language=language, invoice=one
    ) == text("{{ invoice.balance }}", language=language, invoice=one)


def test_dates_are_written_in_the_customers_language() -> None:
    assert text("{{ invoice.due_on }}", language="fr") == "3 mars 2025"
    assert text("{{ invoice.due_on }}", language="en", country="GB") == "3 March 2025"
    assert text("{{ today | date('short') }}", language="de") == "15.03.25"


@pytest.mark.parametrize(
    ("language", "organisation", "shown"),
    [
        ("xx", "fr", "3 mars 2025"),
        ("", "fr", "3 mars 2025"),
        ("../../etc", "fr", "3 mars 2025"),
        ("fr-FR-x-odd-tail-that-is-long", "de", "3. März 2025"),
        ("fr_ZZ", "de", "3 mars 2025"),
        ("FR", "de", "3 mars 2025"),
        ("root", "klingon", "March 3, 2025"),
        ("\ud800", "\x00", "March 3, 2025"),
    ],
)
def test_an_unknown_language_falls_back_to_the_organisations_then_english(
    language: str, organisation: str, shown: str
) -> None:
    made = text("{{ invoice.due_on }}", language=language, organisation_language=organisation)
    assert made == shown


def test_dates_are_in_the_language_of_the_text_where_it_is_known() -> None:
    """A Swedish customer who gets a French text reads French dates in it."""
    body = "{{ invoice.due_on }}"

    def made(language: str, of: str, country: str = "") -> str:
        mine = facts(language=language, country=country)
        return render("x", body, mine, EMAIL, language=of).text

    assert made("sv", "fr") == "3 mars 2025"
    assert made("de", "fr") == "3 mars 2025"
    assert made("de", "") == "3. März 2025"
    assert made("de", "xx") == "3. März 2025"
    assert made("en", "en", "GB") == "3 March 2025"  # the customer's own English
    assert '<html lang="fr"' in (render("x", body, facts(), EMAIL, language="fr").html or "")


def test_a_built_in_text_has_dates_in_its_own_language() -> None:
    """There is no Swedish built-in text, so the English one is used, with English dates."""
    assert "due on March 3, 2025" in render("", "", facts(language="sv"), EMAIL).text
    assert text("{{ invoice.due_on }}", language="sv") == "3 mars 2025"
