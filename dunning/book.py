"""A book of receivables as CSV: read as a stream, each bad row named with its line and reason.

Nothing is written here. A caller reads the file twice: once to check it whole, once to use it::

    errors = [row for row in read_book(file) if isinstance(row, RowError)]

Amounts are ``Decimal`` in the row's currency, dates are the organisation's own. The form of a book
is described in docs/books.md. Errors: ``BookError`` (raised: the file cannot be used at all) and
``RowError`` (a value: one thing that is wrong with one row).
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple, Protocol

from dunning.bookmap import (
    CURRENCIES,
    FIELDS,
    OPTIONAL,
    BookError,
    BookMap,
    Getter,
    normal,
    parse_date,
    shorten,
)

__all__ = [
    "CURRENCIES", "FIELDS", "OPTIONAL", "BinaryFile", "BookError", "BookMap", "BookRow",
    "RowError", "Table", "check_amount", "parse_amount", "read_book", "read_table",
]  # fmt: skip

_MAX_ROW = 100_000  # characters
_MAX_FIELD = 10_000
_CHUNK = 65_536  # bytes
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?")
_LOCAL = re.compile(r"[^\s@,;:<>()\[\]\\\"]{1,64}")


class BinaryFile(Protocol):
    """What is asked of a file: to be read in pieces, and from its beginning again."""

    def read(self, size: int, /) -> bytes: ...

    def seek(self, offset: int, /) -> object: ...


@dataclass(frozen=True, slots=True)
class RowError:
    """One thing that is wrong with a row. ``column`` is empty when it is the row as a whole."""

    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        where = f"line {self.line}, {self.column}" if self.column else f"line {self.line}"
        return f"{where}: {self.reason}"


@dataclass(frozen=True, slots=True)
class BookRow:
    """One invoice, or a credit note (``credit_note``; its ``total`` is negative).

    ``total`` has exactly the currency's decimals. An empty text, or None, says that the book does
    not say: a ``customer_name`` of "" is no reason to forget a name that is known.
    """

    line: int
    customer: str
    customer_name: str
    email: str
    invoice: str
    issued_on: date
    due_on: date | None
    total: Decimal
    currency: str
    paid_on: date | None
    credit_note: bool = False
    phone: str = ""
    language: str = ""
    country: str = ""
    terms_days: int | None = None
    parent: str = ""
    plan: str = ""


def read_book(file: BinaryFile, bookmap: BookMap | None = None) -> Iterator[BookRow | RowError]:
    """The rows of a book from its beginning, in order; a bad row gives its errors, one or more.

    ``file`` is binary and can seek. A row repeated word for word is left out; the same invoice with
    another content is an error that names the first line. Memory does not grow with the file but
    for two numbers per invoice. Raises BookError at once when the header is not that of a book,
    and while reading when the file turns out not to be text.
    """
    fits = bookmap or BookMap()
    table = read_table(file, fits.names(), fits.delimiter, fits.encoding)
    return _book_rows(table, fits, fits.bind(table.header))


def _book_rows(
    table: Table, fits: BookMap, bound: Mapping[str, tuple[str, Getter]]
) -> Iterator[BookRow | RowError]:
    seen: dict[int, int] = {}  # an invoice's hash → its first line and the hash of its content
    for line, cells in table.rows:
        if isinstance(cells, RowError):
            yield cells
            continue
        if fits.empty:
            cells = ["" if cell.strip() in fits.empty else cell for cell in cells]
        row = _Row(line, cells, fits, bound)
        book_row = row.read()
        if book_row is None:
            yield from row.errors
            continue
        content = hash((book_row.customer, *row.values)) & 0xFFFFFFFFFFFFFFFF
        first = seen.setdefault(hash(book_row.invoice), line << 64 | content)
        if first >> 64 == line:
            yield book_row
        elif first & 0xFFFFFFFFFFFFFFFF != content:
            reason = f"{shorten(book_row.invoice)!r} is in line {first >> 64} with another content"
            yield RowError(line, "invoice", reason)


class _Row:
    """One row being read: its values by field, and what is wrong with it."""

    def __init__(
        self,
        line: int,
        cells: Sequence[str],
        fits: BookMap,
        bound: Mapping[str, tuple[str, Getter]],
    ) -> None:
        self.line, self.fits, self.bound = line, fits, bound
        self.texts = {name: get(cells).strip() for name, (_, get) in bound.items()}
        self.values: tuple[object, ...] = ()
        self.errors: list[RowError] = []

    def read(self) -> BookRow | None:
        customer = self.text("customer", required=True)
        name = self.text("customer_name")
        email = self.text("email", 254)
        if email and not _is_address(email):
            self.wrong("email", f"{shorten(email)!r} is not an email address")
        invoice = self.text("invoice", required=True)
        issued_on = self.date("issued_on", required=True)
        due_on, paid_on = self.date("due_on"), self.date("paid_on")
        if issued_on and due_on and due_on < issued_on:
            self.wrong("due_on", f"{due_on} is before the issue date {issued_on}")
        if issued_on and paid_on and paid_on < issued_on:
            self.wrong("paid_on", f"{paid_on} is before the issue date {issued_on}")
        currency = self.text("currency", required=True).upper()
        if currency and currency not in CURRENCIES:
            self.wrong("currency", f"{shorten(currency)!r} is not an ISO 4217 code such as EUR")
        total = self.total(currency)
        phone, language = self.text("phone", 50), self.text("language", 35)
        country, terms = self.text("country", 100).upper(), self.terms()
        if phone and not re.fullmatch(r"[+(0-9][0-9 ()./-]{2,}", phone):
            self.wrong("phone", f"{phone!r} is not a telephone number")
        if language and not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", language):
            self.wrong("language", f"{language!r} is not a language such as fr or pt-BR")
        if country and not re.fullmatch(r"[A-Z]{2}", country):
            self.wrong("country", f"{shorten(country)!r} is not an ISO 3166 code such as FR")
        parent, plan = self.text("parent"), self.text("plan", 100)
        if parent and parent == customer:
            self.wrong("parent", "is the customer itself")
        if self.errors or issued_on is None or total is None:
            return None
        self.values = (
            name, email, issued_on, due_on, total, currency, paid_on,
            phone, language, country, terms, parent, plan,
        )  # fmt: skip
        return BookRow(
            self.line, customer, name, email, invoice, issued_on, due_on, total, currency, paid_on,
            total < 0, phone, language, country, terms, parent, plan,
        )  # fmt: skip

    def wrong(self, name: str, reason: str) -> None:
        label = self.bound[name][0]
        where = "" if label == name else f" ({label})"
        self.errors.append(RowError(self.line, name, reason + where))

    def text(self, name: str, limit: int = 200, required: bool = False) -> str:
        """A text in one line: line breaks and runs of spaces become one space."""
        value = self.texts.get(name, "")
        if not value.isprintable() or "  " in value:
            value = " ".join(value.split())
            if re.search(r"[\x00-\x1f\x7f-\x9f]", value):
                self.wrong(name, "has a control character")
        if not value:
            if required:
                self.wrong(name, "is empty")
        elif len(value) > limit:
            self.wrong(name, f"{shorten(value, 20)!r} is longer than {limit} characters")
        return value

    def date(self, name: str, required: bool = False) -> date | None:
        value = self.texts.get(name, "")
        if value:
            try:
                return parse_date(value, self.fits.date_formats.get(name, ""))
            except ValueError as error:
                self.wrong(name, str(error))
        elif required:
            self.wrong(name, "is empty")
        return None

    def total(self, currency: str) -> Decimal | None:
        value, fits = self.texts["total"], self.fits
        if not value:
            self.wrong("total", "is empty")
            return None
        try:
            amount = parse_amount(value, fits.decimal, fits.thousands, fits.strip)
            if currency in CURRENCIES:
                amount = check_amount(amount, currency)
        except ValueError as error:
            self.wrong("total", str(error))
            return None
        if not amount:
            self.wrong("total", "is zero")
        return amount

    def terms(self) -> int | None:
        value = self.texts.get("terms_days", "")
        if not value:
            return None
        if not re.fullmatch(r"[0-9]{1,4}", value) or int(value) > 3650:
            self.wrong("terms_days", f"{shorten(value)!r} is not a number of days up to 3650")
            return None
        return int(value)


def parse_amount(text: str, decimal: str = ".", thousands: str = "", strip: str = "") -> Decimal:
    """A plain decimal: no exponent, at most 15 digits before the point. Raises ValueError."""
    plain = text.translate({ord(sign): None for sign in strip}).strip() if strip else text
    match = _amount(decimal, thousands).fullmatch(plain)
    if match is None:
        like = f"1{thousands}234{decimal}50"
        raise ValueError(f"{shorten(text)!r} is not a plain amount such as {like}")
    sign, whole, fraction = match.groups()
    return Decimal(f"{sign}{re.sub('[^0-9]', '', whole)}.{fraction or '0'}")


@lru_cache(maxsize=64)
def _amount(decimal: str, thousands: str) -> re.Pattern[str]:
    group = "[ \u00a0\u202f]" if thousands == " " else re.escape(thousands)
    grouped = f"[0-9]{{1,3}}(?:{group}[0-9]{{3}}){{1,4}}|" if thousands else ""
    return re.compile(f"([+-]?)({grouped}[0-9]{{1,15}})(?:{re.escape(decimal)}([0-9]{{1,10}}))?")


def check_amount(amount: Decimal, currency: str) -> Decimal:
    """The amount with exactly the currency's decimals. Raises ValueError when it has more."""
    places = CURRENCIES[currency]
    exact = round(amount, places)
    if exact != amount:
        raise ValueError(f"{amount} has more decimals than {currency}, which has {places}")
    return exact


def _is_address(text: str) -> bool:
    """Plausible, no more: a mailbox, and a domain of at least two labels."""
    local, _, domain = text.rpartition("@")
    labels = domain.split(".")
    return (
        len(labels) > 1
        and _LOCAL.fullmatch(local) is not None
        and all(_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()
    )


# -- the file ----------------------------------------------------------------------------------


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
    reader = _reader(lines, delimiter)
    while True:
        lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _TooLong) as error:
            to = f" (to line {lines.number})" if lines.number > lines.start else ""
            yield lines.start, RowError(lines.start, "", f"is not CSV{to}: {error}; a stray quote?")
            continue
        if not any(cell and not cell.isspace() for cell in cells):
            continue
        if len(cells) != width:
            reason = f"has {len(cells)} cells where the header has {width}"
            yield lines.start, RowError(lines.start, "", reason)
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
