"""Bad rows grouped by cause: count, first three lines, and a line for the map."""

from __future__ import annotations

import io

import pytest

from books.book import read_book
from books.causes import Causes
from books.errors import RowError
from books.read_map import read_map

HEADER = "customer,invoice,issued_on,due_on,total,currency,paid_on,terms_days"
MAP = """
customer = "customer"
terms_days = {column = "terms_days"}
phone = {constant = ""}
"""


def causes(*rows: str, map_text: str = MAP) -> list[str]:
    text = "\n".join((HEADER, *rows))
    found = read_book(io.BytesIO(text.encode()), read_map(map_text))
    return [str(c) for c in Causes(row for row in found if isinstance(row, RowError)).listed()]


def row(n: int, **cells: str) -> str:
    known = {
        "customer": "C",
        "invoice": f"I-{n}",
        "issued_on": "2025-01-02",
        "due_on": "",
        "total": "1.00",
        "currency": "EUR",
        "paid_on": "",
        "terms_days": "",
    }
    return ",".join((known | cells).values())


def test_rows_with_one_cause_are_one_entry_with_the_first_three_line_numbers() -> None:
    rows = [row(n, total=f"{n}.7899999999995") for n in range(1, 6)]
    rows.insert(2, row(9, total=""))
    first, second = causes(*rows)
    assert first == (
        "total has more decimals than EUR, which has 2: 5 rows (lines 2, 3, 5, …), such as "
        "'1.7899999999995'; put into the map: round = true"
    )
    assert second == "total is empty: 1 row (line 4)"


@pytest.mark.parametrize(
    ("cells", "hint"),
    [
        (
            {"issued_on": "13/01/2025"},
            'issued_on = {column = "issued_on", date_format = "%d/%m/%Y"}',
        ),
        (
            {"issued_on": "2020-03-30 00:00:00.000000000"},
            'issued_on = {column = "issued_on", date_format = "%Y-%m-%d %H:%M:%S.%f"}',
        ),
        (
            {"paid_on": "3/4/2025"},
            (
                'paid_on = {column = "paid_on", date_format = "%d/%m/%Y"} or '
                '{column = "paid_on", date_format = "%m/%d/%Y"}'
            ),
        ),
        ({"paid_on": "NaT"}, 'empty = ["NaT"]'),
        ({"total": '"1.234,50 €"'}, 'decimal = ",", thousands = ".", strip = "€"'),
        ({"total": '"1,234,567.50"'}, 'thousands = ","'),
        ({"total": "12.50 USD"}, 'strip = "DSU"'),
        ({"terms_days": "30.0"}, 'whole_numbers = ["terms_days"]'),
        (
            {"customer": "0F8FAD5BD9CB469FA16570867728950E"},
            'customer = {pattern = "external:{customer}"}',
        ),
        ({"currency": "Euro"}, 'currency = {constant = "EUR"}, where all rows are in one currency'),
    ],
)
def test_a_cause_has_a_hint_for_the_map(cells: dict[str, str], hint: str) -> None:
    (told,) = causes(row(1, **cells))
    assert told.endswith(f"; put into the map: {hint}")


@pytest.mark.parametrize(
    "cells",
    [{"total": "free"}, {"issued_on": "soon"}, {"customer": ""}, {"total": "INV-7"}],
)
def test_a_cause_that_no_map_can_fix_has_no_hint(cells: dict[str, str]) -> None:
    (told,) = causes(row(1, **cells))
    assert "map" not in told


def test_the_hint_of_a_cause_fixes_its_rows() -> None:
    """The rows can be read after the hint was added to the map."""
    rows = [row(n, total=f"{n}.7899999999995", paid_on="nan") for n in range(1, 4)]
    found = read_book(io.BytesIO("\n".join((HEADER, *rows)).encode()), read_map(MAP))
    errors = [error for error in found if isinstance(error, RowError)]
    hints = "\n".join(cause.hint for cause in Causes(errors).listed())
    assert causes(*rows, map_text=f"{hints}\n{MAP}") == []


def test_rows_of_the_wrong_width_and_stray_quotes_are_causes_too() -> None:
    told = causes("a,b", "c,d,e", 'f,"g"h,,,,,,', row(4))
    assert told == [
        "has more or fewer cells than the header: 2 rows (lines 2, 3)",
        "is not CSV; a stray quote?: 1 row (line 4)",
    ]


def test_causes_beyond_the_first_two_hundred_are_counted_together() -> None:
    found = Causes(RowError(n, "x", f"reason {n}") for n in range(1000)).listed()
    assert len(found) == 201
    assert (found[0].count, found[0].reason) == (800, "are wrong for yet other reasons")
