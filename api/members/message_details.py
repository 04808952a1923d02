"""A message as it was sent, or would be sent right now."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, Field

from api.http.files import FileOut, file_out
from backoffice.delivery import deliveries
from backoffice.ledger import files
from dunning.ids import FileId
from dunning.plan import CHANNELS, ActionType
from messages.compose import compose
from messages.draft import Draft
from messages.render import render
from messages.sms import normalise, segments
from store import tables as t
from store.unit import Unit


class Recipient(BaseModel):
    role: Literal["to", "cc", "bcc"]
    address: str
    name: str


class MessageOut(BaseModel):
    """For a call or a task `text` is its script, and `recipients` whom to reach."""

    sender_name: str
    sender_address: str
    recipients: list[Recipient]
    subject: str
    text: str
    html: str | None
    attachments: list[FileOut] = Field(description="Of an email, the PDFs of invoices included.")
    segments: int | None = Field(description="Of an SMS: for how many of them it is paid.")
    encoding: Literal["GSM-7", "UCS-2"] | None = Field(
        description="Of an SMS: one character outside of GSM-7 makes it UCS-2, of shorter segments."
    )


def in_words(drafted: Draft, row: t.Action, attached: Sequence[t.File] = ()) -> MessageOut:
    """Raises BadMessage or TemplateError when it cannot be sent as it stands."""
    if drafted.channel not in CHANNELS:
        words = render(drafted.subject, drafted.body, drafted.facts, drafted.channel)
        to = [Recipient(role="to", address=a.address, name=a.name) for a in drafted.addressees]
        return MessageOut(
            sender_name=drafted.sender_name,
            sender_address=drafted.sender_address,
            recipients=to,
            subject=words.subject,
            text=words.text,
            html=None,
            attachments=[],
            segments=None,
            encoding=None,
        )
    made = compose(drafted, str(deliveries.delivery_id(row)), str(row.organisation_id))
    return MessageOut(
        sender_name=made.sender_name,
        sender_address=made.sender_address,
        recipients=[
            Recipient(role=r.role.value, address=r.address, name=r.name) for r in made.recipients
        ],
        subject=made.subject,
        text=made.text,
        html=made.html,
        attachments=[file_out(file) for file in attached],
        **_length(drafted.channel, made.text),
    )


def _length(channel: ActionType, text: str) -> dict[str, Any]:
    if channel is not ActionType.SMS:
        return {"segments": None, "encoding": None}
    found = segments(normalise(text))
    return {"segments": found.segments, "encoding": found.encoding}


def as_sent(unit: Unit, delivery: t.Delivery) -> MessageOut:
    message = delivery.message
    ids = [FileId(uuid.UUID(one["file_id"])) for one in message.get("attachments", ())]
    attached = files.about(unit, ids)
    return MessageOut(
        sender_name=message["sender_name"],
        sender_address=message["sender_address"],
        recipients=[
            Recipient(role=r["role"], address=r["address"], name=r["name"])
            for r in message["recipients"]
        ],
        subject=message["subject"],
        text=message["text"],
        html=message["html"],
        attachments=[file_out(file) for file in attached],
        **_length(ActionType(delivery.channel), message["text"]),
    )
