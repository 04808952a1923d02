"""A header and a good row of a book, and functions that read books from texts."""

from __future__ import annotations

import io

from books.book import read_book
from books.errors import RowError
from books.fields import FIELDS
from books.map import BookMap
from books.row import BookRow

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
