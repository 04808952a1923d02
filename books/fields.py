"""The fields of a book: one row is one invoice (docs/books.md)."""

from __future__ import annotations

#: Columns of every book, in the order in which we write them.
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
#: Columns that a book may have too.
OPTIONAL = ("phone", "language", "country", "terms_days", "parent", "plan")
DATES = ("issued_on", "due_on", "paid_on")
#: A foreign file may lack these; without ``paid_on`` all its invoices would look unpaid.
SPARED = frozenset({"customer_name", "email"})
