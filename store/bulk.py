"""Many facts in one transaction: what they name is looked up and locked at once beforehand, so
that each needs few queries of its own; the timeline and the nudges are written at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlmodel import col, select

from store import tables as t
from store.locks import lock_customers, parts
from store.nudges import nudge_many
from store.unit import Batch, Unit


@contextmanager
def batch(unit: Unit, customers: Iterable[str], invoices: Iterable[str]) -> Iterator[None]:
    """Look up the customers and invoices with these external ids and lock the customers. At the end
    write the timeline, and one nudge for each customer with news."""
    unit.progress.batch = found = _looked_up(unit, set(customers), invoices)
    try:
        yield
    finally:
        unit.progress.batch = None
    unit.session.flush()
    unit.session.add_all(found.entries)
    unit.session.flush()
    if found.nudged:
        nudge_many(unit, list(found.nudged))


def _looked_up(unit: Unit, customers: set[str], invoices: Iterable[str]) -> Batch:
    rows: dict[tuple[Any, str], Any] = dict.fromkeys((t.Customer, key) for key in customers)
    rows |= {(t.Customer, row.external_id): row for row in lock_customers(unit, customers)}
    for some in parts(invoices):
        rows |= dict.fromkeys((t.Invoice, key) for key in some)
        mine = (
            select(t.Invoice)
            .where(t.Invoice.organisation_id == unit.organisation_id)
            .where(col(t.Invoice.external_id).in_(some))
            .execution_options(populate_existing=True)
        )
        rows |= {(t.Invoice, row.external_id): row for row in unit.session.exec(mine)}
    return Batch(rows)


def find(unit: Unit, table: Any, key: str) -> Any:
    """The customer or invoice with this external id, None when there is none."""
    batch = unit.progress.batch
    if batch is not None and (table, key) in batch.rows:
        return batch.rows[table, key]
    mine = select(table).where(table.organisation_id == unit.organisation_id)
    return unit.session.exec(mine.where(table.external_id == key)).one_or_none()


def made(unit: Unit, row: t.Customer | t.Invoice) -> None:
    """Add a new row, so that the facts that follow find it. Nobody else sees it: it is locked."""
    unit.session.add(row)
    if isinstance(row, t.Customer):
        unit.progress.locked.add(row.id)
    if unit.progress.batch is not None:
        unit.progress.batch.rows[type(row), row.external_id] = row
