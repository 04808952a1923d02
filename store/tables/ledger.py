"""Invoices, payments, credit notes, and what is applied to what."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from dunning.ids import CreditId, CustomerId, FileId, InvoiceId, OrganisationId
from store.tables.columns import created, instant, money, optional_reference, reference, uuid_key


class Invoice(SQLModel, table=True):
    """``balance`` = total less what is applied to it; written under the customer's lock."""

    __table_args__ = (
        sa.UniqueConstraint("organisation_id", "external_id"),
        sa.Index("ix_invoice_open", "customer_id", postgresql_where=sa.text("status = 'open'")),
        sa.Index(
            "ix_invoice_open_by_key",
            "organisation_id",
            "external_id",
            postgresql_where=sa.text("status = 'open'"),
        ),
        sa.Index("ix_invoice_customer_id_issued_on", "customer_id", "issued_on"),
        sa.Index("ix_invoice_organisation_id_number", "organisation_id", "number"),
        sa.Index("ix_invoice_pdf_id", "pdf_id", postgresql_where=sa.text("pdf_id IS NOT NULL")),
    )

    id: InvoiceId = uuid_key()
    organisation_id: OrganisationId = reference("organisation.id", index=False)
    customer_id: CustomerId = Field(foreign_key="customer.id", sa_type=sa.Uuid)
    external_id: str
    number: str
    issued_on: date
    due_on: date | None = None
    total: Decimal = money()
    balance: Decimal = money()
    currency: str
    status: str = "open"
    closed_at: datetime | None = instant()
    closed_reason: str = ""
    disputed_at: datetime | None = instant()
    dispute_reason: str = ""
    url: str = ""  # the page on which the customer sees or pays it
    pdf_id: FileId | None = optional_reference("file.id")
    source_updated_at: datetime | None = instant()
    created_at: datetime = created()


class Credit(SQLModel, table=True):
    """What lowers a debt: a ``payment`` or a ``credit_note``. What is not applied to an invoice, or
    exceeds its total, is the customer's unapplied credit (rule 42)."""

    __table_args__ = (sa.UniqueConstraint("organisation_id", "kind", "external_id"),)

    id: CreditId = uuid_key()
    organisation_id: OrganisationId = reference("organisation.id", index=False)
    customer_id: CustomerId = reference("customer.id")
    kind: str
    external_id: str
    amount: Decimal = money()
    currency: str
    on_date: date  # paid on, or issued on
    reversed_at: datetime | None = instant()
    reversed_reason: str = ""
    source_updated_at: datetime | None = instant()
    created_at: datetime = created()


class Application(SQLModel, table=True):
    """The amount of a credit that is applied to one invoice."""

    credit_id: CreditId = Field(foreign_key="credit.id", primary_key=True, sa_type=sa.Uuid)
    invoice_id: InvoiceId = Field(
        foreign_key="invoice.id", primary_key=True, index=True, sa_type=sa.Uuid
    )
    amount: Decimal = money()


class UnappliedCredit(SQLModel, table=True):
    """A customer's unapplied credit by currency (rule 42): its credits that are not reversed, less
    ``total - balance`` of its invoices that are not void. Triggers on both tables write it
    (decision 0031); no code does."""

    __tablename__ = "unapplied_credit"

    customer_id: CustomerId = Field(foreign_key="customer.id", primary_key=True, sa_type=sa.Uuid)
    currency: str = Field(primary_key=True)
    amount: Decimal = money()
