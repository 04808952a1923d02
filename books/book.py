"""A book of receivables as CSV: read as a stream, each bad row named with its line and reason.

Nothing is written here. A caller reads the file twice: once to check it whole, once to use it::

    errors = [row for row in read_book(file) if isinstance(row, RowError)]

Amounts are ``Decimal`` in the row's currency, dates are the organisation's own. The form of a book
is described in docs/books.md. Errors: ``BookError`` (raised: the file cannot be used at all) and
``RowError`` (a value: one thing that is wrong with one row).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from books.cells import (
    Unreadable,
    check_amount,
    parse_amount,
    parse_date,
    round_amount,
    whole_number,
)
from books.map import FIELDS, OPTIONAL, BookError, BookMap, Bound
from books.table import BinaryFile, RowError, Table, read_table
from dunning.currency import CURRENCIES
from dunning.excerpt import shorten
from dunning.ids import OURS, our_id

__all__ = [
    "FIELDS", "OPTIONAL", "BinaryFile", "BookError", "BookMap", "BookRow", "RowError", "read_book",
]  # fmt: skip

_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?")
_LOCAL = re.compile(r"(?!\.)(?!.*\.\.)[^\s@,;:<>()\[\]\\\"]{1,64}(?<!\.)")


@dataclass(frozen=True, slots=True)
class BookRow:
    """One invoice, or a credit note (``credit_note``; its ``total`` is negative).

    ``total`` has exactly the currency's decimals. An empty text, or None, says that the book does
    not say: a ``customer_name`` of "" is no reason to forget a name that is known. ``rounded``: the
    file's total was finer than the currency.
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
    rounded: bool = False


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
    table: Table, fits: BookMap, bound: Mapping[str, Bound]
) -> Iterator[BookRow | RowError]:
    whole = fits.whole_number_places(table.header)
    seen: dict[int, int] = {}  # an invoice's hash → its first line and the hash of its content
    for line, cells in table.rows:
        if isinstance(cells, RowError):
            yield cells
            continue
        if fits.empty:
            cells = ["" if cell.strip() in fits.empty else cell for cell in cells]
        lost = _make_whole(line, cells, whole) if whole else []
        row = _Row(line, cells, fits, bound)
        book_row = row.read()
        if book_row is None or lost:
            yield from (*lost, *row.errors)
            continue
        content = hash((book_row.customer, *row.values)) & 0xFFFFFFFFFFFFFFFF
        first = seen.setdefault(hash(book_row.invoice), line << 64 | content)
        if first >> 64 == line:
            yield book_row
        elif first & 0xFFFFFFFFFFFFFFFF != content:
            reason = f"{shorten(book_row.invoice)!r} is in line {first >> 64} with another content"
            cause = "is in another line with another content"
            yield RowError(line, "invoice", reason, cause, book_row.invoice)


def _make_whole(line: int, cells: list[str], places: Sequence[tuple[int, str]]) -> list[RowError]:
    """Take the ``.0`` from the cells at ``places``; what is wrong with them."""
    errors = []
    for place, header in places:
        try:
            cells[place] = whole_number(cells[place].strip())
        except Unreadable as error:
            errors.append(RowError(line, header, str(error), error.cause, error.value, header))
    return errors


class _Row:
    """One row being read: its values by field, and what is wrong with it."""

    def __init__(
        self,
        line: int,
        cells: Sequence[str],
        fits: BookMap,
        bound: Mapping[str, Bound],
    ) -> None:
        self.line, self.fits, self.bound = line, fits, bound
        self.texts = {name: one.get(cells).strip() for name, one in bound.items()}
        self.values: tuple[object, ...] = ()
        self.errors: list[RowError] = []
        self.rounded = False

    def read(self) -> BookRow | None:
        customer = self.text("customer", required=True)
        name = self.text("customer_name")
        email = self.text("email", 254)
        if email and not _is_address(email):
            self.wrong("email", "is not an email address", email)
        invoice = self.text("invoice", required=True)
        issued_on = self.date("issued_on", required=True)
        due_on, paid_on = self.date("due_on"), self.date("paid_on")
        if issued_on and due_on and due_on < issued_on:
            self.wrong("due_on", "is before the issue date", str(due_on),
                       f"{due_on} is before the issue date {issued_on}")  # fmt: skip
        if issued_on and paid_on and paid_on < issued_on:
            self.wrong("paid_on", "is before the issue date", str(paid_on),
                       f"{paid_on} is before the issue date {issued_on}")  # fmt: skip
        currency = self.text("currency", required=True).upper()
        if currency and currency not in CURRENCIES:
            self.wrong("currency", "is not an ISO 4217 code such as EUR", currency)
        total = self.total(currency)
        phone, language = self.text("phone", 50), self.text("language", 35)
        country, terms = self.text("country", 100).upper(), self.terms()
        if phone and not re.fullmatch(r"[+(0-9][0-9 ()./-]{2,}", phone):
            self.wrong("phone", "is not a telephone number", phone)
        if language and not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", language):
            self.wrong("language", "is not a language such as fr or pt-BR", language)
        if country and not re.fullmatch(r"[A-Z]{2}", country):
            self.wrong("country", "is not an ISO 3166 code such as FR", country)
        parent, plan = self.text("parent"), self.text("plan", 100)
        for field, key in (("customer", customer), ("invoice", invoice), ("parent", parent)):
            if our_id(key) is not None:
                self.wrong(field, OURS, key)
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
            total < 0, phone, language, country, terms, parent, plan, self.rounded,
        )  # fmt: skip

    def wrong(self, name: str, cause: str, value: str = "", reason: str = "") -> None:
        """``cause`` without the cell's ``value``; ``reason`` where it is not the two together."""
        of = self.bound[name]
        where = "" if of.label == name else f" ({of.label})"
        reason = reason or (f"{shorten(value)!r} {cause}" if value else cause)
        self.errors.append(RowError(self.line, name, reason + where, cause, value, of.header))

    def unreadable(self, name: str, error: Unreadable) -> None:
        self.wrong(name, error.cause, error.value, str(error))

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
            self.wrong(name, f"is longer than {limit} characters", shorten(value, 20))
        return value

    def date(self, name: str, required: bool = False) -> date | None:
        value = self.texts.get(name, "")
        if value:
            try:
                return parse_date(value, self.fits.date_formats.get(name, ""))
            except Unreadable as error:
                self.unreadable(name, error)
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
                self.rounded = fits.round and amount != round_amount(amount, currency)
                exact = round_amount(amount, currency) if fits.round else amount
                exact = check_amount(exact, currency)
                if amount and not exact:
                    raise Unreadable(value, f"is zero when rounded to {currency}")
                amount = exact
        except Unreadable as error:
            self.unreadable("total", error)
            return None
        if not amount:
            self.wrong("total", "is zero")
        return amount

    def terms(self) -> int | None:
        value = self.texts.get("terms_days", "")
        if not value:
            return None
        if not re.fullmatch(r"[0-9]{1,4}", value) or int(value) > 3650:
            self.wrong("terms_days", "is not a number of days up to 3650", value)
            return None
        return int(value)


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
