"""The outbox: what channels without a provider would have sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel

from api.http import pages
from api.http.auth import Member
from api.http.bodies import BodyRoute
from api.http.fields import Key
from api.http.work import Work
from backoffice.delivery import outbox
from dunning.ids import DeliveryId
from store import tables as t

router = APIRouter(route_class=BodyRoute, tags=["outbox"])


class OutboxRecipient(BaseModel):
    role: Literal["to", "cc", "bcc"]
    address: str
    name: str = ""


class OutboxShort(BaseModel):
    delivery_id: DeliveryId
    at: datetime
    channel: str
    sender: str
    recipients: list[OutboxRecipient]
    subject: str


class OutboxMessage(OutboxShort):
    text: str
    html: str


class Outbox(pages.Page):
    items: list[OutboxShort]


@router.get("/outbox", operation_id="list_outbox")
def list_all(member: Member, unit: Work, page: pages.Asked) -> Outbox:
    """Newest first."""
    rows = outbox.read(unit, before=page.after_number, limit=page.limit + 1)
    kept, following = page.cut(rows, lambda row: row.seq)
    return Outbox(items=[OutboxShort(**_data(row)) for row in kept], next_cursor=following)


@router.get("/outbox/{delivery}", operation_id="get_outbox_message")
def get(delivery: Key, member: Member, unit: Work) -> OutboxMessage:
    """One message, whole."""
    row = outbox.find(unit, delivery)
    return OutboxMessage(**_data(row), text=row.text, html=row.html)


def _data(row: t.OutboxMessage) -> dict[str, Any]:
    keys = {"delivery_id", "at", "channel", "sender", "subject", "recipients"}
    return row.model_dump(include=keys)
