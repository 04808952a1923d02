"""Texts of a plan: which are allowed, and why others are refused."""

from __future__ import annotations

import time
from typing import Any

import pytest

from dunning.plan import ActionType, Step
from messages.check import check, check_step
from messages.render import render
from messages.template import TemplateError
from messages.texts import DEFAULT_TEXTS
from messages.variables import VARIABLES
from plans.read import parse_plan
from tests.cast.letters import late_facts, text

SMS = ActionType.SMS


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
def test_a_bad_body_is_refused_with_the_reason(body: str, reason: str) -> None:
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
def test_a_bad_subject_is_refused_with_the_reason(subject: str, reason: str) -> None:
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
def test_every_allowed_body_is_rendered(body: str) -> None:
    check("", body)
    assert text(body)


def test_every_documented_variable_can_be_rendered() -> None:
    lists = {"invoices", "totals"}
    for name in VARIABLES:
        group, _, leaf = name.partition(".")
        if name in lists:
            continue
        looped = f"{{% for x in {group} %}}{{{{ x.{leaf} }}}}{{% endfor %}}"
        check("", "a" + (looped if group in lists else f"{{{{ {name} }}}}"))


def test_the_built_in_texts_pass_the_check() -> None:
    for texts in DEFAULT_TEXTS.values():
        assert set(texts) == set(ActionType)
        for subject, body in texts.values():
            check(subject, body)


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
def test_bad_html_is_refused_with_the_reason(body: str, html: str, where: str, reason: str) -> None:
    with pytest.raises(TemplateError) as error:
        check("", body, html)
    assert error.value.where == where
    assert reason in error.value.reason


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


def test_interest_table_is_refused_in_an_sms() -> None:
    with pytest.raises(TemplateError, match="no room for interest_table in an SMS"):
        check_step(a_step(type="sms", body="a{{ interest_table }}"))
    check_step(a_step(type="sms", body="{{ late_total }}"))
    assert (
        render("", "a{{ interest_table }}", late_facts(), SMS).text == "a"
    )  # changed in the database
