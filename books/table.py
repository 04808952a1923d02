"""A CSV file of any program, read as a stream: encoding and delimiter found, each bad row named.

Errors: ``BookError`` (raised: the file cannot be used at all) and ``RowError`` (a value: one thing
that is wrong with one row).
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from books.map import BookError, normal

_MAX_ROW = 100_000  # characters
_MAX_FIELD = 10_000
#: In a row. A spreadsheet has 1,048,576 rows, and some programs write all that are empty.
MAX_EMPTY_ROWS = 1_100_000
_CHUNK = 65_536  # bytes
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class BinaryFile(Protocol):
    """What is asked of a file: to be read in pieces, and from its beginning again."""

    def read(self, size: int, /) -> bytes: ...

    def seek(self, offset: int, /) -> object: ...


@dataclass(frozen=True, slots=True)
class RowError:
    """One thing that is wrong with a row. ``column`` is empty when it is the row as a whole.

    ``cause`` is the reason without this row's own value, so that rows can be grouped by it (empty:
    the reason itself). ``value`` is that value, ``header`` the column of the file that it is from.
    """

    line: int
    column: str
    reason: str
    cause: str = field(default="", compare=False)
    value: str = field(default="", compare=False)
    header: str = field(default="", compare=False)

    def __str__(self) -> str:
        where = f"line {self.line}, {self.column}" if self.column else f"line {self.line}"
        return f"{where}: {self.reason}"


class Table(NamedTuple):
    """A CSV file that has begun to be read: its header, then (line, cells or what is wrong)."""

    header: list[str]
    rows: Iterator[tuple[int, list[str] | RowError]]


def read_table(
    file: BinaryFile, known: Collection[str], delimiter: str = "", encoding: str = ""
) -> Table:
    """A CSV file from its beginning. ``known``: normalised headers that tell the delimiter.

    UTF-8, UTF-16 with a byte order mark, else cp1252; commas, semicolons, tabs or pipes; empty rows
    are left out. Raises BookError, also later while the rows are read.
    """
    lines = _Lines(file, encoding or _encoding_of(file))
    first = lines.header()
    if match := re.fullmatch(r"sep=([,;\t|])[\r\n]*", first):  # written by spreadsheets
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
    lines: _Lines, delimiter: str, width: int
) -> Iterator[tuple[int, list[str] | RowError]]:
    reader, empty = _reader(lines, delimiter), 0
    while True:
        lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _TooLong) as error:
            to = f" (to line {lines.number})" if lines.number > lines.start else ""
            reason = f"is not CSV{to}: {error}; a stray quote?"
            yield lines.start, RowError(lines.start, "", reason, "is not CSV; a stray quote?")
            continue
        if not any(cell and not cell.isspace() for cell in cells):
            empty += 1
            _check_empty(empty, lines.start)
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


def _check_empty(count: int, line: int) -> None:
    if count > MAX_EMPTY_ROWS:
        reason = f"has {MAX_EMPTY_ROWS:,} empty rows before it; is this the right file?"
        raise BookError(reason, line)


class _TooLong(Exception):
    pass


class _Lines(Iterator[str]):
    """The lines of a file with their ends, decoded chunk by chunk, counted and bounded."""

    def __init__(self, file: BinaryFile, encoding: str) -> None:
        self.number = 0  # of the line given last
        self.start = 1  # the first line of the row
        self._size = 0  # characters of the row so far
        self._lines = self._split(file, encoding)

    def begin(self) -> None:
        """The next line begins a new row."""
        self.start, self._size = self.number + 1, 0

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        self._size += len(line)
        if self._size > _MAX_ROW:
            raise _TooLong(f"it is longer than {_MAX_ROW:,} characters")
        return line

    def header(self) -> str:
        """The text of the first row that is not empty; quotes may hold line breaks."""
        parts: list[str] = []
        open_quote = False
        try:
            while open_quote or not parts:
                if not parts:
                    self.begin()
                    _check_empty(self.number, self.start)
                line = next(self)
                open_quote ^= line.count('"') % 2 == 1
                if parts or line.strip():
                    parts.append(line)
        except StopIteration:
            if not parts:
                raise BookError("the file is empty") from None
        except _TooLong as error:
            raise BookError(f"the header is not CSV: {error}", self.start) from None
        return "".join(parts)

    def _split(self, file: BinaryFile, encoding: str) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder(encoding)()
        file.seek(0)
        rest, number, last = "", 0, False
        while not last:
            chunk = file.read(_CHUNK)
            last = not chunk
            try:
                text = rest + decoder.decode(chunk, last)
            except UnicodeError as error:
                at = number + 1
                if isinstance(error, UnicodeDecodeError):
                    at += rest.count("\n") + error.object[: error.start].count(b"\n")
                raise BookError(f"is not {encoding} text: {error}", at) from None
            held = ""
            for line in io.StringIO(text, newline=""):
                if held:
                    number += 1
                    yield _sound(held, number)
                held = line
            if last or held.endswith("\n"):  # a "\r" at the end may be half of "\r\n"
                number += 1
                rest = ""
                yield _sound(held, number)
            else:
                rest = held
                if len(rest) > _MAX_ROW:
                    _sound(rest, number + 1)


_SURROGATE = re.compile("[\ud800-\udfff]")
_WIDE = re.compile("[^\x00-\x7f\ud800-\udfff]")
_CUT_SURROGATE = re.compile("\udced[\udca0-\udcbf][\udc80-\udcbf]")


def _sound(line: str, number: int) -> str:
    """The line, if it can be stored."""
    if len(line) > _MAX_ROW:
        raise BookError(f"is longer than {_MAX_ROW:,} characters; is this a CSV file?", number)
    if "\x00" in line:
        raise BookError("has a NUL character; is this a CSV file, or UTF-16 unmarked?", number)
    if not line.isascii() and _SURROGATE.search(line):
        raise BookError("has a lone surrogate, which is no character", number)
    return line


def _encoding_of(file: BinaryFile) -> str:
    """How the whole file is written: by its mark, else UTF-8 when all of it is, else cp1252.

    Raises BookError where UTF-8 and something else are mixed.
    """
    file.seek(0)
    chunk = file.read(_CHUNK)
    for mark, name in _BOMS:
        if chunk.startswith(mark):
            return name
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    line, good, bad, tail = 1, 0, 0, ""
    while True:
        text = tail + decoder.decode(chunk, not chunk)
        if not text.isascii():
            if cut := _CUT_SURROGATE.search(text):
                raise BookError(
                    "has a lone surrogate, which is no character",
                    line + text.count("\n", 0, cut.start()),
                )
            if not bad and (wrong := _SURROGATE.search(text)):
                bad = line + text.count("\n", 0, wrong.start())
            if not good and (right := _WIDE.search(text)):
                good = line + text.count("\n", 0, right.start())
        if not chunk:
            break
        tail = text[-2:]
        line += text.count("\n", 0, len(text) - len(tail))
        chunk = file.read(_CHUNK)
    if bad and good:
        raise BookError(
            f"is not UTF-8, but line {good} is; save the file in one encoding, "
            'or name it in a map (encoding = "cp1252")',
            bad,
        )
    return "cp1252" if bad else "utf-8"
