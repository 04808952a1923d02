"""What a customer wrote back, newest first."""

from __future__ import annotations

import uuid
from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.http import pages
from api.http.auth import Member
from api.http.bodies import BodyRoute
from api.http.fields import Key
from api.http.work import Work
from backoffice.delivery.read_replies import Place, answered_actions, list_replies
from backoffice.ledger.find import find_customer
from dunning.ids import ActionId, DeliveryId

router = APIRouter(route_class=BodyRoute, tags=["customers"])


class ReplyOut(BaseModel):
    id: uuid.UUID
    at: datetime
    channel: str = Field(examples=["email"])
    sender: str = Field(description="The address or number it came from.")
    subject: str
    text: str
    automatic: bool = Field(description="An absence note, or another answer of a machine.")
    action_id: ActionId | None = Field(
        description="What was answered; null: not known, or not yours to see (rule 29)."
    )
    delivery_id: DeliveryId | None


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
    found = list_replies(unit, row, before=_place(page.after), limit=page.limit + 1)
    kept, following = page.cut(found, lambda r: f"{r.at.isoformat()} {r.id}")
    answered = answered_actions(unit, member, kept)
    items = [
        ReplyOut(
            **r.model_dump(include={"id", "at", "channel", "sender", "subject", "text"}),
            automatic=r.automatic,
            action_id=answered.get(r.delivery_id) if r.delivery_id else None,
            delivery_id=r.delivery_id if r.delivery_id in answered else None,
        )
        for r in kept
    ]
    return Replies(items=items, next_cursor=following)


def _place(after: str | None) -> Place | None:
    if after is None:
        return None
    at, _, key = after.partition(" ")
    return datetime.fromisoformat(at), uuid.UUID(key)
