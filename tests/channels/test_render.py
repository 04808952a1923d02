"""From a plan's texts to what Acme reads."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.render import TemplateError, check, render
from channels.texts import DEFAULT_TEXTS
from channels.words import LABELS
from dunning.message import VARIABLES, Totals
from dunning.plan import ActionType
from tests.channels.letters import email, facts, invoice, sms

EMAIL, SMS, LETTER = ActionType.EMAIL, ActionType.SMS, ActionType.LETTER
NARROW, NBSP = "\u202f", "\xa0"


def text(body: str, **changes: Any) -> str:
    return render("x", body, facts(**changes), EMAIL).text


# What a plan may say.


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{{ custmer.name }}", "line 1: unknown variable 'custmer'; known: contact, country"),
        ("a\n{{ invoice.nubmer }}", "line 2: unknown variable 'invoice.nubmer'; known: balance"),
        ("{% for i in invoices %}{{ i.nubmer }}{% endfor %}", "unknown variable 'i.nubmer'"),
        ("{% if not differs %}a{% else %}{{ nope }}{% endif %}", "unknown variable 'nope'"),
        ("{{ 'x' * 200000000 }}", "'*' is not allowed"),
        ("{{ customer.name | safe }}", "unknown filter 'safe'"),
        ("{{ customer.name | attr('x') }}", "unknown filter 'attr'"),
        ("{{ customer.name.upper() }}", "a call is not allowed"),
        ("{{ range(9) }}", "a call is not allowed"),
        ("{{ invoice.__class__ }}", "a name that starts with '_'"),
        ("{{ _locale }}", "unknown variable '_locale'"),
        ("{% include 'x' %}", "include is not allowed"),
        ("{% import 'x' as y %}", "import is not allowed"),
        ("{% extends 'x' %}", "extends is not allowed"),
        ("{% set x = 1 %}", "set is not allowed"),
        ("{% macro x() %}{% endmacro %}", "macro is not allowed"),
        ("{% filter upper %}a{% endfilter %}", "is not allowed"),
        ("{{ invoices[0].number }}", "'[ ]' is not allowed"),
        ("{{ 1 if differs }}", "an if inside an expression"),
        ("{% for i in customer.name %}{% endfor %}", "a loop goes over invoices or totals"),
        ("{% for a, b in invoices %}{% endfor %}", "a loop goes over invoices or totals"),
        ("{% for i in invoices recursive %}{% endfor %}", "recursive"),
        (
            "{% for i in invoices %}{% for j in invoices %}{% endfor %}{% endfor %}",
            "a loop inside a loop",
        ),
        ("{{ invoices }}", "cannot be printed"),
        ("{{ invoice }}", "cannot be printed"),
        ("{{ customer.name | money }}", "the filter money takes an amount"),
        ("{{ invoice.days_overdue | money }}", "needs a currency"),
        ("{{ customer.name | date }}", "the filter date takes a date"),
        ("{{ today | date('%d/%m') }}", "takes one of short, medium, long, full"),
        ("{% if invoice.due_on > 5 %}late{% endif %}a", "cannot be rendered"),
        ("{% if differs %}{{ customer.name | money }}{% endif %}a", "takes an amount"),
        ("{{ unclosed", "line 1: unexpected end of template"),
        ("{% if differs %}", "line 1: Unexpected end of template"),
        ("{{ 1e999 }}", "the number is too great"),
        ("{{ " + "9" * 5000 + " }}", "huge number"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "nested too deeply"),
        ("{% if differs %}" * 300 + "a" + "{% endif %}" * 300, "nested too deeply"),
        ("a" * 60_001, "longer than 60000"),
        ("a\x00", "control character"),
        ("{% if differs %}a{% endif %}", "may come out empty"),
    ],
)
def test_a_body_that_is_refused_says_why(body: str, reason: str) -> None:
    started = time.monotonic()
    with pytest.raises(TemplateError) as error:
        check("", body)
    assert error.value.where == "body"
    assert reason in error.value.reason
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        ("a\nb", "line break"),
        ("{{ invoices_table }}", "its place in the body"),
        ("a" * 256, "longer than 255"),
        ("{{ nope }}", "unknown variable 'nope'"),
    ],
)
def test_a_subject_that_is_refused_says_why(subject: str, reason: str) -> None:
    with pytest.raises(TemplateError) as error:
        check(subject, "")
    assert error.value.where == "subject"
    assert reason in error.value.reason


@pytest.mark.parametrize(
    "body",
    [
        "Plain words, 100 % {of} them < > & ' \" €",
        "{% for i in invoices if i.days_overdue > 10 %}{{ loop.index }}{% else %}b{% endfor %}",
        "{{ invoices | length }} {{ invoice.number }}",
        "{% for t in totals %}{{ t.outstanding }} {{ t.currency }}{% endfor %}",
        "{% if invoice.balance > 100 and not differs %}a{% elif country == 'FR' %}b{% endif %}c",
        "{{ contact.name | default('Madam or Sir', true) | upper }}",
        "{{ invoice.balance | money('USD') }} {{ today | date('short') }}",
        "{# a note #}{% raw %}{{ x }}{% endraw %}",
    ],
)
def test_what_a_plan_may_say(body: str) -> None:
    check("", body)
    assert text(body)


def test_every_documented_variable_exists_and_no_other() -> None:
    lists = {"invoices", "totals"}
    for name in VARIABLES:
        group, _, leaf = name.partition(".")
        if name in lists:
            continue
        looped = f"{{% for x in {group} %}}{{{{ x.{leaf} }}}}{{% endfor %}}"
        check("", "a" + (looped if group in lists else f"{{{{ {name} }}}}"))


def test_our_own_texts_pass_our_own_check() -> None:
    for texts in DEFAULT_TEXTS.values():
        assert set(texts) == set(ActionType)
        for subject, body in texts.values():
            check(subject, body)


# Amounts and dates.


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
def test_amounts_in_the_customers_language(
    language: str, country: str, currency: str, shown: str
) -> None:
    one = invoice(currency=currency)
    assert text("{{ invoice.balance }}", language=language, country=country, invoice=one) == shown
    assert text(
        "{{ invoice.balance | money(invoice.currency) }}", language=language, invoice=one
    ) == text("{{ invoice.balance }}", language=language, invoice=one)


def test_dates_in_the_customers_language() -> None:
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
def test_an_odd_language_falls_back(language: str, organisation: str, shown: str) -> None:
    made = text("{{ invoice.due_on }}", language=language, organisation_language=organisation)
    assert made == shown


@given(
    language=st.text(max_size=12), country=st.text(max_size=3), currency=st.text(max_size=5),
    name=st.text(max_size=300), amount=st.decimals(allow_nan=False, allow_infinity=False),
)  # fmt: skip
def test_no_fact_makes_it_fail(
    language: str, country: str, currency: str, name: str, amount: Decimal
) -> None:
    one = replace(invoice(), balance=amount, currency=currency, number=name)
    odd = facts(
        language=language, country=country, customer_name=name, contact_name=name, invoice=one
    )
    for channel in ActionType:
        made = render(
            "{{ customer.name }}", "a{{ contact.name }} {{ invoices_table }}", odd, channel
        )
        if channel is EMAIL:
            email(subject=made.subject, text=made.text, html=made.html)  # what is made can be sent
        if channel is SMS:
            sms(text=made.text)


# The message as a whole.


def test_the_subject_is_one_line_of_255() -> None:
    name = "Acme\r\nBcc: evil@x.example\x00" + "é" * 400
    made = render("{{ customer.name }}", "a", facts(customer_name=name), EMAIL)
    assert made.subject.startswith("Acme Bcc: evil@x.example éé")
    assert len(made.subject) == 255


def test_names_are_text_in_html_never_tags() -> None:
    evil = '<script>alert(1)</script> & "Co"'
    made = render("x", "Dear {{ customer.name }},\n\nHello <b>you</b>\nThere",
                  facts(customer_name=evil, invoice=invoice("<i>1")), EMAIL)  # fmt: skip
    assert f"Dear {evil}," in made.text
    assert made.html is not None
    assert "<script" not in made.html
    assert "<p>Dear &lt;script&gt;" in made.html
    assert "<p>Hello &lt;b&gt;you&lt;/b&gt;<br>\nThere</p>" in made.html


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


def test_the_table_says_when_the_list_and_the_total_differ() -> None:
    """Rule 9: INV-2 of €500 is disputed, and €30 of credit is not applied."""
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
def test_the_table_speaks_the_language(language: str) -> None:
    labels = LABELS[language]
    made = render("x", "{{ invoices_table }}", facts(language=language), EMAIL)
    assert made.text.startswith(labels.invoice)
    assert f'<html lang="{language}" dir="ltr">' in (made.html or "")
    assert len({*LABELS["en"].unlisted_note.split("{")}) == len(labels.unlisted_note.split("{"))


def test_a_language_from_right_to_left() -> None:
    made = render("x", "שלום\n\n{{ invoices_table }}", facts(language="he"), EMAIL)
    assert '<html lang="he" dir="rtl">' in (made.html or "")
    assert '<td align="right">INV-1</td>' in (made.html or "")


def test_a_thousand_invoices_are_cut_with_a_word() -> None:
    many = tuple(invoice(f"INV-{n}", "1") for n in range(1000))
    started = time.monotonic()
    made = render("x", "{{ invoices_table }}", facts(invoices=many), EMAIL)
    assert "INV-499" in made.text
    assert "INV-500" not in made.text
    assert "and 500 more" in made.text
    assert time.monotonic() - started < 10


def test_output_is_bounded() -> None:
    body = "{% for i in invoices %}" + "a" * 50_000 + "{% endfor %}"
    check("", body)
    with pytest.raises(TemplateError, match="becomes longer"):
        text(body, invoices=(invoice(),) * 100)


def test_an_sms_is_plain_text_with_plain_spaces() -> None:
    many = tuple(invoice(f"INV-{n}", "1234.5") for n in range(8))
    body = "Dû : {{ invoice.balance }}\n{{ invoices_table }}"
    made = render("ignored", body, facts(language="fr", invoices=many), SMS)
    assert (made.subject, made.html) == ("", None)
    assert made.text.startswith("Dû : 1 234,56 €\nINV-0 1 234,50 €, INV-1 1 234,50 €")
    assert made.text.endswith(", +3")
    assert NARROW not in made.text
    assert NBSP not in made.text


def test_a_letter_is_text_only() -> None:
    made = render("", "", facts(language="de"), LETTER)
    assert made.html is None
    assert made.subject == "Zahlungserinnerung: Rechnung INV-1"
    assert made.text.startswith("15. März 2025\n\nGuten Tag Ada Byron,")


@pytest.mark.parametrize("channel", ActionType)
@pytest.mark.parametrize("language", ["en", "fr", "de", "sv", ""])
def test_a_step_without_texts_has_good_ones(language: str, channel: ActionType) -> None:
    made = render("", " ", facts(language=language), channel)
    assert "INV-1" in made.text
    assert bool(made.subject) is (channel is not SMS)
    assert "\n\n\n" not in made.text
    assert "{" not in made.text + made.subject


def test_a_built_in_text_is_of_one_language() -> None:
    """No Swedish text: an English one, with English dates; a Swedish body keeps Swedish dates."""
    assert "due on March 3, 2025" in render("", "", facts(language="sv"), EMAIL).text
    assert text("{{ invoice.due_on }}", language="sv") == "3 mars 2025"


def test_before_the_due_date_the_tone_is_another() -> None:
    early = facts(invoice=invoice(days=0), today=date(2025, 3, 1))
    made = render("", "", early, EMAIL)
    assert made.subject == "Payment due soon: invoice INV-1"
    assert "is due on March 3, 2025" in made.text


def test_without_a_contact_name_the_customer_is_addressed() -> None:
    assert render("", "", facts(contact_name=""), EMAIL).text.startswith("Dear Acme,")
