"""MAP.toml: maps foreign headers, dates and numbers; names every mistake in it."""

from __future__ import annotations

import contextlib
import io
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from books.book import read_book
from books.errors import BookError, RowError
from books.read_map import read_map
from books.row import BookRow

FOREIGN = (
    "customerID,DocNo,Posted,Payable,Gross,Cleared,Box,country\n"
    "K-17,D100,1/6/2025,2/5/2025,310.25,1/28/2025,post,north\n"
    "K-23,D101,3/26/2025,4/25/2025,84.7,,,south\n"
)
COLUMNS = """
customer = "customerID"
invoice = "DocNo"
issued_on = "Posted"
due_on = "Payable"
total = "Gross"
paid_on = "Cleared"
"""
FLAT = f"""
date_format = "%m/%d/%Y"
{COLUMNS}
currency = "USD"
email = "{{customerID}}@example.com"
"""
SECTIONS = f"""
date_format = "%m/%d/%Y"
[columns]
{COLUMNS}
[constants]
currency = "USD"
[patterns]
email = "{{customerID}}@example.com"
"""
TABLES = f"""
date_formats = {{due_on = "%m/%d/%Y", paid_on = "%m/%d/%Y"}}
currency = {{constant = "USD"}}
email = {{pattern = "{{customerID}}@example.com"}}
{COLUMNS.replace('"Posted"', '{column = "Posted", date_format = "%m/%d/%Y"}')}
"""


def book(map_text: str, text: str = FOREIGN) -> list[BookRow | RowError]:
    return list(read_book(io.BytesIO(text.encode()), read_map(map_text)))


@pytest.mark.parametrize("text", [FLAT, SECTIONS, TABLES])
def test_three_notations_of_a_map_are_read_alike(text: str) -> None:
    first, second = book(text)
    assert first == BookRow(
        line=2,
        customer="K-17",
        customer_name="",
        email="K-17@example.com",
        invoice="D100",
        issued_on=date(2025, 1, 6),
        due_on=date(2025, 2, 5),
        total=Decimal("310.25"),
        currency="USD",
        paid_on=date(2025, 1, 28),
    )
    assert isinstance(second, BookRow)
    assert (second.paid_on, str(second.total)) == (None, "84.70")


def test_a_pattern_joins_columns_and_is_empty_if_all_of_them_are() -> None:
    text = FLAT.replace("{customerID}@", "{Box}@") + 'customer_name = "{{{customerID}}} {box}"\n'
    first, second = book(text)
    assert isinstance(first, BookRow)
    assert isinstance(second, BookRow)
    assert (first.email, first.customer_name) == ("post@example.com", "{K-17} post")
    assert (second.email, second.customer_name) == ("", "{K-23}")


def test_foreign_numbers_dates_and_empty_cells_are_read() -> None:
    text = (
        "Kunde;Beleg;Datum;Fällig;Betrag;Bezahlt\n"
        "1;A;31.01.2025 00:00;1.3.25;€ 1.234.567,8;NULL\n"
        '"1";B;01.02.2025 13:05;;- 3,00; - \n'
    )
    first, second = book(
        """
        delimiter = ";"
        decimal = ","
        thousands = "."
        strip = "€ "
        empty = ["NULL", "-"]
        customer = "Kunde"
        invoice = "Beleg"
        issued_on = {column = "Datum", date_format = "%d.%m.%Y %H:%M"}
        due_on = {column = "Fällig", date_format = "%d.%m.%y"}
        total = "Betrag"
        paid_on = "Bezahlt"
        currency = "EUR"
        terms_days = 30
        """,
        text,
    )
    assert isinstance(first, BookRow)
    assert isinstance(second, BookRow)
    assert (first.total, first.due_on, first.paid_on) == (
        Decimal("1234567.80"),
        date(2025, 3, 1),
        None,
    )
    assert (second.total, second.credit_note, second.terms_days) == (Decimal(-3), True, 30)


def test_an_error_names_the_foreign_header_too() -> None:
    _, error = book(FLAT, FOREIGN.replace("3/26/2025", "26/3/2025"))
    assert str(error) == (
        "line 3, issued_on: '26/3/2025' is not a date of the form '%m/%d/%Y' (issued_on = 'Posted')"
    )


