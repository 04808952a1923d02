"""Channels that send nothing: a message becomes a row of the outbox, and files in a folder."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import Engine

from activities.deciding import LOCK_TIMEOUT, real_clock
from backoffice.delivery import outbox as outbox_table
from dunning.ids import DeliveryId, OrganisationId
from dunning.plan import CHANNELS, ActionType
from messages.message import Message
from providers.outbox.send import Outbox
from providers.port import Channel
from store import tables as t
from store.engine import transaction
from store.unit import clock


def outbox_channels(engine: Engine, folder: Path | None) -> dict[ActionType, Channel]:
    """One channel of each type. ``folder`` None writes no files."""

    def store(message: Message) -> None:
        with transaction(engine, lock_timeout=LOCK_TIMEOUT) as session:
            organisation_id = OrganisationId(uuid.UUID(message.organisation_id))
            organisation = session.get_one(t.Organisation, organisation_id)
            values = {
                "organisation_id": organisation_id,
                "channel": message.channel.value,
                "sender": message.sender_address,
                "recipients": [asdict(r) for r in message.recipients],
                "subject": message.subject,
                "text": message.text,
                "html": message.html or "",
            }
            at = clock(organisation, real_clock())
            delivery_id = DeliveryId(uuid.UUID(message.delivery_id))
            outbox_table.store(session, delivery_id, values, at)

    def has(delivery_id: str) -> bool:
        with transaction(engine) as session:
            return session.get(t.OutboxMessage, DeliveryId(uuid.UUID(delivery_id))) is not None

    return {kind: Outbox(kind, store, folder, has) for kind in CHANNELS}
