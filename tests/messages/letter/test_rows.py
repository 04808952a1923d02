"""Tables in a letter's PDF."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from dunning.plan import ActionType
from messages.body import Body
from messages.letter.paper import Paper
from messages.letter.pdf import pdf
from messages.message import Message
from messages.render import render
from messages.table import Table
from messages.words import LABELS
from tests.cast import letters
from tests.cast.printed import MM, letter, lines, pages, size_of, texts


def body_of(template: str, **facts: Any) -> Body:
    return render("x", template, letters.facts(**facts), ActionType.LETTER).body


def table_letter(
    *balances: str, number: str = "INV-1", language: str = "fr", **changes: Any
) -> Message:
    """A letter with a table of the invoices between two texts."""
    invoices = tuple(letters.invoice(number, balance) for balance in balances)
    made = render(
        "x",
        "Dear Ada,\n\n{{ invoices_table }}\n\nSam",
        letters.facts(invoices=invoices, language=language),
        ActionType.LETTER,
    )
    return letter(text=made.text, body=made.body, **changes)


@pytest.mark.parametrize("language", sorted(LABELS))
def test_the_columns_of_the_table_line_up(language: str) -> None:
    found = lines(table_letter("1.10", "1111.11", "987654.30", language=language))
    rows = [[p for p in found if p.y == y] for y in sorted({p.y for p in found}, reverse=True)]
    head, *body = [row for row in rows if len(row) == 6]
    assert len(body) == 3
    assert not any("--" in p.text for p in found), "the rule is drawn"
    for column, cells in enumerate(zip(head, *body, strict=True)):
        edges = [cell.x if column < 3 else cell.end for cell in cells]
        assert edges == pytest.approx([edges[0]] * 4, abs=0.1), cells
    for row in (head, *body):
        for before, after in pairwise(row):
            assert after.x - before.end > 3 * MM
    assert body[0][0].text == "INV-1"
    assert [p.text for p in found][5] == "Dear Ada,"
    assert [p.text for p in found][-2] == "Sam"


def test_a_wide_table_is_printed_smaller_within_the_margins() -> None:
    message = table_letter(str(Decimal("123456789012.34")), number="W" * 40)
    for paper, margin in ((Paper.A4, 20), (Paper.US_LETTER, 20)):
        made = pdf(message, paper)
        width, _ = size_of(made)
        row = [p for p in pages(made)[0] if p.size < 10]
        assert [p.text for p in row if p.text == "W" * 40]
        assert max(p.end for p in row) <= width - margin * MM + 0.5
        for before, after in pairwise(row):
            assert after.y < before.y or after.x > before.end


def test_a_table_that_would_be_too_small_is_printed_as_text() -> None:
    wide = Table(("W" * 90, "W" * 90), ("start", "end"), (("one", "two"),), totals=(("All:", "2"),))
    said = texts(letter(body=(wide,)))[5:-1]
    assert "".join(said).startswith("W" * 90)
    assert any(set(line) == {"-"} for line in said)
    assert said[-1] == "All: 2"


def test_totals_and_notes_stand_below_the_table_with_a_blank_line_before_each() -> None:
    table = Table(
        ("A", "B"),
        ("start", "end"),
        (("1", "2"),),
        more="and 3 more",
        totals=(("All:", "5"), ("Late:", "1")),
        notes=("Why.",),
    )
    message = letter(text="x", body=("Before\n\n", table, "\n\nAfter"))
    one, other = lines(letter(text="a\nb"))[5:7]
    found = lines(message)[5:-1]
    row_of = {p.text: round((found[0].y - p.y) / (one.y - other.y)) for p in found}
    table_rows = {"A": 2, "B": 2, "1": 4, "2": 4, "and 3 more": 5}
    below = {"All: 5": 7, "Late: 1": 8, "Why.": 10, "After": 12}
    assert row_of == {"Before": 0} | table_rows | below


def test_a_column_is_aligned_as_its_table_says() -> None:
    """The cells have the same number of characters and different widths in points."""
    table = Table(("mmm", "iii"), ("end", "end"), (("iii", "iii"),))
    head, _, cell, _ = lines(letter(body=(table,)))[5:-1]
    assert head.end == pytest.approx(cell.end, abs=0.1)


def test_a_text_that_looks_like_a_table_is_printed_unchanged() -> None:
    said = texts(letter(text="one  two\n---  ---\n1    2"))[5:-1]
    assert said == ["one  two", "---  ---", "1    2"]


def test_texts_around_tables_keep_their_blank_lines() -> None:
    template = "{{ invoices_table }}\n\n{{ invoices_table }}\nEnd"
    body = body_of(template)
    pieces = lines(letter(text="x", body=body))[5:-1]
    assert [type(part).__name__ for part in body] == ["Table", "str", "Table", "str"]
    assert pieces[-1].text == "End"
    assert len({p.y for p in pieces}) == 2 * 4 + 1  # header, invoice, two totals; the last line
