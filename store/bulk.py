"""Many facts in one transaction: the rows that they name are read and locked together first, so
that each fact needs few statements of its own; rows that refer to others are written at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlmodel import col, select

from dunning.ids import InvoiceId
from store import tables as t
from store.bulk_credits import look_up_applications, look_up_credits
from store.locks import lock_customers, parts
from store.nudges import nudge_many
from store.pending import write_all
from store.unit import Batch, Unit


@contextmanager
def batch(
    unit: Unit,
    customers: Iterable[str],
    invoices: Iterable[str],
    credit_keys: Iterable[tuple[str, str]] = (),
    *,
    nudge_once: bool = True,
) -> Iterator[None]:
    """Read the customers and invoices with these external ids, and the credits with these kinds and
    external ids, and lock the customers. Other rows are read when they are needed.

    ``nudge_once``: one nudge for each changed customer, at the end; else each nudge is written,
    with its payload.
    """
    unit.progress.batch = found = Batch(nudged={} if nudge_once else None)
    try:
        _look_up(unit, found, set(customers), invoices)
        look_up_credits(unit, found, credit_keys)
        look_up_applications(unit, found, [*found.invoices])
        yield
        write_all(unit)
    finally:
        unit.progress.batch = None
    if found.nudged:
        nudge_many(unit, list(found.nudged))


def _look_up(unit: Unit, found: Batch, customers: set[str], invoices: Iterable[str]) -> None:
    found.rows |= dict.fromkeys((t.Customer, key) for key in customers)
    found.rows |= {(t.Customer, row.external_id): row for row in lock_customers(unit, customers)}
    for some in parts(invoices):
        found.rows |= dict.fromkeys((t.Invoice, key) for key in some)
        mine = (
            select(t.Invoice)
            .where(t.Invoice.organisation_id == unit.organisation_id)
            .where(col(t.Invoice.external_id).in_(some))
            .execution_options(populate_existing=True)
        )
        for row in unit.session.exec(mine):
            found.rows[t.Invoice, row.external_id] = found.invoices[row.id] = row


def find(unit: Unit, table: Any, key: str) -> Any:
    """The customer or invoice with this external id, None when there is none."""
    batch = unit.progress.batch
    if batch is not None and (table, key) in batch.rows:
        return batch.rows[table, key]
    mine = select(table).where(table.organisation_id == unit.organisation_id)
    return unit.session.exec(mine.where(table.external_id == key)).one_or_none()


def invoice(unit: Unit, invoice_id: InvoiceId) -> t.Invoice:
    """An invoice that exists."""
    batch = unit.progress.batch
    known = batch.invoices.get(invoice_id) if batch is not None else None
    return known or unit.session.get_one(t.Invoice, invoice_id)


def made(unit: Unit, row: t.Customer | t.Invoice) -> None:
    """Add a new row, so that later facts find it. It counts as locked: no other transaction sees
    it."""
    unit.session.add(row)
    if isinstance(row, t.Customer):
        unit.progress.locked.add(row.id)
    batch = unit.progress.batch
    if batch is None:
        return
    batch.rows[type(row), row.external_id] = row
    if isinstance(row, t.Invoice):
        batch.invoices[row.id] = row
        batch.applied[row.id] = {}
