"""The facts of a rehearsal as CSV: ``at,kind,customer,invoice,value``, in local time.

A fact is something that the billing system or a member reports at that moment. The whole file is
read, checked and sorted by time; facts of the same moment keep their order. See docs/books.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from books.cells import parse_amount, parse_date
from books.encoding import BinaryFile
from books.errors import BookError, RowError
from books.header import Header
from books.table import read_table
from dunning.currency import CURRENCIES
from dunning.excerpt import shorten
from dunning.ids import OURS, our_id


class FactKind(StrEnum):
    PAYMENT = "payment"
    REVERSE_PAYMENT = "reverse_payment"
    CREDIT = "credit"
    VOID = "void"
    DUE_DATE = "due_date"
    PAUSE = "pause"
    RESUME = "resume"
    PROMISE = "promise"
    DISPUTE = "dispute"
    SETTLE = "settle"
    CONTACT_INVALID = "contact_invalid"
    CONTACT_VALID = "contact_valid"
    COMPLETE = "complete"
    SKIP = "skip"
    PLAN = "plan"


#: Kinds that need an invoice. For pause, resume and credit the invoice is optional.
_ON_INVOICE = frozenset(
    {
        FactKind.PAYMENT,
        FactKind.REVERSE_PAYMENT,
        FactKind.VOID,
        FactKind.DUE_DATE,
        FactKind.PROMISE,
        FactKind.DISPUTE,
        FactKind.SETTLE,
    }
)
_COLUMNS = ("at", "kind", "customer", "invoice", "value")
_AT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?)?")


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact at a local moment (in the organisation's time zone, which ``at`` does not have).

    ``invoice`` is empty for a fact about the customer. ``amount`` is that of a payment or credit
    (positive; a credit with None: the whole balance), of a reversal (None: the last payment), or of
    a promise (None: the balance). ``currency`` is set only if it was written. ``on``: the promised
    day, the new due date, or the day a pause ends (None: until resumed). ``text``: the plan's name,
    or a reason or note.
    """

    line: int
    at: datetime
    kind: FactKind
    customer: str
    invoice: str = ""
    amount: Decimal | None = None
    currency: str = ""
    on: date | None = None
    text: str = ""


def read_facts(file: BinaryFile) -> tuple[list[Fact], list[RowError]]:
    """The good facts, sorted by time, and the errors of the bad ones.

    Raises BookError if the file cannot be read at all. The caller checks that customers, invoices
    and plans exist, and that no amount has more decimals than its invoice's currency.
    """
    table = read_table(file, _COLUMNS)
    columns = Header(table.header)
    missing = [name for name in _COLUMNS if not columns.has(name)]
    if missing:
        raise BookError(f"no column for {', '.join(missing)}; the file has {columns}")
    places = [columns.place(name) for name in _COLUMNS]
    facts: list[Fact] = []
    errors: list[RowError] = []
    for line, cells in table.rows:
        if isinstance(cells, RowError):
            errors.append(cells)
            continue
        try:
            facts.append(_fact(line, *(cells[place].strip() for place in places)))
        except _Wrong as wrong:
            errors.append(RowError(line, wrong.column, str(wrong)))
    facts.sort(key=lambda fact: fact.at)
    return facts, errors


class _Wrong(ValueError):
    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column


def _fact(line: int, at: str, kind: str, customer: str, invoice: str, value: str) -> Fact:
    moment = _moment(at)
    try:
        of_kind = FactKind(re.sub(r"[\s-]+", "_", kind.lower()))
    except ValueError:
        kinds = ", ".join(known.value for known in FactKind)
        raise _Wrong("kind", f"{shorten(kind)!r} is not one of {kinds}") from None
    for name, text, limit in (
        ("customer", customer, 200),
        ("invoice", invoice, 200),
        ("value", value, 500),
    ):
        if len(text) > limit:
            raise _Wrong(name, f"is longer than {limit} characters")
        if re.search(r"[\x00-\x1f\x7f-\x9f]", text):
            raise _Wrong(name, "has a line break or control character")
    if not customer:
        raise _Wrong("customer", "is empty")
    for name, key in (("customer", customer), ("invoice", invoice)):
        if our_id(key) is not None:
            raise _Wrong(name, f"{key!r} {OURS}")
    if of_kind in _ON_INVOICE and not invoice:
        raise _Wrong("invoice", f"is empty; {of_kind.value} is about an invoice")
    fact = Fact(line, moment, of_kind, customer, invoice)
    read = _VALUES.get(of_kind)
    return read(fact, value) if read else replace(fact, text=value)


