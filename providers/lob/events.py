"""What an event of Lob says about a letter: the fact, and the reason for people."""

from __future__ import annotations

from typing import Any

from dunning.delivery import DeliveryFact
from providers.lob.resource import text_of

#: By event: the fact that it reports, and a reason if the fact alone does not say it. Keys are
#: Lob's names without "letter." and "certified." (Lob's list of events).
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


#: Postal details about a certified letter (Lob's ``TrackingEventDetails``): the fact if it is not
#: that of the event, and the reason.
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
    # Not RETURNED: the address is good, the recipient did not fetch it.
    "package_unclaimed": (DeliveryFact.FAILED, "nobody picked it up at the post office"),
    "package_undeliverable": (DeliveryFact.FAILED, "the post could not deliver it"),
}


def meaning(kind: str, letter: dict[str, Any]) -> tuple[DeliveryFact, str]:
    """The fact and the reason of an event ``kind``, as ``letter.certified.failed``. NOTED, with the
    event's name as the reason, for an unknown event."""
    short = kind.removeprefix("letter.").removeprefix("certified.")
    plain = kind.replace(".", " ").replace("_", " ")
    fact, reason = _EVENTS.get(short, (DeliveryFact.NOTED, plain))
    if fact is DeliveryFact.FAILED:
        reason = _with(reason, _why_failed(letter))
    detail = _detail(letter, short)
    if not detail:
        return fact, reason
    unknown = (None, text_of(detail, "description"))
    other, words = _DETAILS.get(text_of(detail, "event"), unknown)
    fact = other or fact
    if fact not in (DeliveryFact.SENT, DeliveryFact.RECEIVED, DeliveryFact.OPENED):
        reason = _with(words or reason, text_of(detail, "notes"))
        if detail.get("action_required") is True:
            reason += " (the recipient must act)"
    return fact, reason


def _why_failed(letter: dict[str, Any]) -> str:
    """Lob's ``failure_reason``: why the letter failed, and what to do about it."""
    given = letter.get("failure_reason")
    if isinstance(given, str):
        return text_of(letter, "failure_reason", 300)
    why = text_of(given, "failure_reason", 300)
    return f"{why} {text_of(given, 'remediation', 300)}".strip()


def _detail(letter: dict[str, Any], short: str) -> dict[str, Any]:
    """The details of the latest tracking event with this name; empty if there are none."""
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
