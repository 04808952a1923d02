"""Customers and the members assigned to them."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from dunning.ids import CustomerId, InvoiceId, MemberId, OrganisationId, PlanId
from store.tables.columns import created, instant, optional_reference, reference, uuid_key


class Customer(SQLModel, table=True):
    """A customer as its billing system reports it, its plan, and a hold after a reply."""

    __table_args__ = (sa.UniqueConstraint("organisation_id", "external_id"),)

    id: CustomerId = uuid_key()
    organisation_id: OrganisationId = reference("organisation.id", index=False)
    external_id: str
    name: str
    parent_id: CustomerId | None = optional_reference("customer.id", index=True)
    terms_days: int | None = None
    language: str = ""
    country: str = ""
    plan_id: PlanId | None = optional_reference("plan.id", index=True)
    # Rule 44: the invoice that carried when this plan was given, as of the last decision.
    contextualized_invoice_id: InvoiceId | None = Field(default=None, sa_type=sa.Uuid)
    held_until: date | None = None  # a reply: automatic steps wait until the start of that day
    source_updated_at: datetime | None = instant()
    created_at: datetime = created()


class CustomerMember(SQLModel, table=True):
    """A member assigned to a customer; ``rank``: the order of assignment (rule 33)."""

    __tablename__ = "customer_member"

    customer_id: CustomerId = Field(foreign_key="customer.id", primary_key=True, sa_type=sa.Uuid)
    member_id: MemberId = Field(
        foreign_key="member.id", primary_key=True, index=True, sa_type=sa.Uuid
    )
    rank: int
