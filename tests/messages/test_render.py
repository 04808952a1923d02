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

from dunning.interest import late_payment
from dunning.plan import ActionType, Step
from messages.check import check, check_step
from messages.content import VARIABLES, MessageFacts, Totals
from messages.render import render, values
from messages.template import TemplateError
from messages.texts import DEFAULT_TEXTS
from messages.words import LABELS
from plans.read import parse_plan
from tests.cast.letters import email, facts, invoice, sms

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
        ("{{ interest_table }}", "the table of interest has its place in the body"),
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
            "a {{ customer.name }}", "a{{ contact.name }} {{ invoices_table }}", odd, channel
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


# The HTML part of its own.


def rich(html: str, **changes: Any) -> str:
    """The body of the document that a template of the HTML part gives."""
    check("", "plain", html)
    made = render("x", "plain", facts(**changes), EMAIL, html)
    assert made.text == "plain"
    assert made.html is not None
    email(html=made.html)  # what is made can be sent
    return made.html.partition("<body")[2].partition(">\n")[2].removesuffix("\n</body>\n</html>\n")


def test_an_email_has_the_html_that_was_written_for_it() -> None:
    made = rich(
        '<h1 style="color: red">Dear {{ contact.name }}</h1>'
        "{% if invoice.days_overdue > 10 %}<p>{{ invoice.balance }} is open.</p>{% endif %}"
    )
    assert made == '<h1 style="color:red">Dear Ada Byron</h1><p>€1,234.56 is open.</p>'


def test_without_a_template_the_html_is_made_from_the_body_as_before() -> None:
    assert (
        render("x", "a\n\nb", facts(), EMAIL, " ").html
        == render("x", "a\n\nb", facts(), EMAIL).html
    )


def test_the_html_is_a_document_in_its_language_and_direction() -> None:
    made = render("<b>", "a", facts(language="he"), EMAIL, "<p>x</p>").html or ""
    assert made.startswith('<!DOCTYPE html>\n<html lang="he" dir="rtl">')
    assert "<title>&lt;b&gt;</title>" in made


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", '"><img src=x onerror=1>', "&#26;"])
def test_a_fact_is_never_a_tag_in_html(evil: str) -> None:
    html = "<p title='{{ customer.name }}'>{{ customer.name }}{{ customer.name | upper }}</p>"
    made = rich(html + "{{ invoices_table }}", customer_name=evil, invoice=invoice(evil))
    assert "<script" not in made.lower()
    assert "<img" not in made.lower()
    assert "&amp;#26" in made or "&lt;" in made


def test_words_in_quotes_are_escaped_too() -> None:
    assert rich("{{ '<b>' }}{{ customer.name | default('<i>') }}") == "&lt;b&gt;Acme"


@pytest.mark.parametrize(
    ("html", "kept"),
    [
        ("<p>a<script>alert(1)</script></p>", "<p>a</p>"),
        ("<p onclick='x()'>a</p>", "<p>a</p>"),
        ("<iframe src='https://x.example'></iframe>a", "a"),
        ("<form action='https://x.example'><input>a</form>", "a"),
        (
            "<html><head><title>T</title><style>p{}</style></head><body><p>a</body></html>",
            "<p>a</p>",
        ),
        ("<!-- a secret --><svg><script>1</script></svg>a", "a"),
        ("<p>&#26;&#x2028;&#13;a</p>", "<p>a</p>"),
        (
            '<p style="position: fixed; display: none; color: blue">a</p>',
            '<p style="color:blue">a</p>',
        ),
        ('<p style="background-image: url(https://x.example)">a</p>', '<p style="">a</p>'),
    ],
)
def test_what_has_no_place_in_a_mail_is_taken_out(html: str, kept: str) -> None:
    assert rich(html) == kept


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://pay.example/?i=1&amp;c=2", True),
        ("http://pay.example", True),
        ("mailto:sam@amber.example", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("&#106;avascript:alert(1)", False),
        ("data:text/html,x", False),
        ("/relative", False),
        ("//other.example", False),
        ("tel:+331", False),
    ],
)
def test_a_link_leads_to_the_web_or_to_an_address(address: str, kept: bool) -> None:
    assert ("href=" in rich(f'<a href="{address}">a</a>')) is kept
    assert ("src=" in rich(f'<img src="{address}" alt="a">')) is kept


def test_a_link_from_a_fact_cannot_be_a_script() -> None:
    html = '<a href="{{ invoice.url }}">Pay</a>'
    assert "href" not in rich(html, invoice=replace(invoice(), url="javascript:alert(1)"))
    good = replace(invoice(), url='https://pay.example/?a=1&b="2"')
    assert 'href="https://pay.example/?a=1&amp;b=&quot;2&quot;"' in rich(html, invoice=good)


def test_the_tables_stand_in_the_html_whole() -> None:
    made = rich("<div>{{ invoices_table }}</div>", invoice=invoice("<i>1"))
    plain = render("x", "{{ invoices_table }}", facts(invoice=invoice("<i>1")), EMAIL).html or ""
    assert '<td align="left">&lt;i&gt;1</td>' in made
    assert made.count("<td") == plain.count("<td") == 6
    assert 'style="border-collapse:collapse;border-color:#ccc;white-space:nowrap"' in made


def test_html_that_names_a_total_explains_the_difference_too() -> None:
    """Rule 9."""
    sums = Totals("EUR", Decimal(600), Decimal(600), Decimal(100), Decimal(500), Decimal(0))
    mine = {"invoice": invoice(balance="100"), "totals": (sums,)}
    assert rich("<p>{{ outstanding }}</p>", **mine).endswith(
        "<p>The total outstanding of €600.00 includes €500.00 on invoices that are not listed"
        " here.</p>"
    )
    assert "includes" not in rich("<p>{{ invoice.balance }}</p>", **mine)


