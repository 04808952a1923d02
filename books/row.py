"""One row of a book, read and checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class BookRow:
    """One invoice, or a credit note (``credit_note``; its ``total`` is negative).

    ``total`` has exactly the currency's decimals. An empty text or None means that the book does
    not give the value: a ``customer_name`` of "" does not delete a known name. ``rounded``: the
    file's total had more decimals than the currency. The hash covers the content only: a row
    repeated in another line has the same.
    """

    line: int = field(hash=False)
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
    rounded: bool = field(default=False, hash=False)
