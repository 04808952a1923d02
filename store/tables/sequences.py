"""A customer and its sequence in Temporal: nudges, the last decision, applied signals."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from dunning.ids import CustomerId, InvoiceId, OrganisationId, PlanId
from store.tables.columns import created, instant, json_column, reference, serial_key


class Nudge(SQLModel, table=True):
    """A signal for a customer's sequence; the relay sends it to Temporal and deletes the row.

    ``tries``: how often Temporal refused it, ``error``: why. It is tried again from ``next_try_at``
    on (real clock; None = at once).
    """

    id: int | None = serial_key()
    organisation_id: OrganisationId = reference("organisation.id", index=False)
    customer_id: CustomerId = reference("customer.id")
    signal: str
    payload: dict[str, Any] = json_column(dict)
    created_at: datetime = created()
    tries: int = 0
    next_try_at: datetime | None = instant()
    error: str = ""


class Sequence(SQLModel, table=True):
    """The last decision about a customer, for lists, ``next`` and rehearsals. ``plan_id``: the plan
    it was decided with; None = without a plan (rule 44). ``wake_at``: by the organisation's clock.
    ``handled``: the id of the last nudge that was taken into account."""

    customer_id: CustomerId = Field(foreign_key="customer.id", primary_key=True, sa_type=sa.Uuid)
    organisation_id: OrganisationId = reference("organisation.id")
    plan_id: PlanId | None = Field(default=None, sa_type=sa.Uuid)
    state: str
    invoice_id: InvoiceId | None = Field(default=None, sa_type=sa.Uuid)
    step_key: str | None = None
    then: str | None = None
    wake_at: datetime | None = instant()
    summary: str = ""
    decided_at: datetime = created()
    handled: int = Field(default=0, sa_type=sa.BigInteger)


class AppliedSignal(SQLModel, table=True):
    """A signal sent by hand that has been applied; a retried review does not apply it again."""

    __tablename__ = "applied_signal"
    __table_args__ = (sa.Index("ix_applied_signal_at", "at"),)

    customer_id: CustomerId = Field(foreign_key="customer.id", primary_key=True, sa_type=sa.Uuid)
    id: str = Field(primary_key=True)
    at: datetime = created()
