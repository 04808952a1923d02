"""What was heard about the addresses of a customer: closed, because somebody complained,
unsubscribed, answered STOP or asked for it, or open again.

A closure belongs to an organisation, a kind of address and an address, whichever contact has it: it
holds for a contact that billing leaves out and reports again, and for all that share the address.
What a word means beside the others is ``dunning.closures``; ``backoffice.ledger.closures`` writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from addresses.kinds import CLOSABLE, EMAIL, PHONE, key_of, same
from dunning.closures import Heard, Source, closing, opened_at
from store import tables as t
from store.unit import Unit

_CUSTOMER = sa.bindparam("customer", type_=sa.Uuid)
_ORGANISATION = (
    sa.select(col(t.Customer.organisation_id))
    .where(col(t.Customer.id) == _CUSTOMER)
    .scalar_subquery()
)


def phone_end(column: str) -> sa.ColumnElement[str]:
    """The last digits of a number. An index on them narrows the search; ``addresses.phone`` then
    compares the whole numbers. The index is used where ``column`` names table and column."""
    found: sa.ColumnElement[str] = sa.literal_column(t.PHONE_END.format(column), sa.Text)
    return found


def _about(kind: str, joined: sa.ColumnElement[bool]) -> Any:
    of_kind: sa.ColumnElement[str] = sa.literal_column(
        f"'{kind}'"
    )  # no value: partial indexes are for one kind
    return (
        sa.select(t.Closure)
        .select_from(t.Contact)
        .join(t.ContactAddress, col(t.ContactAddress.contact_id) == t.Contact.id)
        .join(t.Closure, sa.and_(col(t.Closure.organisation_id) == _ORGANISATION, joined))
        .where(col(t.Contact.customer_id) == _CUSTOMER, col(t.ContactAddress.kind) == of_kind)
        .where(col(t.Closure.kind) == of_kind, col(t.ContactAddress.address) != _NONE)
    )


_NONE: sa.ColumnElement[str] = sa.literal_column("''")
#: What was heard about the addresses of a ``customer``'s contacts, and about numbers like them.
HEARD = sa.union_all(
    _about(EMAIL, col(t.Closure.address) == sa.func.lower(t.ContactAddress.address)),
    _about(PHONE, phone_end("closure.address") == phone_end("contact_address.address")),
)


@dataclass(frozen=True, slots=True)
class Closures:
    """What was heard about the addresses of one customer, by kind and address."""

    country: str
    heard: Mapping[tuple[str, str], list[Heard]] = field(default_factory=dict)

    def closed(self, kind: str, address: Any) -> str:
        """Why an address of a contact is closed; empty = it is not."""
        word = closing(self._words(kind, address))
        return word.reason or word.cause if word is not None else ""

    def opened_at(self, kind: str, address: Any) -> datetime | None:
        return opened_at(self._words(kind, address))

    def _words(self, kind: str, address: Any) -> list[Heard]:
        if not self.heard or not address or kind not in CLOSABLE:
            return []
        key = key_of(kind, address, self.country)
        return [
            word
            for (of_kind, other), words in self.heard.items()
            if of_kind == kind and key and same(kind, key, other)
            for word in words
        ]


def closures_of(country: str, rows: Iterable[Any]) -> Closures:
    """From the rows of ``HEARD``, as mappings."""
    heard: dict[tuple[str, str], list[Heard]] = {}
    for row in rows:
        heard.setdefault((row["kind"], row["address"]), []).append(heard_of(row))
    return Closures(country, heard)


def heard_of(row: Any) -> Heard:
    at = row["at"]
    at = datetime.fromisoformat(at) if isinstance(at, str) else at
    return Heard(Source(row["source"]), row["closed"], row["cause"], at, row["reason"])


def read(unit: Unit, customer: t.Customer) -> Closures:
    rows = unit.session.connection().execute(HEARD, {"customer": customer.id}).mappings()
    return closures_of(customer.country, rows)