@pytest.mark.parametrize(
    ("body", "html", "where", "reason"),
    [
        ("", "<p>a</p>", "html", "needs its text part too"),
        ("a", "{{ nope }}", "html", "unknown variable 'nope'"),
        ("a", "{{ customer.name | safe }}", "html", "unknown filter 'safe'"),
        ("a", "{% autoescape false %}a{% endautoescape %}", "html", "autoescape is not allowed"),
        ("a", "<script>1</script>", "html", "may come out empty"),
        ("a", "{% if differs %}a{% endif %}", "html", "may come out empty"),
        ("a", "<x>" * 10_001, "html", "more than 10000 tags"),
        ("a", "a\x00", "html", "control character"),
    ],
)
def test_html_that_is_refused_says_why(body: str, html: str, where: str, reason: str) -> None:
    with pytest.raises(TemplateError) as error:
        check("", body, html)
    assert error.value.where == where
    assert reason in error.value.reason


def test_html_is_cleaned_in_bounded_time() -> None:
    """Deeply nested tags cost the square of their number."""
    started = time.monotonic()
    rich("<div>" * 4990)
    many = "{% for i in invoices %}" + "<div>" * 1000 + "{% endfor %}"
    check("", "a", many)
    with pytest.raises(TemplateError, match="more than 10000 tags"):
        render("x", "a", facts(invoices=(invoice(),) * 50), EMAIL, many)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("channel", [SMS, LETTER, ActionType.CALL])
def test_only_an_email_has_html(channel: ActionType) -> None:
    made = render("x", "plain", facts(), channel, "<p>rich</p>")
    assert (made.text, made.html) == ("plain", None)


def test_without_a_body_the_html_is_passed_over() -> None:
    """The two parts of a mail say the same."""
    assert "rich" not in (render("x", "", facts(), EMAIL, "<p>rich</p>").html or "")


# A step in several languages.


def a_step(**fields: Any) -> Step:
    plain = {"key": "s", "type": "email", "trigger": {"from": "due", "days": 1}}
    return parse_plan({"name": "p", "steps": [plain | fields]}).steps[0]


def test_every_language_of_a_step_is_checked() -> None:
    check_step(a_step(body="a", html="<p>a</p>", texts={"fr": {"body": "b", "html": "<p>b</p>"}}))
    for name, where in (("body", "texts.fr body"), ("html", "texts.fr html")):
        bad = {"body": "b"} | {name: "{{ invoice.nubmer }}"}
        with pytest.raises(TemplateError) as error:
            check_step(a_step(texts={"fr": bad}))
        assert error.value.where == where
        assert "nubmer" in error.value.reason


def test_a_text_of_a_known_language_has_its_dates() -> None:
    """A French text for a customer without a French one of its own is not half Swedish."""
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


# Interest for late payment.


def late_facts(country: str = "FR", currency: str = "EUR", **changes: Any) -> MessageFacts:
    """INV-1 of 1234.56 is twelve days late: × 13.15 % × 12 / 365 = 5.3374."""
    one = replace(invoice(currency=currency), interest=Decimal("5.34"))
    of = late_payment([(one.number, one.balance, one.due_on)], country, currency, date(2025, 3, 15))
    return facts(invoice=one, late=of, **changes)


def test_the_amounts_that_the_law_adds() -> None:
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


def test_without_interest_there_is_no_table_and_no_gap() -> None:
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
def test_a_rate_that_is_not_known_is_said_and_never_guessed(
    country: str, currency: str, today: date, note: str
) -> None:
    one = invoice(currency=currency)
    of = late_payment([("INV-1", one.balance, one.due_on)], country, currency, today)
    made = render("x", "{{ interest_table }}", facts(invoice=one, late=of), EMAIL)
    assert made.text.endswith(f"No interest on INV-1: {note}")
    assert "Rate a year" not in made.text
    assert note in (made.html or "")


@pytest.mark.parametrize("language", LABELS)
def test_the_calculation_speaks_the_language(language: str) -> None:
    words = LABELS[language].late
    made = text("{{ interest_table }}", late=late_facts().late, language=language)
    for word in (words.first, words.last, words.days, words.rate, words.interest, words.total):
        assert word in made
    for form in (words.no_rate_after, words.no_rate_before, words.no_rate):
        assert "NL" in form.format(invoice="I", country="NL", day="D", currency="C")
        assert len({*form.split("{")}) == 4


def test_the_calculation_has_no_place_in_an_sms() -> None:
    with pytest.raises(TemplateError, match="no room for interest_table in an SMS"):
        check_step(a_step(type="sms", body="a{{ interest_table }}"))
    check_step(a_step(type="sms", body="{{ late_total }}"))
    assert render("", "a{{ interest_table }}", late_facts(), SMS).text == "a"  # changed by hand


def test_the_values_of_the_variables_that_a_text_names() -> None:
    body = "{{ invoice.number }} {% for i in invoices %}{{ i.number }}{% endfor %}{{ interest }}"
    found = values("{{ today | date('short') }}", body, late_facts(language="fr"), "{{ country }}")
    assert found["invoice.number"] == "INV-1"
    assert found["invoice.balance"] == f"1{NARROW}234,56{NBSP}€"
    assert (found["today"], found["invoices"], found["country"]) == ("15 mars 2025", "1", "")
    assert found["interest"] == f"5,34{NBSP}€"
    assert not {"invoices.number", "customer.name", "interest_table"} & set(found)
