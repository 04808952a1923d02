"""The statements of an import: ``sql/*.sql``, of which each has its name in a comment before it.

They do for many rows at once what ``backoffice.ledger.book_rows`` and ``customers`` do for one; a
test feeds both with the same books.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

import sqlalchemy as sa

from backoffice.ledger import ahead
from store.calendars import calendar_of
from store.unit import Unit

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def statements(file: str) -> dict[str, str]:
    """The statements of ``sql/{file}.sql`` by name, in their order."""
    text = (files("backoffice.ledger") / "sql" / f"{file}.sql").read_text("utf-8")
    _, *found = _NAME.split(text)
    return dict(zip(found[::2], found[1::2], strict=True))


class Statements:
    """Runs the statements of one import. ``:org`` in them is its organisation, ``:at`` the
    organisation's time; the others are the last days that may be told (``ahead``)."""

    def __init__(self, unit: Unit) -> None:
        self.connection = unit.session.connection()
        today = calendar_of(unit.organisation).today(unit.now)
        self._values = {
            "org": unit.organisation_id,
            "at": unit.now,
            "last_credit": today + ahead.CREDIT,
            "credit_far": ahead.reason(today, ahead.CREDIT),
            "last_invoice": today + ahead.INVOICE,
            "invoice_far": ahead.reason(today, ahead.INVOICE),
        }

    def __call__(self, file: str, name: str) -> sa.CursorResult[Any]:
        clause = sa.text(statements(file)[name])
        names = clause.compile().params
        return self.connection.execute(clause, {name: self._values[name] for name in names})

    def all_of(self, file: str) -> None:
        for name in statements(file):
            self(file, name)
