"""What a customer wrote back, newest first."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlmodel import col, select

from api.http import pages
from api.http.auth import Member
from api.http.bodies import BodyRoute
from api.http.fields import Key
from api.http.work import Work
from backoffice.ledger.find import find_customer
from backoffice.people.visible import visible_to
from store import tables as t
from store.unit import Unit

router = APIRouter(route_class=BodyRoute, tags=["customers"])


class ReplyOut(BaseModel):
    id: uuid.UUID
    at: datetime
    channel: str = Field(examples=["email"])
    sender: str = Field(description="The address or number it came from.")
    subject: str
    text: str
    automatic: bool = Field(description="An absence note, or another answer of a machine.")
    action_id: uuid.UUID | None = Field(
        description="What was answered; null: not known, or not yours to see (rule 29)."
    )
    delivery_id: uuid.UUID | None


class Replies(pages.Page):
    items: list[ReplyOut]


@router.get("/customers/{customer}/replies", operation_id="list_customer_replies")
def of_customer(
    customer: Key,
    member: Member,
    unit: Work,
    page: pages.Asked,
) -> Replies:
    """What the customer's people wrote back to emails and SMS. A reply of a person makes automatic
    steps wait for `reply_hold_days` of the organisation; a machine's does not."""
    row = find_customer(unit, customer)
    replies = _read(unit, row.id, _place(page.after), page.limit + 1)
    kept, following = page.cut(replies, lambda r: f"{r.at.isoformat()} {r.id}")
    answered = _answered(unit, member, [r.delivery_id for r in kept if r.delivery_id])
    items = [
        ReplyOut(
            **r.model_dump(include={"id", "at", "channel", "sender", "subject", "text"}),
            automatic=r.automatic,
            action_id=answered.get(r.delivery_id or r.id),
            delivery_id=r.delivery_id if r.delivery_id in answered else None,
        )
        for r in kept
    ]
    return Replies(items=items, next_cursor=following)


def _read(
    unit: Unit, customer_id: uuid.UUID, before: tuple[datetime, uuid.UUID] | None, limit: int
) -> list[t.Reply]:
    place = sa.tuple_(col(t.Reply.at), col(t.Reply.id))
    statement = (
        select(t.Reply)
        .where(t.Reply.customer_id == customer_id)
        .order_by(col(t.Reply.at).desc(), col(t.Reply.id).desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(place < sa.tuple_(*map(sa.literal, before)))
    return list(unit.session.exec(statement))


def _place(after: str | None) -> tuple[datetime, uuid.UUID] | None:
    if after is None:
        return None
    at, _, key = after.partition(" ")
    return datetime.fromisoformat(at), uuid.UUID(key)


def _answered(
    unit: Unit, member: t.Member, deliveries: list[uuid.UUID]
) -> dict[uuid.UUID, uuid.UUID]:
    """By delivery its action, where the member may see that."""
    if not deliveries:
        return {}
    statement = (
        select(t.Delivery.id, t.Action.id)
        .join(t.Action, col(t.Action.id) == t.Delivery.action_id)
        .where(col(t.Delivery.id).in_(deliveries), visible_to(member))
    )
    return dict(unit.session.exec(statement).all())
