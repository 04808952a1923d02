"""Reading a book: exact values, an error for each bad row, and little memory."""

from __future__ import annotations

import csv
import io
import time
import tracemalloc
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from books.book import read_book
from books.errors import BookError, RowError
from books.fields import FIELDS, OPTIONAL
from books.map import BookMap
from books.read_map import read_map
from books.row import BookRow
from dunning.currency import CURRENCIES
from tests.cast.books import ANNA, HEADER, book, errors, rows


def test_a_row_is_read_with_exact_values() -> None:
    assert rows(f"{HEADER}\n{ANNA}2025-03-09\n") == [
        BookRow(
            line=2,
            customer="C1",
            customer_name="Anna's Bakery",
            email="anna@example.com",
            invoice="INV-1",
            issued_on=date(2025, 2, 1),
            due_on=date(2025, 3, 3),
            total=Decimal("120.50"),
            currency="EUR",
            paid_on=date(2025, 3, 9),
        )
    ]


def test_optional_columns_are_kept_and_others_ignored() -> None:
    head = f"{HEADER},phone,language,country,terms_days,parent,plan,colour"
    [row] = rows(f"{head}\n{ANNA},+44 7700 900112,en-GB,gb,30,C0,Standard,red\n")
    assert (row.phone, row.language, row.country) == ("+44 7700 900112", "en-GB", "GB")
    assert (row.terms_days, row.parent, row.plan) == (30, "C0", "Standard")


def test_a_negative_total_is_a_credit_note_and_dates_may_be_empty() -> None:
    [row] = rows(f"{HEADER}\nC1,,,CN-1,2025-02-01,,-20,EUR,\n")
    assert row.credit_note
    assert (row.total, row.due_on, row.paid_on, row.email) == (Decimal(-20), None, None, "")


def test_a_misspelt_column_is_refused_and_not_read_as_empty() -> None:
    with pytest.raises(BookError, match=r"no column for paid_on; the file has customer, .*paidon"):
        book(f"{HEADER}\n{ANNA}".replace("paid_on", "paidon"))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("C1", "", "line 2, customer: is empty"),
        ("C1", "C" * 201, "line 2, customer: 'CCCCCCCCCCCCCCCCCCC…' is longer than 200 characters"),
        ("C1", "C\x07", "line 2, customer: has a control character"),
        ("INV-1", " ", "line 2, invoice: is empty"),
        ("anna@", "anna", "line 2, email: 'annaexample.com' is not an email address"),
        ("example.com", "localhost", "line 2, email: 'anna@localhost' is not an email address"),
        ("anna@", "a@b.com; anna@", "line 2, email: 'a@b.com; anna@example.com' is not an em"),
        ("2025-02-01", "", "line 2, issued_on: is empty"),
        ("2025-02-01", "2025-02-29", "line 2, issued_on: '2025-02-29' is not a date as 2025-03-31"),
        ("2025-02-01", "20250201", "line 2, issued_on: '20250201' is not a date as 2025-03-31"),
        ("2025-02-01", "2025-W05-6", "line 2, issued_on: '2025-W05-6' is not a date as 2025-03-31"),
        ("2025-02-01", "٢٠٢٥-02-01", "line 2, issued_on: '٢٠٢٥-02-01' is not a date as 2025-03-31"),
        ("2025-02-01", "0001-01-01", "line 2, issued_on: '0001-01-01' is not between the years"),
        ("2025-02-01", "2025-03-04", "line 2, due_on: 2025-03-03 is before the issue date"),
        ("EUR,", "EUR,2025-01-31", "line 2, paid_on: 2025-01-31 is before the issue date"),
        ("120.50", "", "line 2, total: is empty"),
        ("120.50", "0.00", "line 2, total: is zero"),
        ("120.50", "1e3", "line 2, total: '1e3' is not a plain amount such as 1234.50"),
        ("120.50", "NaN", "line 2, total: 'NaN' is not a plain amount"),
        ("120.50", "1 20.50", "line 2, total: '1 20.50' is not a plain amount"),
        ("120.50", "1" * 16, "line 2, total: '1111111111111111' is not a plain amount"),
        ("120.50", "120.505", "line 2, total: 120.505 has more decimals than EUR, which has 2"),
        ("EUR", "", "line 2, currency: is empty"),
        ("EUR", "EURO", "line 2, currency: 'EURO' is not an ISO 4217 code"),
        ("EUR", "XXX", "line 2, currency: 'XXX' is not an ISO 4217 code such as EUR"),
        ("C1,", "C1,,", "line 2: has 10 cells where the header has 9"),
        ("EUR,", "EUR", "line 2: has 8 cells where the header has 9"),
        ("Anna's", 'Anna"s', ""),
        ("Anna's Bakery", '"Anna" Bakery', "line 2: is not CSV: ',' expected after '\"'"),
        ("Anna's Bakery", "a" * 10_001, "line 2: has a cell of more than 10,000 characters"),
    ],
)
def test_a_bad_row_gives_its_line_column_and_reason(old: str, new: str, reason: str) -> None:
    found = errors(f"{HEADER}\n{ANNA.replace(old, new, 1)}\n{ANNA.replace('INV-1', 'INV-2')}")
    assert len(found) == bool(reason)
    assert not found or found[0].startswith(reason)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("phone", "call me"),
        ("language", "français"),
        ("country", "France"),
        ("terms_days", "-1"),
        ("terms_days", "9999"),
        ("parent", "C1"),
        ("plan", "p" * 101),
    ],
)
def test_optional_columns_are_checked(column: str, value: str) -> None:
    [error] = errors(f"{HEADER},{column}\n{ANNA},{value}")
    assert error.startswith(f"line 2, {column}: ")


