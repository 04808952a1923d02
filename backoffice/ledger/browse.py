"""Lists of customers and invoices for whoever reads, by external id, a page at a time.

Nothing here may depend on open manual actions (rule 29): both scopes and every member read it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlmodel import SQLModel, col, select

from backoffice.ledger.find import find_customer
from dunning.ids import CustomerId, MemberId
from store import tables as t
from store.unit import Unit

Table = TypeVar("Table", bound=SQLModel)


def list_customers(
    unit: Unit,
    *,
    name: str | None = None,
    parent_id: CustomerId | None = None,
    member_id: MemberId | None = None,
    after: str | None = None,
    limit: int = 50,
) -> list[t.Customer]:
    """From after the external id ``after``. ``name`` is a part of it, in any case; ``member_id`` is
    one of the assigned members."""
    statement = (
        select(t.Customer)
        .where(t.Customer.organisation_id == unit.organisation_id)
        .order_by(t.Customer.external_id)
        .limit(limit)
    )
    if name:
        statement = statement.where(col(t.Customer.name).icontains(name, autoescape=True))
    if parent_id is not None:
        statement = statement.where(t.Customer.parent_id == parent_id)
    if member_id is not None:
        mine = select(t.CustomerMember.customer_id).where(t.CustomerMember.member_id == member_id)
        statement = statement.where(col(t.Customer.id).in_(mine))
    if after is not None:
        statement = statement.where(t.Customer.external_id > after)
    return list(unit.session.exec(statement))


@dataclass(frozen=True, slots=True)
class InvoiceFilter:
    """None: any. ``customer``: our id or the external id; ``due_before`` is about the effective
    date (rule 2)."""

    customer: str | None = None
    number: str | None = None
    status: str | None = None
    disputed: bool | None = None
    due_before: date | None = None


def list_invoices(
    unit: Unit, wanted: InvoiceFilter, *, after: str | None = None, limit: int = 50
) -> list[t.Invoice]:
    """From after the external id ``after``. Raises NotFound for the customer."""
    statement = (
        select(t.Invoice)
        .where(t.Invoice.organisation_id == unit.organisation_id)
        .order_by(t.Invoice.external_id)
        .limit(limit)
    )
    if wanted.customer is not None:
        customer = find_customer(unit, wanted.customer)
        statement = statement.where(t.Invoice.customer_id == customer.id)
    if wanted.number is not None:
        statement = statement.where(t.Invoice.number == wanted.number)
    if wanted.status is not None:
        # Not a value: PostgreSQL could not use the index of the open ones.
        named = sa.literal(wanted.status, literal_execute=True)
        statement = statement.where(t.Invoice.status == named)
    if wanted.disputed is not None:
        given = col(t.Invoice.disputed_at)
        statement = statement.where(given.is_not(None) if wanted.disputed else given.is_(None))
    if wanted.due_before is not None:
        terms = sa.func.coalesce(t.Customer.terms_days, 0)
        due = sa.func.coalesce(t.Invoice.due_on, col(t.Invoice.issued_on) + terms)
        statement = statement.join(t.Customer, col(t.Customer.id) == t.Invoice.customer_id).where(
            due < wanted.due_before
        )
    if after is not None:
        statement = statement.where(t.Invoice.external_id > after)
    return list(unit.session.exec(statement))


def by_id(
    unit: Unit, table: type[Table], ids: Iterable[uuid.UUID | None]
) -> dict[uuid.UUID, Table]:
    """The rows of these ids, in one query."""
    wanted = {i for i in ids if i is not None}
    if not wanted:
        return {}
    key: Any = table.id  # type: ignore[attr-defined]
    return {row.id: row for row in unit.session.exec(select(table).where(key.in_(wanted)))}  # type: ignore[attr-defined]


def assigned_members(unit: Unit, customer_id: CustomerId) -> list[t.Member]:
    """In order of assignment (rule 33)."""
    return list(
        unit.session.exec(
            select(t.Member)
            .join(t.CustomerMember, col(t.CustomerMember.member_id) == t.Member.id)
            .where(t.CustomerMember.customer_id == customer_id)
            .order_by(col(t.CustomerMember.rank))
        )
    )
