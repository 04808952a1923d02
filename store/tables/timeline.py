"""The timeline of customers and invoices."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from store.tables.columns import created, reference, serial_key


class TimelineEntry(SQLModel, table=True):
    """Append-only: what happened to a customer or an invoice, and who did it."""

    __tablename__ = "timeline"
    __table_args__ = (
        sa.Index("ix_timeline_customer_id_id", "customer_id", "id"),
        sa.Index("ix_timeline_invoice_id_id", "invoice_id", "id"),
    )

    id: int | None = serial_key()
    organisation_id: uuid.UUID = reference("organisation.id", index=False)
    customer_id: uuid.UUID = Field(foreign_key="customer.id")
    invoice_id: uuid.UUID | None = Field(default=None, foreign_key="invoice.id")
    action_id: uuid.UUID | None = None
    at: datetime = created()
    kind: str
    text: str
    by: str = ""
