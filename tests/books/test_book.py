"""Reading a book: every bad row named, every good one exact, in little memory."""

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

from books.book import FIELDS, OPTIONAL, BookError, BookRow, RowError, read_book
from books.cells import check_amount, parse_amount
from books.map import BookMap, read_map
from dunning.currency import CURRENCIES

HEADER = ",".join(FIELDS)
ANNA = "C1,Anna's Bakery,anna@example.com,INV-1,2025-02-01,2025-03-03,120.50,EUR,"


def book(text: str | bytes, bookmap: BookMap | None = None) -> list[BookRow | RowError]:
    data = text.encode() if isinstance(text, str) else text
    return list(read_book(io.BytesIO(data), bookmap))


def rows(text: str | bytes, bookmap: BookMap | None = None) -> list[BookRow]:
    found = book(text, bookmap)
    assert not [str(row) for row in found if isinstance(row, RowError)]
    return [row for row in found if isinstance(row, BookRow)]


def errors(text: str | bytes) -> list[str]:
    return [str(row) for row in book(text) if isinstance(row, RowError)]


def test_a_row_is_read_exactly() -> None:
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


@pytest.mark.parametrize(
    "data",
    [
        f"{HEADER}\n{ANNA}\n".replace(",", ";").encode(),
        f"{HEADER}\n{ANNA}\n".replace(",", "\t").encode("utf-8-sig"),
        f"{HEADER}\r\n{ANNA}\r\n".replace(",", "|").encode("utf-16"),
        b"\xfe\xff" + f"{HEADER}\r{ANNA}".encode("utf-16-be"),
        f"sep=;\r\n{HEADER}\r\n{ANNA}".replace(",", ";").encode(),
        f"\n\n{HEADER}\n\n,,,,,,,,\n{ANNA}\n\n".encode(),
        f"{HEADER.upper().replace('_', ' ')}\n{ANNA}".replace(",", " , ").encode(),
    ],
)
def test_separators_encodings_and_headers(data: bytes) -> None:
    [row] = rows(data)
    assert (row.customer, row.customer_name, row.total) == ("C1", "Anna's Bakery", Decimal("120.5"))


def test_quotes_hold_separators_quotes_and_line_breaks_and_lines_are_counted() -> None:
    quoted = ANNA.replace("Anna's Bakery", '"Anna ""&"" Sons,\r\nBakers"')
    first, second = rows(f"{HEADER}\n{quoted}\n{ANNA.replace('INV-1', 'INV-2')}\n")
    assert first.customer_name == 'Anna "&" Sons, Bakers'
    assert (first.line, second.line) == (2, 4)


def test_cp1252_is_the_fallback_and_a_mixture_is_refused() -> None:
    cafe = ANNA.replace("Anna's Bakery", "Café Zoë €")
    [row] = rows(f"{HEADER}\n{cafe}".encode("cp1252"))
    assert row.customer_name == "Café Zoë €"
    padding = (f"{ANNA}\n" * 2000).encode()
    mixed = f"{HEADER}\n{cafe}\n".encode() + padding + cafe.encode("cp1252")
    with pytest.raises(BookError, match=r"line 2003: is not UTF-8, but line 2 is"):
        book(mixed)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (f"{HEADER}\n{ANNA}\x00\n".encode(), "line 2: has a NUL"),
        (f"{HEADER}\n{ANNA}".encode("utf-16-le"), "line 1: has a NUL"),
        (f"{HEADER}\n{ANNA}\n".encode() + b"\xed\xa0\x80", "line 3: has a lone surrogate"),
        (f"{HEADER}\n".encode("utf-16") + b"\x00\xd8\x0a\x00", "line 2: is not utf-16 text"),
        (f"{HEADER}\n{ANNA}\x81".encode("latin-1"), "line 2: is not cp1252 text"),
        (b"x" * 200_000, "line 1: is longer than 100,000"),
        (b'"a,b\n' + b"c,d\n" * 50_000, "line 1: the header is not CSV"),
        (b'"a,b\n', "line 1: the header is not CSV"),
        (b"customer,invoice\n", "no column for customer_name, email, issued_on, due_on, total"),
        (f"{HEADER},Total\n".encode(), "the column 'total' is there 2 times"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", "no column for customer"),
    ],
)
def test_a_file_that_cannot_be_used(data: bytes, reason: str) -> None:
    with pytest.raises(BookError) as raised:
        book(data)
    assert str(raised.value).startswith(reason)


