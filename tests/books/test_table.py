"""CSV files as various programs write them: separators, encodings, quotes; files that are not
CSV."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest

from books.book import read_book
from books.errors import BookError, RowError
from books.row import BookRow
from tests.cast.books import ANNA, HEADER, book, rows


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
def test_separators_encodings_and_headers_are_recognised(data: bytes) -> None:
    [row] = rows(data)
    assert (row.customer, row.customer_name, row.total) == ("C1", "Anna's Bakery", Decimal("120.5"))


def test_quoted_separators_quotes_and_line_breaks_are_read_with_line_numbers() -> None:
    quoted = ANNA.replace("Anna's Bakery", '"Anna ""&"" Sons,\r\nBakers"')
    first, second = rows(f"{HEADER}\n{quoted}\n{ANNA.replace('INV-1', 'INV-2')}\n")
    assert first.customer_name == 'Anna "&" Sons, Bakers'
    assert (first.line, second.line) == (2, 4)


def test_cp1252_is_the_fallback_and_mixed_encodings_are_refused() -> None:
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
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(BookError) as raised:
        book(data)
    assert str(raised.value).startswith(reason)


def test_an_unclosed_quote_loses_only_the_rows_near_it() -> None:
    more = [ANNA.replace("INV-1", f"INV-{i}") for i in range(2, 4000)]
    text = "\n".join([HEADER, ANNA.replace("Anna's", '"Anna'), *more])
    found = book(text)
    assert isinstance(found[0], RowError)
    assert "(to line" in found[0].reason
    assert all(isinstance(row, BookRow) for row in found[1:])
    assert len(found) > 2000


@pytest.mark.parametrize("empty", ["\n", "\r\n", " \n", ",,,,,,,,\n"])
@pytest.mark.parametrize("before", ["", f"{HEADER}\n", f"{HEADER}\n{ANNA}\n"])
def test_a_file_with_more_empty_rows_than_a_spreadsheet_is_refused(
    empty: str, before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("books.lines.MAX_EMPTY_ROWS", 500)
    if before:
        assert rows(f"{before}{empty * 500}{ANNA}\n")[-1].invoice == "INV-1"
    elif empty.strip():
        return  # cells make a header
    endless = io.BytesIO((before + empty * 100_000 + ANNA).encode())
    with pytest.raises(BookError, match="has 500 empty rows before it"):
        list(read_book(endless))
    assert endless.tell() <= 2 * 65_536 + len(before)
