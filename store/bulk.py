"""A batch of facts in one transaction: what it names is looked up and locked at once beforehand, so
that its items need few queries of their own; the timeline and the nudges are written at its end."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from sqlmodel import Session, col, select

from store import tables as t
from store.locks import lock_customers, parts


class Batch:
    """``rows`` by table and external id, None where there is none. They are also what keeps the
    rows in the session's memory, which holds them only weakly."""

    def __init__(self, organisation: t.Organisation) -> None:
        self.organisation = organisation
        self.rows: dict[tuple[Any, str], Any] = {}
        self.entries: list[t.TimelineEntry] = []
        self.nudged: dict[uuid.UUID, None] = {}


def batch_of(session: Session) -> Batch | None:
    """The batch that the session is in, if it is in one."""
    batch: Batch | None = session.info.get("batch")
    return batch


def begin(
    session: Session, organisation_id: uuid.UUID, customers: Iterable[str], invoices: Iterable[str]
) -> None:
    """Look up what a batch names, and lock the customers."""
    batch = Batch(session.get_one(t.Organisation, organisation_id))
    keys = set(customers)
    batch.rows |= dict.fromkeys((t.Customer, key) for key in keys)
    for row in lock_customers(session, organisation_id, keys):
        batch.rows[t.Customer, row.external_id] = row
    for some in parts(invoices):
        batch.rows |= dict.fromkeys((t.Invoice, key) for key in some)
        for found in session.exec(
            select(t.Invoice)
            .where(t.Invoice.organisation_id == organisation_id)
            .where(col(t.Invoice.external_id).in_(some))
            .execution_options(populate_existing=True)
        ):
            batch.rows[t.Invoice, found.external_id] = found
    session.info["batch"] = batch


def end(session: Session) -> None:
    """Write the timeline, and one nudge for each customer with news."""
    from store.nudges import nudge_many

    batch = batch_of(session)
    assert batch is not None, "no batch has begun"
    del session.info["batch"]
    session.flush()
    session.add_all(batch.entries)
    session.flush()
    if batch.nudged:
        nudge_many(session, batch.organisation.id, list(batch.nudged))


def find(session: Session, table: Any, organisation_id: uuid.UUID, key: str) -> Any:
    """The customer or invoice with this external id, None when there is none."""
    batch = batch_of(session)
    if batch is not None and (table, key) in batch.rows:
        return batch.rows[table, key]
    statement = select(table).where(table.organisation_id == organisation_id)
    return session.exec(statement.where(table.external_id == key)).one_or_none()


def made(session: Session, row: t.Customer | t.Invoice) -> None:
    """A new row is known to the items that follow; nobody else sees it, so it is ours alone."""
    session.add(row)
    if isinstance(row, t.Customer):
        session.info.setdefault("locked", set()).add(row.id)
    batch = batch_of(session)
    if batch is not None:
        batch.rows[type(row), row.external_id] = row
