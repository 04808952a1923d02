"""The rows in the tables after a book was reported, in a form that can be compared."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select

from store import tables as t
from store.engine import transaction
from tests.cast.ways import Way


def tables_of(way: Way, *, rehearsed: bool = False) -> dict[str, list[str]]:
    """The rows of an organisation, with external ids in place of our random ids.

    ``rehearsed``: leaves out two differences of a rehearsal. Its book has no postal addresses, so
    each contact gets one. And it reports the customer again with each row, so that an address may
    be corrected more often.
    """
    with transaction(way.engine) as session:
        rows = {table: list(session.exec(select(table))) for table in _TABLES}
    mine = {c.id: c.external_id for c in rows[t.Customer] if c.organisation_id == way.id}
    kept = {table: [row for row in found if _whose(row) in mine] for table, found in rows.items()}
    # Triggers keep unapplied credit; a row of 0 is the same as none.
    kept[t.UnappliedCredit] = [row for row in kept[t.UnappliedCredit] if row.amount]
    paid = {row.id for row in kept[t.Credit]}
    kept[t.Application] = [row for row in rows[t.Application] if row.credit_id in paid]
    contacts = {row.id for row in kept[t.Contact]}
    kept[t.ContactAddress] = [
        row
        for row in rows[t.ContactAddress]
        if row.contact_id in contacts and not (rehearsed and row.kind == "postal")
    ]
    names = {row.id: row.external_id for table in _NAMED for row in rows[table]}
    names |= {row.id: mine[row.customer_id] for row in kept[t.Contact]}
    names |= {row.id: row.name for row in rows[t.Plan]}
    names = {key: name.removeprefix(way.prefix) for key, name in names.items()}
    return {
        table.__name__: sorted(_cells(row, names, way.prefix, rehearsed) for row in found)
        for table, found in kept.items()
        if table is not t.Plan
    }


_NAMED: tuple[Any, ...] = (t.Customer, t.Invoice, t.Credit, t.Contact)
_TABLES: tuple[Any, ...] = (*_NAMED, t.ContactAddress, t.Plan, t.UnappliedCredit, t.Application)


def _whose(row: Any) -> Any:
    return row.id if isinstance(row, t.Customer) else getattr(row, "customer_id", None)


def _cells(row: Any, names: dict[Any, str], prefix: str, rehearsed: bool) -> str:
    found = {
        name: names.get(value, value) if name.endswith("_id") else value
        for name, value in row.model_dump().items()
        if name not in {"id", "organisation_id"}
    }
    if isinstance(row, t.Credit):
        found["external_id"] = row.external_id.removeprefix(prefix)
    if isinstance(row, t.ContactAddress) and rehearsed:
        found["fixed_at"] = row.fixed_at[:1]
    return str(sorted((name, _plain(value)) for name, value in found.items()))


def _plain(value: Any) -> str:
    return str(value.normalize() if isinstance(value, Decimal) else value)


def timeline_of(way: Way, kinds: set[str] | None = None) -> list[tuple[Any, ...]]:
    """Texts of these kinds (None = all), without the prefixes of the payments' external ids."""
    with transaction(way.engine) as session:
        mine = select(t.TimelineEntry).where(t.TimelineEntry.organisation_id == way.id)
        return sorted(
            (entry.kind, entry.text.replace(f"{way.prefix}/", "/"), entry.at)
            for entry in session.exec(mine)
            if kinds is None or entry.kind in kinds
        )


def nudged(way: Way) -> set[str]:
    """The customers that were nudged since the last call."""
    with transaction(way.engine) as session:
        found = (
            select(t.Customer.external_id).join(t.Nudge).where(t.Nudge.organisation_id == way.id)
        )
        who = set(session.exec(found))
        session.connection().execute(
            sa.delete(t.Nudge).where(col(t.Nudge.organisation_id) == way.id)
        )
        return who
