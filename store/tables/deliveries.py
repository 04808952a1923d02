"""Messages handed to providers, their recipients and their short links."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from dunning.delivery_status import CLAIMED, SETTLED, WITH_DEADLINE, DeliveryStatus
from dunning.ids import ActionId, ContactId, CustomerId, DeliveryId, OrganisationId
from store.tables.columns import created, instant, json_column, reference


def _words(statuses: Iterable[DeliveryStatus]) -> str:
    return ", ".join(f"'{status}'" for status in sorted(statuses))


def _only_while(statuses: Iterable[DeliveryStatus], column: str) -> sa.CheckConstraint:
    condition = f"({column} IS NOT NULL) = (status IN ({_words(statuses)}))"
    return sa.CheckConstraint(condition, name=f"ck_delivery_{column}")


class Delivery(SQLModel, table=True):
    """One message handed to one provider. ``status``: a ``DeliveryStatus``, written by
    ``backoffice.delivery.states`` alone.

    ``message``: what was sent, frozen; ``message_hash``: its SHA-256. ``deadline`` while sending:
    a claim without an outcome is unknown from then on (real clock). ``deadline`` while unknown:
    when the provider is asked next (organisation's time). ``sends``: number of calls to the
    provider; ``first_claimed_at``: time of the first. ``account``: the mark of the provider
    account of the last claim; ``signers``: the marks of the keys that sign this account's
    callbacks. Both are empty in rows claimed before marks were stored.
    """

    __table_args__ = (
        sa.CheckConstraint(f"status IN ({_words(DeliveryStatus)})", name="ck_delivery_status"),
        _only_while(CLAIMED, "claim"),
        _only_while(WITH_DEADLINE, "deadline"),
        _only_while(SETTLED, "settled_at"),
        sa.Index("ix_delivery_provider_provider_id", "provider", "provider_id"),
        sa.Index(
            "ix_delivery_attachments",
            sa.text("(message -> 'attachments')"),
            postgresql_using="gin",
        ),
    )

    id: DeliveryId = Field(primary_key=True, sa_type=sa.Uuid)
    organisation_id: OrganisationId = reference("organisation.id", index=False)
    customer_id: CustomerId = reference("customer.id")
    action_id: ActionId = Field(foreign_key="action.id", unique=True, sa_type=sa.Uuid)
    channel: str
    provider: str
    account: str = ""
    signers: list[str] = json_column(list)
    status: str = DeliveryStatus.PLANNED
    claim: uuid.UUID | None = None
    claimed_at: datetime | None = instant()
    first_claimed_at: datetime | None = instant()
    deadline: datetime | None = instant()
    settled_at: datetime | None = instant()
    sends: int = 0
    look_ups: int = 0
    provider_id: str = ""
    tracking_number: str = ""
    error: str = ""
    message: dict[str, Any] = json_column(dict)
    message_hash: str = ""


class DeliveryRecipient(SQLModel, table=True):
    """What became of a message at one address: ``DeliveryFacts``, each with its time.

    ``address``: as it was written to; ``address_key``: the same in lower case.
    """

    __tablename__ = "delivery_recipient"
    __table_args__ = (sa.Index("ix_delivery_recipient_address_key", "address_key"),)

    delivery_id: DeliveryId = Field(foreign_key="delivery.id", primary_key=True, sa_type=sa.Uuid)
    address_key: str = Field(primary_key=True)
    address: str
    role: str
    name: str = ""
    contact_id: ContactId | None = Field(default=None, sa_type=sa.Uuid)
    sent_at: datetime | None = instant()
    received_at: datetime | None = instant()
    opened_at: datetime | None = instant()
    machine_opened_at: datetime | None = instant()
    clicked_at: datetime | None = instant()
    bounced_at: datetime | None = instant()
    failed_at: datetime | None = instant()
    returned_at: datetime | None = instant()
    complained_at: datetime | None = instant()
    unsubscribed_at: datetime | None = instant()
    reason: str = ""


class Link(SQLModel, table=True):
    """A short link in a message, to the page of the invoice. The target is read from this row,
    never from the URL that is opened (no open redirect)."""

    __table_args__ = (sa.Index("ix_link_created_at", "created_at"),)

    token: str = Field(primary_key=True)
    delivery_id: DeliveryId = Field(unique=True, sa_type=sa.Uuid)
    target: str
    created_at: datetime = created()
