"""A body is a sequence of texts and table objects, from the template to the rendered text."""

from __future__ import annotations

from typing import Any

import pytest
from babel import Locale

from messages.body import Body, Part, as_text, in_brief, joined, tidy
from messages.table import Table, as_html
from messages.template import Template

ENGLISH = Locale("en")
TABLE = Table(
    ("No", "Open"),
    ("start", "end"),
    (("1", "5.00"), ("10", "15.00")),
    totals=(("All:", "20.00"),),
    brief="1 5.00, 10 15.00",
)
WRITTEN = "No   Open\n--  -----\n1    5.00\n10  15.00\n\nAll: 20.00"


def filled(source: str, where: str = "body", **known: Any) -> Body:
    return Template(where, source).fill({"invoices_table": TABLE, **known}, ENGLISH)


@pytest.mark.parametrize(
    ("source", "body"),
    [
        ("{{ invoices_table }}", (TABLE,)),
        ("a {{ invoices_table }}\nb", ("a ", TABLE, "\nb")),
        ("{{ invoices_table }}{{ invoices_table }}", (TABLE, TABLE)),
        ("{{ invoices_table | upper | lower | capitalize | trim }}", (TABLE,)),
        ("{{ invoices_table | default('none') }}", (TABLE,)),
        ("{% if invoices_table %}a{% endif %}{{ invoices_table | length }}", ("a1",)),
        ("{{ country }}{{ country | default(invoices_table, true) }}", (TABLE,)),
    ],
)
@pytest.mark.parametrize("where", ["body", "html"])
def test_a_template_keeps_its_tables_as_objects(source: str, body: Body, where: str) -> None:
    assert filled(source, where, country="") == body


def test_no_text_of_a_fact_becomes_a_table() -> None:
    """No control character stands for a table, so a fact that contains one stays plain text."""
    assert filled("{{ country }}", country="\x1a\x19") == ("\x1a\x19",)


def test_a_body_is_rendered_as_text_and_in_brief() -> None:
    assert as_text(("Dear,\n\n", TABLE, "\n\nSam")) == f"Dear,\n\n{WRITTEN}\n\nSam"
    assert in_brief(("Open: ", TABLE, ".")) == "Open: 1 5.00, 10 15.00."


def test_neighbouring_texts_are_joined() -> None:
    assert joined(["", "a", "", "b", TABLE, "", TABLE, "c"]) == ("ab", TABLE, TABLE, "c")
    assert joined([""]) == ()


@pytest.mark.parametrize(
    ("body", "tidied"),
    [
        (("\n\na  \n\n\n\nb\t\n\n",), ("a\n\nb",)),
        (("\n\n", TABLE, "\n\n"), (TABLE,)),
        (("a: ", TABLE, "  \n\n\n\nb"), ("a: ", TABLE, "\n\nb")),
        (("a\x1a\r\nb\u2028",), ("a\nb",)),
    ],
)
def test_blank_lines_around_tables_are_tidied(body: tuple[Part, ...], tidied: Body) -> None:
    assert tidy(body) == tidied


def test_a_table_without_rows_has_totals_and_notes_alone() -> None:
    bare = Table((), (), (), totals=(("All:", "<0>"),), notes=("One.", "Two."))
    assert as_text((bare,)) == "All: <0>\n\nOne.\nTwo."
    assert as_html(bare, ENGLISH) == "<p>All: <b>&lt;0&gt;</b></p>\n<p>One.<br>Two.</p>"
