"""The export of a dataframe: timestamps as dates, inexact floats, ids written as floats."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal

import pytest

from books.book import read_book
from books.errors import BookError, RowError
from books.read_map import read_map
from books.row import BookRow

HEADER = "cust_number,doc_id,posted,due,amount,cleared\n"
MAP = """
date_format = "%Y-%m-%d %H:%M:%S.%f"
round = true
whole_numbers = ["doc_id", "cust_number"]
empty = ["NaT"]
customer = "cust_number"
customer_name = "Customer {cust_number}"
invoice = "doc_id"
issued_on = "posted"
due_on = "due"
total = "amount"
paid_on = "cleared"
currency = "USD"
"""
ROW = (
    "140104423.0,2960623488.0,2020-03-30 00:00:00.000000000,2020-04-10 00:00:00.000000000,"
    "2309.7899999999995,NaT\n"
)


def read(rows: str, map_text: str = MAP) -> list[BookRow | RowError]:
    return list(read_book(io.BytesIO((HEADER + rows).encode()), read_map(map_text)))


def test_the_export_of_a_dataframe_reads_with_a_map() -> None:
    assert read(ROW) == [
        BookRow(
            line=2,
            customer="140104423",
            customer_name="Customer 140104423",
            email="",
            invoice="2960623488",
            issued_on=date(2020, 3, 30),
            due_on=date(2020, 4, 10),
            total=Decimal("2309.79"),
            currency="USD",
            paid_on=None,
            rounded=True,
        )
    ]


@pytest.mark.parametrize("fraction", ["0", "5", "123456", "1234567", "123456789", "9" * 30])
def test_fractions_of_a_second_may_have_any_length(fraction: str) -> None:
    (row,) = read(ROW.replace("00:00:00.000000000", f"23:59:59.{fraction}"))
    assert isinstance(row, BookRow)
    assert (row.issued_on, row.due_on) == (date(2020, 3, 30), date(2020, 4, 10))


def test_a_time_with_an_offset_is_read_as_its_written_date() -> None:
    text = MAP.replace("%S.%f", "%S%z")
    for zone in ("+00:00", "-0800", "Z"):
        (row,) = read(ROW.replace("00:00:00.000000000", f"23:30:00{zone}"), text)
        assert isinstance(row, BookRow)
        assert row.issued_on == date(2020, 3, 30)


@pytest.mark.parametrize(
    ("text", "total", "rounded"),
    [
        ("2309.7899999999995", "2309.79", True),
        ("0.125", "0.12", True),  # half even
        ("0.135", "0.14", True),
        ("100.10000000", "100.10", False),
        ("7", "7.00", False),
    ],
)
def test_round_uses_the_decimals_of_the_currency_and_marks_the_row(
    text: str, total: str, rounded: bool
) -> None:
    (row,) = read(ROW.replace("2309.7899999999995", text))
    assert isinstance(row, BookRow)
    assert (str(row.total), row.rounded) == (total, rounded)


def test_an_amount_that_rounds_to_zero_is_refused() -> None:
    (bad,) = read(ROW.replace("2309.7899999999995", "0.004"))
    assert str(bad) == "line 2, total: '0.004' is zero when rounded to USD (total = 'amount')"


def test_without_round_too_many_decimals_are_an_error() -> None:
    (bad,) = read(ROW, MAP.replace("round = true", ""))
    assert isinstance(bad, RowError)
    assert bad.reason.startswith("2309.7899999999995 has more decimals than USD, which has 2")


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("2960623488.0", "2960623488"),
        ("2960623488.000", "2960623488"),
        ("2960623488", "2960623488"),
        ("0000611365.0", "0000611365"),
        ("INV-7", "INV-7"),
        ("9007199254740992.0", "9007199254740992"),
    ],
)
def test_whole_numbers_removes_point_zero_and_keeps_texts(text: str, whole: str) -> None:
    (row,) = read(ROW.replace("2960623488.0", text))
    assert isinstance(row, BookRow)
    assert row.invoice == whole


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2960623488.5", "'2960623488.5' is not a whole number"),
        ("2.960623488e+09", "'2.960623488e+09' is not written out; its digits may be lost"),
        ("9007199254740994.0", "'9007199254740994.0' has more digits than a float keeps"),
    ],
)
def test_a_float_too_large_to_be_exact_is_refused(text: str, reason: str) -> None:
    assert read(ROW.replace("2960623488.0", text)) == [RowError(2, "doc_id", reason)]


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ('round = "yes"', "map: round is true or false"),
        ('whole_numbers = "doc_id"', 'map: whole_numbers is a list of headers, such as ["doc_id"]'),
        ("whole_numbers = [1]", 'map: whole_numbers is a list of headers, such as ["doc_id"]'),
        ('whole_numbers = ["nope"]', "whole_numbers: no column 'nope'; the file has cust_number,"),
        ('date_format = "%Y-%m-%d %Y"', "map: date_format: '%Y-%m-%d %Y' does not give a day"),
    ],
)
def test_mistakes_in_the_settings_for_dataframes_are_named(setting: str, reason: str) -> None:
    name = setting.partition(" ")[0]
    text = "\n".join(line for line in MAP.splitlines() if not line.startswith(name))
    with pytest.raises(BookError) as error:
        read(ROW, f"{setting}\n{text}")
    assert str(error.value).startswith(reason)