def test_a_misspelt_column_is_never_taken_for_an_empty_one() -> None:
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
def test_a_bad_row_is_named(old: str, new: str, reason: str) -> None:
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


def test_everything_wrong_with_a_row_is_said() -> None:
    found = errors(f"{HEADER}\n,,x,,2025-13-01,,,,\n")
    assert [error.split(":")[0] for error in found] == [
        "line 2, customer",
        "line 2, email",
        "line 2, invoice",
        "line 2, issued_on",
        "line 2, currency",
        "line 2, total",
    ]


def test_a_quote_that_is_never_closed_costs_its_own_rows_only() -> None:
    more = [ANNA.replace("INV-1", f"INV-{i}") for i in range(2, 4000)]
    text = "\n".join([HEADER, ANNA.replace("Anna's", '"Anna'), *more])
    found = book(text)
    assert isinstance(found[0], RowError)
    assert "(to line" in found[0].reason
    assert all(isinstance(row, BookRow) for row in found[1:])
    assert len(found) > 2000


def test_decimals_follow_the_currency() -> None:
    yen, dinar, padded = rows(
        f"{HEADER}\nC1,,,1,2025-02-01,,1200,JPY,\nC1,,,2,2025-02-01,,1.5,kwd,\n"
        "C1,,,3,2025-02-01,,1200.00,JPY,\n"
    )
    assert [str(row.total) for row in (yen, dinar, padded)] == ["1200", "1.500", "1200"]
    assert dinar.currency == "KWD"
    assert errors(f"{HEADER}\nC1,,,1,2025-02-01,,0.5,JPY,\n")


def test_the_same_invoice_twice() -> None:
    other = ANNA.replace("120.50", "120.51")
    first, again = book(f"{HEADER}\n{ANNA}\n{ANNA}\n{other}\n")
    assert isinstance(first, BookRow)
    assert again == RowError(4, "invoice", "'INV-1' is in line 2 with another content")
    assert len(rows(f"{HEADER}\n{ANNA}\n{ANNA.replace('120.50', '+120.5')}\n")) == 1
    two_names = ANNA.replace("INV-1", "INV-2").replace("Bakery", "Café")
    assert len(rows(f"{HEADER}\n{ANNA}\n{two_names}\n")) == 2


@given(st.binary(max_size=400))
def test_any_bytes_give_errors_and_nothing_else(data: bytes) -> None:
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
def test_what_was_written_is_read(
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


@given(st.text(max_size=30), st.sampled_from([".", ","]), st.sampled_from(["", " ", "'"]))
def test_an_amount_is_exact_or_refused(text: str, decimal: str, thousands: str) -> None:
    try:
        amount = parse_amount(text, decimal, thousands)
    except ValueError:
        return
    assert amount.is_finite()
    assert abs(amount) < 10**15
    if set(text) <= set("0123456789-" + decimal):
        assert amount == Decimal(text.replace(decimal, "."))


def test_an_amount_of_a_currency() -> None:
    assert check_amount(Decimal("1.10"), "EUR") == Decimal("1.10")
    with pytest.raises(ValueError, match="more decimals than JPY"):
        check_amount(Decimal("1.1"), "JPY")


class _Generated:
    """A file that is made while it is read, so that only the reader's own memory counts."""

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


def test_twenty_thousand_rows_in_seconds_and_little_memory() -> None:
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
    assert (large - small) / 4_000 < 250  # bytes for each further invoice: its two numbers


@pytest.mark.parametrize("empty", ["\n", "\r\n", " \n", ",,,,,,,,\n"])
@pytest.mark.parametrize("before", ["", f"{HEADER}\n", f"{HEADER}\n{ANNA}\n"])
def test_a_file_of_empty_rows_is_left_after_as_many_as_a_spreadsheet_has(
    empty: str, before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("books.table.MAX_EMPTY_ROWS", 500)
    if before:
        assert rows(f"{before}{empty * 500}{ANNA}\n")[-1].invoice == "INV-1"
    elif empty.strip():
        return  # cells make a header
    endless = io.BytesIO((before + empty * 100_000 + ANNA).encode())
    with pytest.raises(BookError, match="has 500 empty rows before it"):
        list(read_book(endless))
    assert endless.tell() <= 2 * 65_536 + len(before)
