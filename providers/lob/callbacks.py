"""What Lob calls back: events of a letter."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from dunning.learnt import Reply, Report
from providers.callback import BadCallback, Callback
from providers.lob.events import meaning
from providers.lob.resource import delivery_id_of, json_object, text_of

WINDOW = timedelta(hours=24)  # how long Lob repeats a failed callback


def verified(secrets: Sequence[str], callback: Callback, now: datetime) -> bool:
    """Whether Lob signed the callback with one of the secrets, at most WINDOW before or after
    ``now`` (UTC).

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


def read(callback: Callback, now: datetime) -> list[Report | Reply]:
    """The one event in the callback; ``now`` (UTC) replaces a missing date. Raises BadCallback."""
    call = json_object(callback.body)
    type_, letter = call.get("event_type"), call.get("body")
    kind = text_of(type_, "id")
    if not kind or not isinstance(letter, dict):
        raise BadCallback("it is no event of Lob: no event_type.id, or no body")
    fact, reason = meaning(kind, letter)
    event = Report(
        fact=fact,
        at=_instant(text_of(call, "date_created"), now),
        delivery_id=delivery_id_of(letter),
        provider_id=text_of(letter, "id") or text_of(call, "reference_id"),
        reason=reason,
        tracking_number=text_of(letter, "tracking_number"),
    )
    return [event]


def _instant(text: str, now: datetime) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return now