def _moment(text: str) -> datetime:
    match = _AT.fullmatch(text)
    try:
        if match is None:
            raise ValueError(
                f"{shorten(text)!r} is not a local time as 2025-03-06 or 2025-03-06T08:00"
            )
        day = parse_date(match[1])
        try:
            clock = datetime.strptime(match[2] or "00:00", "%H:%M")  # noqa: DTZ007 - local by design
        except ValueError:
            raise ValueError(f"{match[2]!r} is not a time of day") from None
        second = int((match[3] or ":00")[1:])
        if second > 59:
            raise ValueError(f"{shorten(text)!r} is not a time of day")
    except ValueError as error:
        raise _Wrong("at", str(error)) from None
    return datetime(day.year, day.month, day.day, clock.hour, clock.minute, second)  # noqa: DTZ001


def _with_amount(fact: Fact, value: str) -> Fact:
    """The value is ``120.50`` or ``120.50 EUR``."""
    number, _, currency = value.partition(" ")
    currency = currency.strip().upper()
    try:
        amount = parse_amount(number)
    except ValueError as error:
        raise _Wrong("value", str(error)) from None
    if amount <= 0:
        raise _Wrong("value", f"{number} is not more than zero")
    if currency and currency not in CURRENCIES:
        raise _Wrong("value", f"{shorten(currency)!r} is not an ISO 4217 code such as EUR")
    return replace(fact, amount=amount, currency=currency)


def _amount_or_all(fact: Fact, value: str) -> Fact:
    if value:
        return _with_amount(fact, value)
    if not fact.invoice:
        raise _Wrong("value", f"is empty; a {fact.kind.value} without an invoice needs an amount")
    return fact


def _with_date(fact: Fact, value: str) -> Fact:
    try:
        return replace(fact, on=parse_date(value))
    except ValueError as error:
        raise _Wrong("value", str(error)) from None


def _pause(fact: Fact, value: str) -> Fact:
    if not value:
        return fact
    dated = _with_date(fact, value)
    if dated.on is not None and dated.on <= fact.at.date():
        raise _Wrong("value", f"{dated.on} is not after {fact.at.date()}, when the pause begins")
    return dated


def _promise(fact: Fact, value: str) -> Fact:
    """``2025-04-30``, or with an amount after a space or a semicolon: ``2025-04-30 500.00``."""
    day, _, amount = value.replace(";", " ").partition(" ")
    dated = _with_date(fact, day)
    if dated.on is not None and dated.on < fact.at.date():
        raise _Wrong("value", f"{dated.on} is before {fact.at.date()}, when it is promised")
    return _with_amount(dated, amount.strip()) if amount.strip() else dated


def _nothing(fact: Fact, value: str) -> Fact:
    if value:
        raise _Wrong("value", f"{shorten(value)!r}: a {fact.kind.value} has no value")
    return fact


def _plan(fact: Fact, value: str) -> Fact:
    if not value:
        raise _Wrong("value", "is empty; name the plan")
    return replace(fact, text=value)


#: How the value of each kind is read. Other kinds have any text: a reason or note.
_VALUES: dict[FactKind, Callable[[Fact, str], Fact]] = {
    FactKind.PAYMENT: _with_amount,
    FactKind.REVERSE_PAYMENT: _amount_or_all,
    FactKind.CREDIT: _amount_or_all,
    FactKind.DUE_DATE: _with_date,
    FactKind.PAUSE: _pause,
    FactKind.RESUME: _nothing,
    FactKind.PROMISE: _promise,
    FactKind.PLAN: _plan,
}
