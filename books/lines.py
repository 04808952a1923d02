"""Decodes a file piece by piece into lines, counts them, and limits their length."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator

from books.encoding import CHUNK, SURROGATE, BinaryFile
from books.errors import BookError

_MAX_ROW = 100_000  # characters
#: In a row. A spreadsheet has 1,048,576 rows, and some programs export the empty ones too.
MAX_EMPTY_ROWS = 1_100_000


def check_empty(count: int, line: int) -> None:
    if count > MAX_EMPTY_ROWS:
        reason = f"has {MAX_EMPTY_ROWS:,} empty rows before it; is this the right file?"
        raise BookError(reason, line)


class TooLong(Exception):
    pass


class Lines(Iterator[str]):
    """The lines of a file, with their line ends."""

    def __init__(self, file: BinaryFile, encoding: str) -> None:
        self.number = 0  # of the last line returned
        self.start = 1  # the first line of the row
        self._size = 0  # characters of the current row
        self._lines = self._split(file, encoding)

    def begin(self) -> None:
        """The next line begins a new row."""
        self.start, self._size = self.number + 1, 0

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        self._size += len(line)
        if self._size > _MAX_ROW:
            raise TooLong(f"it is longer than {_MAX_ROW:,} characters")
        return line

    def header(self) -> str:
        """The text of the first row that is not empty; quotes may hold line breaks."""
        parts: list[str] = []
        open_quote = False
        try:
            while open_quote or not parts:
                if not parts:
                    self.begin()
                    check_empty(self.number, self.start)
                line = next(self)
                open_quote ^= line.count('"') % 2 == 1
                if parts or line.strip():
                    parts.append(line)
        except StopIteration:
            if not parts:
                raise BookError("the file is empty") from None
        except TooLong as error:
            raise BookError(f"the header is not CSV: {error}", self.start) from None
        return "".join(parts)

    def _split(self, file: BinaryFile, encoding: str) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder(encoding)()
        file.seek(0)
        rest, number, last = "", 0, False
        while not last:
            chunk = file.read(CHUNK)
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
            if last or held.endswith("\n"):  # a final "\r" may be half of "\r\n"
                number += 1
                rest = ""
                yield _sound(held, number)
            else:
                rest = held
                if len(rest) > _MAX_ROW:
                    _sound(rest, number + 1)


def _sound(line: str, number: int) -> str:
    """The line. Raises BookError if it is too long, or has what PostgreSQL cannot store."""
    if len(line) > _MAX_ROW:
        raise BookError(f"is longer than {_MAX_ROW:,} characters; is this a CSV file?", number)
    if "\x00" in line:
        raise BookError("has a NUL character; is this a CSV file, or UTF-16 unmarked?", number)
    if not line.isascii() and SURROGATE.search(line):
        raise BookError("has a lone surrogate, which is no character", number)
    return line
