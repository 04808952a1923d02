"""The timeline of customers and invoices."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from dunning.ids import ActionId, CustomerId, InvoiceId, OrganisationId
from store.tables.columns import created, reference, serial_key


class TimelineEntry(SQLModel, table=True):
    """Append-only: what happened to a customer or an invoice, and who did it."""

    __tablename__ = "timeline"
    __table_args__ = (
        sa.Index("ix_timeline_customer_id_id", "customer_id", "id"),
        sa.Index("ix_timeline_invoice_id_id", "invoice_id", "id"),
    )

    id: int | None = serial_key()
    organisation_id: OrganisationId = reference("organisation.id", index=False)
    customer_id: CustomerId = Field(foreign_key="customer.id", sa_type=sa.Uuid)
    invoice_id: InvoiceId | None = Field(default=None, foreign_key="invoice.id", sa_type=sa.Uuid)
    action_id: ActionId | None = Field(default=None, sa_type=sa.Uuid)
    at: datetime = created()
    kind: str
    text: str
    by: str = ""
