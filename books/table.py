"""Reads CSV of any program as a stream: detects encoding and delimiter, reports each bad row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from books.encoding import BinaryFile, encoding_of
from books.errors import BookError, RowError
from books.header import normal
from books.lines import Lines, TooLong, check_empty

_MAX_FIELD = 10_000  # characters


class Table(NamedTuple):
    """The header of a file, and an iterator over its rows: (line, cells or the error)."""

    header: list[str]
    rows: Iterator[tuple[int, list[str] | RowError]]


def read_table(
    file: BinaryFile, known: Collection[str], delimiter: str = "", encoding: str = ""
) -> Table:
    """A CSV file from its beginning. ``known``: normalised headers; the delimiter that yields most
    of them is used.

    Encodings: UTF-8, UTF-16 with a byte order mark, else cp1252. Delimiters: commas, semicolons,
    tabs or pipes. Empty rows are left out. Raises BookError, also while the rows are read.
    """
    lines = Lines(file, encoding or encoding_of(file))
    first = lines.header()
    if match := re.fullmatch(r"sep=([,;\t|])[\r\n]*", first):  # spreadsheets write it
        delimiter = delimiter or match[1]
        first = lines.header()
    best: list[str] = []
    score = (-1, 0)
    for candidate in (delimiter,) if delimiter else (",", ";", "\t", "|"):
        try:
            header = next(_reader(io.StringIO(first, newline=""), candidate))
        except (csv.Error, StopIteration):
            continue
        found = (sum(normal(name) in known for name in header), len(header))
        if found > score:
            best, score, delimiter = header, found, candidate
    if not best:
        raise BookError("the header is not CSV; is a quote missing?", lines.start)
    return Table(best, _table_rows(lines, delimiter, len(best)))


def _table_rows(
    lines: Lines, delimiter: str, width: int
) -> Iterator[tuple[int, list[str] | RowError]]:
    reader, empty = _reader(lines, delimiter), 0
    while True:
        lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, TooLong) as error:
            to = f" (to line {lines.number})" if lines.number > lines.start else ""
            reason = f"is not CSV{to}: {error}; a stray quote?"
            yield lines.start, RowError(lines.start, "", reason, "is not CSV; a stray quote?")
            continue
        if not any(cell and not cell.isspace() for cell in cells):
            empty += 1
            check_empty(empty, lines.start)
            continue
        empty = 0
        if len(cells) != width:
            reason = f"has {len(cells)} cells where the header has {width}"
            cause = "has more or fewer cells than the header"
            yield lines.start, RowError(lines.start, "", reason, cause)
        elif any(len(cell) > _MAX_FIELD for cell in cells):
            reason = f"has a cell of more than {_MAX_FIELD:,} characters"
            yield lines.start, RowError(lines.start, "", reason)
        else:
            yield lines.start, cells


def _reader(lines: Iterator[str], delimiter: str) -> Iterator[list[str]]:
    try:
        return csv.reader(
            lines, delimiter=delimiter, strict=True, skipinitialspace=delimiter != " "
        )
    except (TypeError, ValueError, csv.Error):
        raise BookError(f"{delimiter!r} cannot separate columns") from None
