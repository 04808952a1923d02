"""Reads a book of receivables from CSV as a stream; reports line and reason of each bad row.

A caller reads the file twice, first to check all of it, then to use it::

    errors = [row for row in read_book(file) if isinstance(row, RowError)]

Amounts are ``Decimal`` in the row's currency, dates are the organisation's own. docs/books.md
describes the form of a book.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from books.cells import Unreadable, whole_number
from books.encoding import BinaryFile
from books.errors import RowError
from books.map import BookMap, Bound
from books.row import BookRow
from books.row_reader import RowReader
from books.table import Table, read_table
from dunning.excerpt import shorten


def read_book(file: BinaryFile, bookmap: BookMap | None = None) -> Iterator[BookRow | RowError]:
    """The rows of a book in order; instead of a bad row its errors, one or more.

    A repeated row is left out. The same invoice with other values is an error that names its first
    line. Memory: two numbers for each invoice. Raises BookError at once if the header is not that
    of a book, and while reading if the file is not text.
    """
    fits = bookmap or BookMap()
    table = read_table(file, fits.names(), fits.delimiter, fits.encoding)
    return _book_rows(table, fits, fits.bind(table.header))


def _book_rows(
    table: Table, fits: BookMap, bound: Mapping[str, Bound]
) -> Iterator[BookRow | RowError]:
    whole = fits.whole_number_places(table.header)
    seen: dict[int, int] = {}  # hash of the invoice number → its first line, hash of the row
    for line, cells in table.rows:
        if isinstance(cells, RowError):
            yield cells
            continue
        if fits.empty:
            cells = ["" if cell.strip() in fits.empty else cell for cell in cells]
        lost = _make_whole(line, cells, whole) if whole else []
        row = RowReader(line, cells, fits, bound)
        book_row = row.read()
        if book_row is None or lost:
            yield from (*lost, *row.errors)
            continue
        content = hash(book_row) & 0xFFFFFFFFFFFFFFFF
        first = seen.setdefault(hash(book_row.invoice), line << 64 | content)
        if first >> 64 == line:
            yield book_row
        elif first & 0xFFFFFFFFFFFFFFFF != content:
            reason = f"{shorten(book_row.invoice)!r} is in line {first >> 64} with another content"
            cause = "is in another line with another content"
            yield RowError(line, "invoice", reason, cause, book_row.invoice)


def _make_whole(line: int, cells: list[str], places: Sequence[tuple[int, str]]) -> list[RowError]:
    """Removes ``.0`` from the cells at ``places``; returns errors for other decimals."""
    errors = []
    for place, header in places:
        try:
            cells[place] = whole_number(cells[place].strip())
        except Unreadable as error:
            errors.append(RowError(line, header, str(error), error.cause, error.value, header))
    return errors
