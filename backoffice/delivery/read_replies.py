"""Lists what customers wrote back."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select

from backoffice.people.visible import visible_to
from dunning.ids import ActionId, DeliveryId
from store import tables as t
from store.unit import Unit

#: The place of a reply: when it came in (organisation's time, UTC), and its id.
Place = tuple[datetime, uuid.UUID]


def list_replies(
    unit: Unit, customer: t.Customer, *, before: Place | None = None, limit: int = 50
) -> list[t.Reply]:
    """Newest first, before the place ``before`` (keyset pagination)."""
    place = sa.tuple_(col(t.Reply.at), col(t.Reply.id))
    statement = (
        select(t.Reply)
        .where(t.Reply.customer_id == customer.id)
        .order_by(col(t.Reply.at).desc(), col(t.Reply.id).desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(place < sa.tuple_(*map(sa.literal, before)))
    return list(unit.session.exec(statement))


def answered_actions(
    unit: Unit, member: t.Member, replies: Iterable[t.Reply]
) -> dict[DeliveryId, ActionId]:
    """By delivery: the action that a reply answers, if the member may see it (rule 29)."""
    deliveries = [reply.delivery_id for reply in replies if reply.delivery_id is not None]
    if not deliveries:
        return {}
    statement = (
        select(col(t.Delivery.id), col(t.Action.id))
        .join(t.Action, col(t.Action.id) == t.Delivery.action_id)
        .where(col(t.Delivery.id).in_(deliveries), visible_to(member))
    )
    return dict(unit.session.exec(statement).all())
