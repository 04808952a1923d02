"""What Lob calls back: what became of a letter."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from dunning.delivery import DeliveryFact
from dunning.learnt import Event, Reply
from providers.callback import BadCallback, Callback
from providers.lob.send import delivery_id_of, json_object, text_of

WINDOW = timedelta(hours=24)  # how old a callback may be: Lob repeats the ones that failed


def verified(secrets: Sequence[str], callback: Callback, now: datetime) -> bool:
    """Whether Lob signed the callback with one of the secrets, no longer ago than WINDOW.

    ``Lob-Signature`` is the hex HMAC-SHA256 of ``timestamp.body``; its timestamp counts seconds or
    milliseconds. False without a secret. Never raises.
    """
    stamp = callback.headers.get("lob-signature-timestamp", "").strip()
    given = callback.headers.get("lob-signature", "").strip().encode(errors="replace")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 15):
        return False
    at = int(stamp) / (1000 if len(stamp) > 11 else 1)
    if abs(now.timestamp() - at) > WINDOW.total_seconds():
        return False
    signed = stamp.encode() + b"." + callback.body
    keys = [secret.encode(errors="replace") for secret in secrets if secret]
    ours = [hmac.new(key, signed, "sha256").hexdigest().encode() for key in keys]
    return any(hmac.compare_digest(given, own) for own in ours)


#: What an event means, without "letter." and "certified." (Lob's list of events): the fact and,
#: where it is not plain, the words.
_EVENTS = {
    "mailed": (DeliveryFact.SENT, ""),
    "in_transit": (DeliveryFact.SENT, ""),
    "in_local_area": (DeliveryFact.SENT, ""),
    "processed_for_delivery": (DeliveryFact.SENT, ""),
    "international_exit": (DeliveryFact.SENT, ""),
    "delivered": (DeliveryFact.RECEIVED, ""),
    "viewed": (DeliveryFact.OPENED, ""),  # the recipient scanned the code on the letter
    "failed": (DeliveryFact.FAILED, "Lob could not print or post it"),
    "rejected": (DeliveryFact.FAILED, "Lob refused it"),
    "deleted": (DeliveryFact.FAILED, "it was cancelled at Lob before it was printed"),
    "returned_to_sender": (DeliveryFact.RETURNED, "the post returned it to the sender"),
    "created": (DeliveryFact.NOTED, "Lob accepted it"),
    "re-routed": (DeliveryFact.NOTED, "the post sends it on to another address"),
    "pickup_available": (DeliveryFact.NOTED, "it waits at the post office to be picked up"),
    "issue": (DeliveryFact.NOTED, "the post reports a problem with its delivery"),
}


#: What the post says of a certified letter, beside the event (Lob's ``TrackingEventDetails``):
#: the fact where it is another one than the event's, and the words.
_DETAILS: dict[str, tuple[DeliveryFact | None, str]] = {
    "package_accepted": (None, "the post has accepted it"),
    "package_forwarded": (None, "the post sends it on to another address"),
    "pickup_available": (None, "it waits at the post office to be picked up"),
    "delivery_scheduled": (None, "its delivery is planned"),
    "out_for_delivery": (None, "it is being delivered"),
    "returned_to_sender": (None, "the post returns it to the sender"),
    "address_issue": (None, "the address is not right, says the post"),
    "contact_carrier": (None, "the post asks to be contacted"),
    "delayed": (None, "the post is late with it"),
    "delivery_attempted": (None, "the post tried to deliver it and could not"),
    "delivery_rescheduled": (None, "the post delivers it on another day"),
    "location_inaccessible": (None, "the post could not get to the place"),
    "notice_left": (None, "the post found nobody and left a notice"),
    "package_damaged": (None, "it is damaged"),
    "package_held": (None, "it is held at the post office"),
    "reschedule_delivery": (None, "the post asks for another day of delivery"),
    "other": (None, "the post reports something it does not name"),
    "package_disposed": (DeliveryFact.FAILED, "the post disposed of it"),
    "package_lost": (DeliveryFact.FAILED, "the post lost it"),
    # The address is good: somebody did not go and get it.
    "package_unclaimed": (DeliveryFact.FAILED, "nobody picked it up at the post office"),
    "package_undeliverable": (DeliveryFact.FAILED, "the post could not deliver it"),
}


def read(callback: Callback, now: datetime) -> list[Event | Reply]:
    """The event in the callback; ``now`` (UTC) stands for a date it lacks. Raises BadCallback."""
    call = json_object(callback.body)
    type_, letter = call.get("event_type"), call.get("body")
    kind = text_of(type_, "id")
    if not kind or not isinstance(letter, dict):
        raise BadCallback("it is no event of Lob: no event_type.id, or no body")
    short = kind.removeprefix("letter.").removeprefix("certified.")
    plain = kind.replace(".", " ").replace("_", " ")
    fact, reason = _EVENTS.get(short, (DeliveryFact.NOTED, plain))
    if fact is DeliveryFact.FAILED:
        reason = _with(reason, _why_failed(letter))
    detail = _detail(letter, short)
    if detail:
        unknown = (None, text_of(detail, "description"))
        other, words = _DETAILS.get(text_of(detail, "event"), unknown)
        fact = other or fact
        if fact not in (DeliveryFact.SENT, DeliveryFact.RECEIVED, DeliveryFact.OPENED):
            reason = _with(words or reason, text_of(detail, "notes"))
            if detail.get("action_required") is True:
                reason += " (the recipient must act)"
    event = Event(
        fact=fact,
        at=_instant(text_of(call, "date_created"), now),
        delivery_id=delivery_id_of(letter),
        provider_id=text_of(letter, "id") or text_of(call, "reference_id"),
        reason=reason,
        code=kind,
        key=text_of(call, "id"),
        tracking_number=text_of(letter, "tracking_number"),
    )
    return [event]


def _why_failed(letter: dict[str, Any]) -> str:
    """Lob's ``failure_reason``: why it failed, and what to do about it."""
    given = letter.get("failure_reason")
    if isinstance(given, str):
        return text_of(letter, "failure_reason", 300)
    why = text_of(given, "failure_reason", 300)
    return f"{why} {text_of(given, 'remediation', 300)}".strip()


def _detail(letter: dict[str, Any], short: str) -> dict[str, Any]:
    """What the post says beside the latest tracking event of this name; empty when nothing."""
    listed = letter.get("tracking_events")
    named = [
        event
        for event in (listed if isinstance(listed, list) else [])
        if isinstance(event, dict)
        and text_of(event, "name").lower().replace(" ", "_") == short
        and isinstance(event.get("details"), dict)
    ]
    latest = max(named, key=lambda event: text_of(event, "time"), default={})
    found = latest.get("details", {})
    return found if isinstance(found, dict) else {}


def _with(words: str, more: str) -> str:
    return f"{words}: {more}" if more else words


def _instant(text: str, now: datetime) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return now
