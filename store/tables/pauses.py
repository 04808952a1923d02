"""Pauses and promises: what keeps a customer or an invoice from being reminded for a time."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import SQLModel

from dunning.ids import CustomerId, InvoiceId
from store.tables.columns import (
    created,
    instant,
    json_column,
    money,
    optional_money,
    optional_reference,
    reference,
    uuid_key,
)


class Pause(SQLModel, table=True):
    """A pause of a customer, or of one invoice; it ends at the start of ``until`` or when it is
    resumed (rule 38)."""

    __table_args__ = (
        sa.Index(
            "ix_pause_of_customer",
            "customer_id",
            postgresql_where=sa.text("invoice_id IS NULL AND resumed_at IS NULL"),
        ),
    )

    id: uuid.UUID = uuid_key()
    customer_id: CustomerId = reference("customer.id")
    invoice_id: InvoiceId | None = optional_reference("invoice.id", index=True)
    until: date | None = None
    reason: str = ""
    created_by: str = ""
    created_at: datetime = created()
    resumed_at: datetime | None = instant()


class Promise(SQLModel, table=True):
    """A promise to pay; ``outcome`` is kept, part_kept, broken, ended or withdrawn (rule 40).

    ``paid_before``: the amounts that payments had applied to the invoice when it was promised, as
    text by payment id.
    """

    __table_args__ = (
        sa.Index("ix_promise_running", "customer_id", postgresql_where=sa.text("outcome IS NULL")),
    )

    id: uuid.UUID = uuid_key()
    customer_id: CustomerId = reference("customer.id")
    invoice_id: InvoiceId = reference("invoice.id")
    promised_on: date
    amount: Decimal | None = optional_money()
    balance_then: Decimal = money()
    paid_before: dict[str, str] = json_column(dict)
    note: str = ""
    created_by: str = ""
    created_at: datetime = created()
    outcome: str | None = None
    outcome_at: datetime | None = instant()
