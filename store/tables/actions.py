"""Actions: what a step, or a task without a step, asks to be done."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from dunning.ids import (
    ActionId,
    CustomerId,
    InvoiceId,
    MemberId,
    OrganisationId,
    PlanId,
    PlanVersionId,
)
from dunning.model import ActionStatus
from store.tables.columns import (
    created,
    instant,
    json_column,
    optional_reference,
    reference,
    sequence_number,
    uuid_key,
)

_STATUSES = ", ".join(f"'{status}'" for status in sorted(ActionStatus))


class Action(SQLModel, table=True):
    """One occurrence of a step for one customer on one carrying invoice. A task without a step
    (rules 26, 42) has no ``step_key``. ``edits``: what its owner changed (rule 28); the
    words of a call or a task are in it under ``script`` (``backoffice.worklist.edits``)."""

    __table_args__ = (
        sa.CheckConstraint(f"status IN ({_STATUSES})", name="ck_action_status"),
        sa.UniqueConstraint("invoice_id", "plan_id", "step_key", "occurrence", "attempt"),
        sa.Index(
            "ix_action_open_task",
            "invoice_id",
            "cause",
            unique=True,
            postgresql_where=sa.text("step_key IS NULL AND status = 'to_do'"),
        ),
        sa.Index(
            "ix_action_live",
            "customer_id",
            postgresql_where=sa.text("status IN ('needs_review', 'planned', 'sending', 'to_do')"),
        ),
        sa.Index(
            "ix_action_live_by_age",
            "organisation_id",
            "seq",
            postgresql_where=sa.text("status IN ('needs_review', 'planned', 'sending', 'to_do')"),
        ),
        sa.Index("ix_action_customer_id_executed_at", "customer_id", "executed_at"),
        sa.Index("ix_action_owner_id_status", "owner_id", "status"),
        sa.Index(
            "ix_action_attachments",
            sa.text("(edits -> 'attachments')"),
            postgresql_using="gin",
        ),
        sa.Index("ix_action_organisation_id_seq", "organisation_id", "seq"),
    )

    id: ActionId = uuid_key()
    seq: int | None = sequence_number()
    organisation_id: OrganisationId = reference("organisation.id", index=False)
    customer_id: CustomerId = reference("customer.id", index=False)
    invoice_id: InvoiceId = reference("invoice.id", index=False)
    plan_id: PlanId | None = optional_reference("plan.id")
    plan_version_id: PlanVersionId | None = optional_reference("plan_version.id")
    step_key: str | None = None
    name: str
    occurrence: int = 0
    attempt: int = 0
    type: str
    executed_type: str | None = None
    automatic: bool = False
    status: str
    cause: str | None = None
    reason: str = ""
    owner_id: MemberId | None = Field(default=None, foreign_key="member.id", sa_type=sa.Uuid)
    trigger_on: date | None = None
    planned_for: datetime | None = instant()
    shown_at: datetime | None = instant()
    requested_at: datetime | None = instant()
    requested_by: MemberId | None = optional_reference("member.id")
    executed_at: datetime | None = instant()
    ended_at: datetime | None = instant()
    ended_by: str = ""
    note: str = ""
    edits: dict[str, Any] = json_column(dict)
    created_at: datetime = created()
