"""An entry of SendGrid's event webhook as events of one message (SendGrid, "Event webhook
reference")."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from dunning.delivery import DeliveryFact
from dunning.learnt import Report
from messages.lines import one_line
from messages.message import MAX_ADDRESS
from providers.sendgrid.reply_address import UUID

_MAX_REASON = 500
#: The fact of each event whose name alone decides it.
_FACTS = {
    "processed": DeliveryFact.SENT,
    "deferred": DeliveryFact.SENT,
    "delivered": DeliveryFact.RECEIVED,
    "bounce": DeliveryFact.BOUNCED,
    "dropped": DeliveryFact.FAILED,
    "open": DeliveryFact.OPENED,
    "click": DeliveryFact.CLICKED,
    "spamreport": DeliveryFact.COMPLAINED,
    "unsubscribe": DeliveryFact.UNSUBSCRIBED,
    "group_unsubscribe": DeliveryFact.UNSUBSCRIBED,
    "group_resubscribe": DeliveryFact.RESUBSCRIBED,
}
#: Reasons of ``dropped`` (SendGrid did not try) that are about the recipient.
_DROPPED = {
    "bounced address": (DeliveryFact.BOUNCED, "the address has bounced before"),
    "invalid": (DeliveryFact.BOUNCED, "the address is not valid"),
    "unsubscribed address": (DeliveryFact.UNSUBSCRIBED, "the address is unsubscribed at SendGrid"),
    "spam reporting address": (
        DeliveryFact.COMPLAINED,
        "the recipient has reported mail as spam before",
    ),
}
_DELIVERY = re.compile(UUID, re.IGNORECASE)
_SENDGRID_BEGAN = datetime(2009, 1, 1, tzinfo=UTC).timestamp()


def events(entry: dict[str, Any], now: datetime) -> list[Report]:
    """The events of an entry. An email that SendGrid dropped because of an unsubscription or a
    complaint gives two: the unsubscription or complaint, and the failure."""
    event = _event(entry, now)
    if event is None:
        return []
    dropped = entry.get("event") == "dropped"
    if dropped and event.fact in (DeliveryFact.UNSUBSCRIBED, DeliveryFact.COMPLAINED):
        return [event, replace(event, fact=DeliveryFact.FAILED)]
    return [event]


def _event(entry: dict[str, Any], now: datetime) -> Report | None:
    """None for an entry about the account, and for an unknown kind of event."""
    kind = _text_of(entry, "event", 50)
    fact = _FACTS.get(kind)
    if fact is None:
        return None
    fact, reason = _fact_and_reason(entry, kind, fact)
    address = _text_of(entry, "email", MAX_ADDRESS)
    if not address:  # an empty address would mean every recipient
        fact = DeliveryFact.NOTED
    delivery_id = _text_of(entry, "dunning_delivery_id")
    return Report(
        fact=fact,
        at=_at(entry.get("timestamp"), now),
        delivery_id=delivery_id.lower() if _DELIVERY.fullmatch(delivery_id) else "",
        provider_id=_text_of(entry, "sg_message_id", 200).split(".")[0],
        address=address,
        reason=reason,
    )


def _fact_and_reason(
    entry: dict[str, Any], kind: str, fact: DeliveryFact
) -> tuple[DeliveryFact, str]:
    """The fact as other fields of the entry refine it, and the reason for people."""
    reason = _text_of(entry, "response" if kind == "deferred" else "reason")
    if fact is DeliveryFact.BOUNCED and _text_of(entry, "type") == "blocked":
        return DeliveryFact.BLOCKED, reason
    if fact is DeliveryFact.FAILED:
        dropped = (fact, reason or "SendGrid does not say why")
        fact, why = _DROPPED.get(reason.lower(), dropped)
        return fact, f"not attempted: {why}"
    if fact is DeliveryFact.OPENED and entry.get("sg_machine_open") in (True, "true"):
        return DeliveryFact.OPENED_BY_MACHINE, reason
    return fact, reason


def _text_of(entry: dict[str, Any], name: str, limit: int = _MAX_REASON) -> str:
    value = entry.get(name)
    return one_line(str(value), limit) if isinstance(value, str | int) else ""


def _at(value: object, now: datetime) -> datetime:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        value = int(value)
    latest = now.timestamp() + timedelta(days=1).total_seconds()
    if isinstance(value, int | float) and _SENDGRID_BEGAN <= value <= latest:
        return datetime.fromtimestamp(value, UTC)
    return now.astimezone(UTC)
