"""Callbacks of the outbox: ``dunning outbox simulate`` makes them and signs them with our key."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from dunning.delivery import DeliveryFact
from dunning.learnt import Reply, Report
from providers.callback import BadCallback, Callback

#: The events that can be simulated, each with its fact and reason.
SIMULATED: dict[str, tuple[DeliveryFact, str]] = {
    "delivered": (DeliveryFact.RECEIVED, ""),
    "opened": (DeliveryFact.OPENED, ""),
    "clicked": (DeliveryFact.CLICKED, ""),
    "bounced": (DeliveryFact.BOUNCED, "there is no such address (simulated)"),
    "failed": (DeliveryFact.FAILED, "the provider could not get it out (simulated)"),
    "returned": (DeliveryFact.RETURNED, "the post returned it to the sender (simulated)"),
    "complained": (DeliveryFact.COMPLAINED, ""),
    "unsubscribed": (DeliveryFact.UNSUBSCRIBED, ""),
}
_SIGNATURE, _TIMESTAMP = "x-dunning-signature", "x-dunning-timestamp"
_WINDOW = timedelta(minutes=5)


def simulated(key: str, url: str, delivery_id: str, event: str, at: datetime) -> Callback:
    """A signed callback of the outbox. ``at`` is UTC. Raises KeyError for an event that is not in
    SIMULATED."""
    fact, reason = SIMULATED[event]
    body = json.dumps(
        {"delivery_id": delivery_id, "fact": fact.value, "reason": reason, "at": at.isoformat()}
    ).encode()
    stamp = str(int(at.timestamp()))
    headers = {
        "content-type": "application/json",
        _TIMESTAMP: stamp,
        _SIGNATURE: _sign(key, stamp, body),
    }
    return Callback(url, body, headers)


def verified(keys: Sequence[str], callback: Callback, now: datetime) -> bool:
    """Whether one of our keys signed it, at most five minutes before or after ``now`` (UTC).
    Never raises."""
    stamp, signature = callback.headers.get(_TIMESTAMP, ""), callback.headers.get(_SIGNATURE, "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        return False
    if abs(now - datetime.fromtimestamp(int(stamp), UTC)) > _WINDOW:
        return False
    signs = [_sign(key, stamp, callback.body) for key in keys if key]
    return any(hmac.compare_digest(s.encode(), signature.encode()) for s in signs)


def read(callback: Callback, now: datetime) -> list[Report | Reply]:
    """The one event of a simulated callback, not later than ``now`` (UTC). Raises BadCallback."""
    try:
        data = json.loads(callback.body)
        return [
            Report(
                fact=DeliveryFact(data["fact"]),
                at=min(datetime.fromisoformat(data["at"]), now),
                delivery_id=str(data["delivery_id"]),
                reason=str(data["reason"]),
            )
        ]
    except (ValueError, KeyError, TypeError):
        raise BadCallback("this is no callback of the outbox") from None


def _sign(key: str, stamp: str, body: bytes) -> str:
    return hmac.new(key.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