def test_a_map_for_our_own_headers_changes_only_the_fields_it_names() -> None:
    text = (
        "customer,customer_name,email,invoice,issued_on,due_on,total,currency,paid_on,language\n"
        "C1,Anna,,1,01.02.2025,,5,EUR,,fr\n"
    )
    [row] = book('date_format = "%d.%m.%Y"', text)
    assert isinstance(row, BookRow)
    assert (row.issued_on, row.language) == (date(2025, 2, 1), "fr")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("customer = ", "map: is not TOML"),
        ("a = " + "[" * 50_000, "map: is nested more than"),
        ('customerID = "customer"', "map: unknown field 'customerID'; a map says field = "),
        ("columns = 3", "map: columns is not a table"),
        ('[columns]\ntotal = "A"\n[constants]\ntotal = "1"', "map: total is there twice"),
        ("total = 1.5", "map: total is not a text: 1.5"),
        ("total = true", "map: total is not a text: True"),
        ("total = {columns = 'A'}", "map: total is {column = …}"),
        ("total = {}", "map: total is {column = …}"),
        ("total = '\\u0000'".replace("'", '"'), "map: total has a character"),
        ('[patterns]\nemail = "{a@example.com"', "map: email = '{a@example.com': a brace"),
        ('date_format = "MM/DD/YYYY"', "map: date_format: 'MM/DD/YYYY' does not give a day"),
        ('date_format = "%d/%m"', "map: date_format: '%d/%m' does not give a day"),
        ('date_format = "%Q"', "map: date_format: '%Q' does not give a day"),
        ('date_format = "%"', "map: date_format: '%' does not give a day"),
        ("date_format = 3", "map: date_format: is not a short text"),
        ("date_formats = 3", "map: date_formats is not a table"),
        ('date_formats = {total = "%d"}', "map: date_format of total: not a date"),
        ('due_on = {column = "A", date_format = "%d"}', "map: date_format of due_on: '%d'"),
        ('decimal = ";"', 'map: decimal is "." or ","'),
        ('thousands = "."', "map: thousands is one of"),
        ('strip = "0"', "map: strip names signs"),
        ('empty = "-"', "map: empty is a list of texts"),
        ('delimiter = ";;"', "map: delimiter ';;' is not a sign"),
        ('delimiter = "\\n"', "map: delimiter '\\n' is not a sign"),
        ('encoding = "rot13"', "map: encoding 'rot13' is not known"),
        ('encoding = "unicode_escape"', "map: encoding 'unicode_escape' is not known"),
        ("encoding = 8", "map: encoding is not a text"),
        ("#" * 100_001, "map: is larger"),
    ],
)
def test_a_map_that_cannot_be_used_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(BookError) as raised:
        read_map(text)
    assert str(raised.value).startswith(reason)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        # A misspelt header is not taken for a constant.
        ('"customerID"', '"custmerID"', "customer = 'custmerID': no column 'custmerID'; the file"),
        ('"Cleared"', '"Clered"', "paid_on = 'Clered': no column 'Clered'"),
        ('"USD"', '"DOLLARS"', "currency = 'DOLLARS': no column 'DOLLARS'"),
        ("{customerID}@", "{id}@", "email = '{id}@example.com': no column 'id'"),
        ('paid_on = "Cleared"', "", "no column for paid_on; the file has customerID"),
    ],
)
def test_a_map_that_does_not_match_the_file_is_refused(old: str, new: str, reason: str) -> None:
    with pytest.raises(BookError) as raised:
        book(FLAT.replace(old, new))
    assert str(raised.value).startswith(reason)


def test_a_text_that_may_be_a_header_or_a_constant_is_refused() -> None:
    both = FOREIGN.replace("country", "USD")
    with pytest.raises(BookError, match="currency = 'USD' is a column of the file and could be"):
        book(FLAT, both)
    assert isinstance(book(SECTIONS, both)[0], BookRow)
    error = book(FLAT.replace('"USD"', '{column = "USD"}'), both)[0]
    assert str(error).startswith("line 2, currency: 'NORTH' is not")


def test_an_empty_constant_is_an_empty_field() -> None:
    first, _ = book(FLAT.replace('"Cleared"', '""'))
    assert isinstance(first, BookRow)
    assert first.paid_on is None


def test_a_duplicate_column_is_an_error_only_if_it_is_used() -> None:
    twice = FOREIGN.replace("Box,country", "Box,Box")
    assert isinstance(book(FLAT, twice)[0], BookRow)
    with pytest.raises(BookError, match="the column 'Box' is there 2 times"):
        book(FLAT + 'customer_name = "{Box}"', twice)
    spelt = FOREIGN.replace("Box,country", "BOX,box")
    assert isinstance(book(FLAT + 'customer_name = "box"', spelt)[0], BookRow)


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_any_map_is_read_or_refused(data: str | bytes) -> None:
    with contextlib.suppress(BookError):
        read_map(data)


@given(
    st.sampled_from(["date_format", "customer", "due_on", "currency", "delimiter", "encoding"]),
    st.text(st.characters(exclude_characters="'", exclude_categories=("Cc", "Cs")), max_size=20)
    | st.text("%dmYyBbHMSfpIaA{}/., ", max_size=12),
)
def test_any_setting_is_used_or_refused(name: str, value: str) -> None:
    for rest in ("", FLAT):
        with contextlib.suppress(BookError):
            book(f"{name} = '{value}'\n" + rest)