def test_every_error_of_a_row_is_reported() -> None:
    found = errors(f"{HEADER}\n,,x,,2025-13-01,,,,\n")
    assert [error.split(":")[0] for error in found] == [
        "line 2, customer",
        "line 2, email",
        "line 2, invoice",
        "line 2, issued_on",
        "line 2, currency",
        "line 2, total",
    ]


def test_decimals_follow_the_currency() -> None:
    yen, dinar, padded = rows(
        f"{HEADER}\nC1,,,1,2025-02-01,,1200,JPY,\nC1,,,2,2025-02-01,,1.5,kwd,\n"
        "C1,,,3,2025-02-01,,1200.00,JPY,\n"
    )
    assert [str(row.total) for row in (yen, dinar, padded)] == ["1200", "1.500", "1200"]
    assert dinar.currency == "KWD"
    assert errors(f"{HEADER}\nC1,,,1,2025-02-01,,0.5,JPY,\n")


def test_a_repeated_row_is_left_out_and_a_different_one_is_an_error() -> None:
    other = ANNA.replace("120.50", "120.51")
    first, again = book(f"{HEADER}\n{ANNA}\n{ANNA}\n{other}\n")
    assert isinstance(first, BookRow)
    assert again == RowError(4, "invoice", "'INV-1' is in line 2 with another content")
    assert len(rows(f"{HEADER}\n{ANNA}\n{ANNA.replace('120.50', '+120.5')}\n")) == 1
    two_names = ANNA.replace("INV-1", "INV-2").replace("Bakery", "Café")
    assert len(rows(f"{HEADER}\n{ANNA}\n{two_names}\n")) == 2


@given(st.binary(max_size=400))
def test_any_bytes_give_rows_or_errors_and_no_exception(data: bytes) -> None:
    _reads_or_refuses(data)
    _reads_or_refuses(f"{HEADER}\n".encode() + data)
    _reads_or_refuses(f"{HEADER}\n{ANNA}\n".encode("utf-16") + data)
    _reads_or_refuses(data, read_map('delimiter = ";"\nencoding = "utf-16"\ndecimal = ","'))


