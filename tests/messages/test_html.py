"""The HTML part of an email."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from dunning.plan import ActionType
from messages.check import check
from messages.content import Totals
from messages.render import render
from messages.template import TemplateError
from tests.cast.letters import email, facts, invoice

EMAIL, SMS, LETTER = ActionType.EMAIL, ActionType.SMS, ActionType.LETTER


def rich(html: str, **changes: Any) -> str:
    """The body of the HTML document that this template renders to."""
    check("", "plain", html)
    made = render("x", "plain", facts(**changes), EMAIL, html)
    assert made.text == "plain"
    assert made.html is not None
    email(html=made.html)  # the result can be sent
    return made.html.partition("<body")[2].partition(">\n")[2].removesuffix("\n</body>\n</html>\n")


def test_names_are_escaped_in_html_made_from_text() -> None:
    evil = '<script>alert(1)</script> & "Co"'
    made = render(
        "x",
        "Dear {{ customer.name }},\n\nHello <b>you</b>\nThere",
        facts(customer_name=evil, invoice=invoice("<i>1")),
        EMAIL,
    )
    assert f"Dear {evil}," in made.text
    assert made.html is not None
    assert "<script" not in made.html
    assert "<p>Dear &lt;script&gt;" in made.html
    assert "<p>Hello &lt;b&gt;you&lt;/b&gt;<br>\nThere</p>" in made.html


def test_an_email_has_the_html_of_its_template() -> None:
    made = rich(
        '<h1 style="color: red">Dear {{ contact.name }}</h1>'
        "{% if invoice.days_overdue > 10 %}<p>{{ invoice.balance }} is open.</p>{% endif %}"
    )
    assert made == '<h1 style="color:red">Dear Ada Byron</h1><p>€1,234.56 is open.</p>'


def test_without_a_template_the_html_is_made_from_the_body() -> None:
    assert (
        render("x", "a\n\nb", facts(), EMAIL, " ").html
        == render("x", "a\n\nb", facts(), EMAIL).html
    )


def test_the_html_is_a_document_in_its_language_and_direction() -> None:
    made = render("<b>", "a", facts(language="he"), EMAIL, "<p>x</p>").html or ""
    assert made.startswith('<!DOCTYPE html>\n<html lang="he" dir="rtl">')
    assert "<title>&lt;b&gt;</title>" in made


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", '"><img src=x onerror=1>', "&#26;"])
def test_a_fact_is_escaped_in_an_html_template(evil: str) -> None:
    html = "<p title='{{ customer.name }}'>{{ customer.name }}{{ customer.name | upper }}</p>"
    made = rich(html + "{{ invoices_table }}", customer_name=evil, invoice=invoice(evil))
    assert "<script" not in made.lower()
    assert "<img" not in made.lower()
    assert "&amp;#26" in made or "&lt;" in made


def test_constants_of_an_html_template_are_escaped() -> None:
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
def test_scripts_forms_and_unknown_styles_are_removed(html: str, kept: str) -> None:
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
def test_links_are_http_https_or_mailto(address: str, kept: bool) -> None:
    assert ("href=" in rich(f'<a href="{address}">a</a>')) is kept
    assert ("src=" in rich(f'<img src="{address}" alt="a">')) is kept


def test_a_link_from_a_fact_cannot_be_a_script() -> None:
    html = '<a href="{{ invoice.url }}">Pay</a>'
    assert "href" not in rich(html, invoice=replace(invoice(), url="javascript:alert(1)"))
    good = replace(invoice(), url='https://pay.example/?a=1&b="2"')
    assert 'href="https://pay.example/?a=1&amp;b=&quot;2&quot;"' in rich(html, invoice=good)


def test_the_html_cleaner_keeps_tables_whole() -> None:
    made = rich("<div>{{ invoices_table }}</div>", invoice=invoice("<i>1"))
    plain = render("x", "{{ invoices_table }}", facts(invoice=invoice("<i>1")), EMAIL).html or ""
    assert '<td align="left">&lt;i&gt;1</td>' in made
    assert made.count("<td") == plain.count("<td") == 6
    assert 'style="border-collapse:collapse;border-color:#ccc;white-space:nowrap"' in made


def test_html_that_names_a_total_explains_the_difference() -> None:
    """Rule 9."""
    sums = Totals("EUR", Decimal(600), Decimal(600), Decimal(100), Decimal(500), Decimal(0))
    mine = {"invoice": invoice(balance="100"), "totals": (sums,)}
    assert rich("<p>{{ outstanding }}</p>", **mine).endswith(
        "<p>The total outstanding of €600.00 includes €500.00 on invoices that are not listed"
        " here.</p>"
    )
    assert "includes" not in rich("<p>{{ invoice.balance }}</p>", **mine)


def test_html_is_cleaned_in_bounded_time() -> None:
    """The time of the cleaner grows with the square of the depth of nested tags."""
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


def test_html_without_a_body_is_not_used() -> None:
    """Without a body the text part is the built-in one, and both parts must say the same."""
    assert "rich" not in (render("x", "", facts(), EMAIL, "<p>rich</p>").html or "")
