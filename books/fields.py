"""The fields of a book: one row is one invoice (docs/books.md)."""

from __future__ import annotations

#: Columns that every book has, in the order in which we write them.
FIELDS = (
    "customer",
    "customer_name",
    "email",
    "invoice",
    "issued_on",
    "due_on",
    "total",
    "currency",
    "paid_on",
)
#: Columns that a book may have besides.
OPTIONAL = ("phone", "language", "country", "terms_days", "parent", "plan")
DATES = ("issued_on", "due_on", "paid_on")
#: A foreign file may be without these. Without ``paid_on`` it may not: all of it would look unpaid.
SPARED = frozenset({"customer_name", "email"})
