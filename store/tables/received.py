"""What comes in from providers: callbacks and customers' replies."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import SQLModel

from dunning.ids import CustomerId, DeliveryId, OrganisationId
from store.tables.columns import (
    created,
    instant,
    json_column,
    optional_reference,
    reference,
    serial_key,
    uuid_key,
)


class Callback(SQLModel, table=True):
    """A provider's callback, stored as it came and processed later. ``organisation_id``: the owner
    of the account whose key signed it; None = the installation. ``account``, ``signer``: the
    marks of that account and of that key. ``outcome``: empty = waiting, done, unmatched, or
    refused (unreadable)."""

    __table_args__ = (
        sa.Index("ix_callback_waiting", "id", postgresql_where=sa.text("outcome = ''")),
        sa.Index("ix_callback_outcome_ended_at", "outcome", "ended_at"),
        sa.Index(
            "ix_callback_left",
            "organisation_id",
            "outcome",
            "id",
            postgresql_where=sa.text("outcome IN ('unmatched', 'refused')"),
        ),
    )

    id: int | None = serial_key()
    provider: str
    organisation_id: OrganisationId | None = optional_reference("organisation.id")
    account: str = ""
    signer: str = ""
    url: str
    headers: dict[str, str] = json_column(dict)
    body: bytes
    received_at: datetime = created()
    outcome: str = ""
    error: str = ""
    tries: int = 0
    next_try_at: datetime | None = instant()
    ended_at: datetime | None = instant()


class Reply(SQLModel, table=True):
    """What a customer wrote back. ``key``: the provider's id of it; a repeated callback with the
    same key is ignored."""

    __table_args__ = (sa.UniqueConstraint("organisation_id", "key"),)

    id: uuid.UUID = uuid_key()
    organisation_id: OrganisationId = reference("organisation.id", index=False)
    customer_id: CustomerId = reference("customer.id")
    delivery_id: DeliveryId | None = optional_reference("delivery.id", index=True)
    key: str
    channel: str
    sender: str
    subject: str = ""
    text: str
    automatic: bool = False
    at: datetime = created()
