"""Customers and invoices by our id or by that of the billing system."""

from __future__ import annotations

from sqlmodel import select

from dunning.ids import our_id
from store import bulk
from store import tables as t
from store.errors import Invalid, NotFound
from store.ids import named
from store.locks import lock_customer
from store.unit import Unit


def find_customer(unit: Unit, key: str, *, lock: bool = False) -> t.Customer:
    """By our id where it has the form of one, else by external id. NotFound when there is none."""
    mine = select(t.Customer).where(t.Customer.organisation_id == unit.organisation_id)
    row = unit.session.exec(mine.where(named(t.Customer, key))).one_or_none()
    if row is None:
        raise NotFound(_nothing("customer", "customers", key))
    return lock_customer(unit, row.id) if lock else row


def find_invoice(unit: Unit, key: str, *, lock: bool = False) -> t.Invoice:
    """By our id where it has the form of one, else by external id. NotFound when there is none.
    ``lock`` takes the customer's lock, then reads again."""
    mine = select(t.Invoice).where(t.Invoice.organisation_id == unit.organisation_id)
    row = unit.session.exec(mine.where(named(t.Invoice, key))).one_or_none()
    if row is None:
        raise NotFound(_nothing("invoice", "invoices", key))
    if lock:
        lock_customer(unit, row.customer_id)
        unit.session.refresh(row)
    return row


def reported_customer(unit: Unit, key: str) -> t.Customer:
    """The customer that a report names by external id, locked. Invalid when there is none."""
    row = bulk.find(unit, t.Customer, key)
    if row is None:
        raise Invalid.at("/customer", f"no customer {key!r}; report the customer first")
    return lock_customer(unit, row.id)


def _nothing(what: str, path: str, key: str) -> str:
    if our_id(key) is not None:
        return f"no {what} has our id {key!r}; your own id never has that form"
    return f"no {what} {key!r}; create it with PUT /v1/{path}/{{external_id}}"
