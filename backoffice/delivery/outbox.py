"""The outbox table: messages of channels without a provider."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from dunning.ids import DeliveryId
from store import tables as t
from store.errors import NotFound
from store.unit import Unit


def store(session: Session, delivery: DeliveryId, values: dict[str, Any], at: datetime) -> None:
    """Stores a message once: the delivery's id is its key."""
    statement = insert(t.OutboxMessage).values(delivery_id=delivery, at=at, **values)
    session.connection().execute(statement.on_conflict_do_nothing(index_elements=["delivery_id"]))


def find(unit: Unit, key: str) -> t.OutboxMessage:
    """Finds it by the delivery's id. NotFound if there is none."""
    try:
        row = unit.session.get(t.OutboxMessage, DeliveryId(uuid.UUID(key)))
    except ValueError:
        row = None
    if row is None or row.organisation_id != unit.organisation_id:
        raise NotFound(f"no message {key!r} in the outbox")
    return row


def read(
    unit: Unit,
    *,
    before: int | None = None,
    limit: int = 50,
) -> list[t.OutboxMessage]:
    """Newest first, before the place ``before`` (keyset pagination)."""
    statement = (
        select(t.OutboxMessage)
        .where(t.OutboxMessage.organisation_id == unit.organisation_id)
        .order_by(col(t.OutboxMessage.seq).desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(col(t.OutboxMessage.seq) < before)
    return list(unit.session.exec(statement))