CELL = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["C1", "EUR", "JPY", "2025-02-01", "1.5", "-2", "a@b.example", "0", '"', ""]),
)


@given(st.lists(st.lists(CELL, min_size=8, max_size=11), max_size=6))
def test_any_cells_give_rows_or_errors(table: list[list[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*FIELDS, "terms_days"])
    writer.writerows(table)
    _reads_or_refuses(text.getvalue().encode("utf-8", "surrogatepass"))


def _reads_or_refuses(data: bytes, bookmap: BookMap | None = None) -> None:
    try:
        for row in book(data, bookmap):
            assert isinstance(row, BookRow) or (row.line > 0 and row.reason and str(row))
    except BookError:
        return


WORDS = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), max_size=30).map(
    lambda text: " ".join(text.split())
)
IDS = WORDS.filter(bool)


@st.composite
def invoices(draw: st.DrawFn) -> list[dict[str, str]]:
    made = []
    for number in draw(st.lists(IDS, unique=True, max_size=8)):
        currency = draw(st.sampled_from(sorted(CURRENCIES)))
        amount = draw(
            st.decimals(Decimal(-(10**12)), Decimal(10**12), places=CURRENCIES[currency]).filter(
                bool
            )
        )
        issued = draw(st.dates(date(1950, 1, 1), date(2150, 1, 1)))
        later = st.just("") | st.dates(issued, issued + timedelta(4000)).map(str)
        made.append(
            {
                "customer": draw(IDS),
                "customer_name": draw(WORDS),
                "email": draw(st.sampled_from(["", "a@b.example", "x.y+z@é.example.org"])),
                "invoice": number,
                "issued_on": str(issued),
                "due_on": draw(later),
                "total": f"{amount:f}",
                "currency": currency,
                "paid_on": draw(later),
                "terms_days": draw(st.just("") | st.integers(0, 3650).map(str)),
            }
        )
    return made


@given(invoices(), st.sampled_from(",;\t|"), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_a_written_book_reads_back_equal(
    made: list[dict[str, str]], delimiter: str, encoding: str
) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, [*FIELDS, "terms_days"], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(made)
    read = rows(text.getvalue().encode(encoding))
    assert len(read) == len(made)
    for row, wanted in zip(read, made, strict=True):
        assert row.total == Decimal(wanted["total"])
        assert row.credit_note == (row.total < 0)
        for name in (*FIELDS, *OPTIONAL):
            if name != "total":
                value = getattr(row, name)
                assert ("" if value is None else str(value)) == wanted.get(name, "")


class _Generated:
    """A file generated while it is read, so that only the reader's memory is measured."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.seek(0)

    def _made(self) -> Iterator[bytes]:
        yield f"{HEADER},note\n".encode()
        for i in range(self.count):
            yield (
                f"C{i % 900},Customer {i % 900},c{i % 900}@example.com,INV-{i:07d},"
                f"2025-0{i % 9 + 1}-0{i % 7 + 1},2025-11-{i % 28 + 1:02d},{i + 1}.{i % 100:02d},"
                f"EUR,,{'é' * 60}\n"
            ).encode()

    def seek(self, offset: int, /) -> None:
        assert offset == 0
        self._rest, self._chunks = b"", self._made()

    def read(self, size: int, /) -> bytes:
        while len(self._rest) < size and (chunk := next(self._chunks, b"")):
            self._rest += chunk
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def test_twenty_thousand_rows_are_read_in_seconds_with_little_memory() -> None:
    started = time.perf_counter()
    assert sum(isinstance(row, BookRow) for row in read_book(_Generated(20_000))) == 20_000
    assert time.perf_counter() - started < 15  # about one second on an idle machine

    tracemalloc.start()
    try:
        for _ in read_book(_Generated(4_000)):
            pass
        small = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        for _ in read_book(_Generated(8_000)):
            pass
        large = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert large < 4_000_000
    assert (large - small) / 4_000 < 250  # bytes for each further invoice: two numbers are kept
