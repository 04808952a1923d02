"""The outbox: the messages of channels that have no provider."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from dunning.ids import DeliveryId, OrganisationId
from store.tables.columns import created, json_column, reference, sequence_number


class OutboxMessage(SQLModel, table=True):
    """A message that no provider was configured for. It is shown instead of sent."""

    __tablename__ = "outbox"
    __table_args__ = (
        sa.Index("ix_outbox_organisation_id_seq", "organisation_id", "seq"),
        sa.Index("ix_outbox_at", "at"),
    )

    delivery_id: DeliveryId = Field(primary_key=True, sa_type=sa.Uuid)
    seq: int | None = sequence_number()
    organisation_id: OrganisationId = reference("organisation.id", index=False)
    channel: str
    sender: str
    recipients: list[Any] = json_column(list)
    subject: str = ""
    text: str = ""
    html: str = ""
    at: datetime = created()
