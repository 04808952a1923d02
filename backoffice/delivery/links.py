"""Short links: from a message to the page of its invoice."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from dunning.ids import DeliveryId
from dunning.plan import ActionType
from store import tables as t
from store.load import Loaded
from store.unit import Unit

#: As long as a real token, so that a preview has as many characters and segments as the SMS.
PREVIEW = "preview-preview-"


def short_link(
    unit: Unit, loaded: Loaded, action: t.Action, delivery: DeliveryId, public_url: str
) -> str:
    """The short link of an SMS to its invoice's page; empty for other types, without a page, or
    without a public address. Each delivery has one link for all its attempts."""
    kind = ActionType(action.executed_type or action.type)
    invoice = loaded.invoices.get(action.invoice_id)
    if kind is not ActionType.SMS or not public_url or invoice is None or not invoice.url:
        return ""
    row = unit.session.exec(select(t.Link).where(t.Link.delivery_id == delivery)).one_or_none()
    if row is None:
        token = secrets.token_urlsafe(12)  # 96 bits, 16 characters
        row = t.Link(token=token, delivery_id=delivery, target=invoice.url)
        unit.session.add(row)
    row.target = invoice.url
    unit.session.flush()
    return f"{public_url}/l/{row.token}"


@dataclass(frozen=True, slots=True)
class Target:
    """``counts``: not all recipients are known to have opened the message yet."""

    url: str
    delivery_id: DeliveryId
    counts: bool


_TARGET = sa.select(
    col(t.Link.target),
    col(t.Link.delivery_id),
    sa.exists().where(
        col(t.DeliveryRecipient.delivery_id) == t.Link.delivery_id,
        col(t.DeliveryRecipient.clicked_at).is_(None),
    ),
).where(col(t.Link.token) == sa.bindparam("token"))


def target_of(session: Session, token: str) -> Target | None:
    """The target of a token; None for an unknown token. One statement, no lock."""
    if len(token) > 64:
        return None
    row = session.connection().execute(_TARGET, {"token": token}).one_or_none()
    return Target(*row) if row is not None else None
