"""What became of a message, as its reader sees it: the delivery, and each of its recipients."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from backoffice.delivery import deliveries
from backoffice.delivery.outcomes import facts_of
from backoffice.delivery.states import is_unknown
from dunning.delivery import Status
from dunning.ids import DeliveryId
from store import tables as t
from store.unit import Unit


class RecipientOut(BaseModel):
    """Each fact with the time at which it first held (UTC); null: not reported."""

    role: Literal["to", "cc", "bcc"]
    address: str
    name: str
    status: Status = Field(
        description="The first that holds: bounced, returned, failed, opened, received, sent."
    )
    sent_at: datetime | None
    received_at: datetime | None
    opened_at: datetime | None = Field(description="By a person.")
    machine_opened_at: datetime | None = Field(description="By a program; not counted as opened.")
    clicked_at: datetime | None = Field(description="A link in it was followed.")
    bounced_at: datetime | None = Field(description="The address is wrong.")
    failed_at: datetime | None = Field(description="It did not arrive; the address may be good.")
    returned_at: datetime | None = Field(description="A letter that came back.")
    complained_at: datetime | None
    unsubscribed_at: datetime | None
    reason: str = Field(description="Why it did not arrive, in the provider's words.")


class DeliveryOut(BaseModel):
    id: DeliveryId
    channel: str
    provider: str
    status: str
    claimed_at: datetime | None
    settled_at: datetime | None
    provider_id: str
    tracking_number: str = Field(description="Of a registered letter.")
    error: str
    sends: int = Field(description="How often it was handed to the provider.")
    look_ups: int = Field(description="How often the provider was asked whether it has it.")
    next_look_up: datetime | None = Field(description="While nobody knows whether it left.")
    content_hash: str = Field(description="SHA-256 of all that the recipient sees.")
    recipients: list[RecipientOut]


def delivery_out(unit: Unit, row: t.Delivery) -> DeliveryOut:
    kept = {
        "id",
        "channel",
        "provider",
        "status",
        "claimed_at",
        "settled_at",
        "provider_id",
        "tracking_number",
        "error",
        "sends",
        "look_ups",
    }
    return DeliveryOut(
        **row.model_dump(include=kept),
        next_look_up=row.deadline if is_unknown(row) else None,
        content_hash=row.message_hash,
        recipients=[_recipient(r) for r in deliveries.recipients_of(unit, row.id).values()],
    )


def _recipient(row: t.DeliveryRecipient) -> RecipientOut:
    facts = facts_of(row)
    return RecipientOut(
        role=row.role,  # type: ignore[arg-type]  # one of the three
        address=row.address,
        name=row.name,
        status=facts.status,
        **asdict(facts),
    )
