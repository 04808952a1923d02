"""Tables in letters that an older version stored as text alone are found again."""

from __future__ import annotations

import pytest

from dunning.plan import ActionType
from messages.body import as_text
from messages.letter.aligned import body_of
from messages.letter.paper import Paper
from messages.letter.pdf import pdf
from messages.render import render
from messages.table import Table
from messages.words import LABELS
from tests.cast import letters
from tests.cast.printed import letter, texts

BALANCES = ("1.10", "1111.11", "987654.30")


@pytest.mark.parametrize("paper", list(Paper))
@pytest.mark.parametrize("language", sorted(LABELS))
def test_a_letter_stored_as_text_has_the_pdf_of_its_tables(language: str, paper: Paper) -> None:
    invoices = tuple(letters.invoice(f"INV-{n}", balance) for n, balance in enumerate(BALANCES))
    facts = letters.facts(invoices=invoices, language=language)
    made = render("x", "Dear,\n\n{{ invoices_table }}\n\nSam", facts, ActionType.LETTER)
    assert any(isinstance(part, Table) for part in made.body)
    kept = letter(text=made.text, body=made.body)
    before = letter(text=made.text, body=body_of(made.text))
    assert pdf(before, paper) == pdf(kept, paper)


def test_a_stored_table_is_found_with_the_text_around_it() -> None:
    before, table, after = body_of(
        "Dear Ada,\n\nNo   Open\n--  -----\n1    5.00\n10  15.00\nand 2 more\n\nAll: 20.00\n"
    )
    assert (before, after) == ("Dear Ada,\n\n", "\nand 2 more\n\nAll: 20.00")
    rows = (("1", "5.00"), ("10", "15.00"))
    assert table == Table(("No", "Open"), ("start", "end"), rows)


@pytest.mark.parametrize("text", ["", "a", "\n\na\n", "a\nb  c", "--  --\na  b", "a  b\n--  --"])
def test_finding_tables_in_a_text_loses_no_character(text: str) -> None:
    assert as_text(body_of(text)) == text.strip("\n")


def test_text_that_resembles_a_table_is_printed_whole() -> None:
    text = "one  two\n---  ---\nabcdefgh and more than that\n\n---  ---\n\n--  --\na\nb  c  d"
    said = texts(letter(body=body_of(text)))[5:-1]
    assert "abcdefgh and more than that" in said
    assert sorted("".join(said).replace("-", "").replace(" ", "")) == sorted(
        text.replace("-", "").replace(" ", "").replace("\n", "")
    )
