"""Plans and their versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from dunning.ids import MemberId, OrganisationId, PlanId, PlanVersionId
from store.tables.columns import created, json_column, optional_reference, reference, uuid_key


class Plan(SQLModel, table=True):
    """A plan by its name; what it says is in its versions."""

    __table_args__ = (sa.UniqueConstraint("organisation_id", "name"),)

    id: PlanId = uuid_key()
    organisation_id: OrganisationId = reference("organisation.id", index=False)
    name: str
    current_version_id: PlanVersionId | None = Field(
        default=None,
        sa_column=sa.Column(
            sa.Uuid, sa.ForeignKey("plan_version.id", use_alter=True), nullable=True
        ),
    )
    created_at: datetime = created()


class PlanVersion(SQLModel, table=True):
    """Immutable (rule 43): ``definition`` is ``plans.read.plan_data``."""

    __tablename__ = "plan_version"
    __table_args__ = (sa.UniqueConstraint("plan_id", "version"),)

    id: PlanVersionId = uuid_key()
    plan_id: PlanId = reference("plan.id", index=False)
    version: int
    definition: dict[str, Any] = json_column(dict)
    created_by: MemberId | None = optional_reference("member.id")
    created_at: datetime = created()
