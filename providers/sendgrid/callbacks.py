"""What SendGrid calls back: events of its event webhook, and customers' replies to emails."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from sendgrid.helpers.eventwebhook import EventWebhook

from dunning.learnt import Reply, Report
from providers.callback import BadCallback, Callback
from providers.sendgrid.events import events
from providers.sendgrid.replies import reply

#: SendGrid repeats a failed callback for 24 hours. It is not documented whether it signs it again.
MAX_AGE = timedelta(hours=24, minutes=10)
MAX_AHEAD = timedelta(minutes=5)


def verified(
    keys: Sequence[str], callback: Callback, now: datetime, *, max_age: timedelta = MAX_AGE
) -> bool:
    """Whether one of these public keys signed this callback, at most ``max_age`` before ``now``
    (UTC).

    The event webhook and the inbound parse's security policy both sign the timestamp and the raw
    body (ECDSA, P-256, SHA-256; SendGrid, "Signed event webhook"). Never raises.
    """
    stamp = callback.headers.get("x-twilio-email-event-webhook-timestamp", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        return False
    age = now.timestamp() - int(stamp)
    if not -MAX_AHEAD.total_seconds() <= age <= max_age.total_seconds():
        return False
    try:
        given = callback.headers.get("x-twilio-email-event-webhook-signature", "")
        signature = base64.b64decode(given, validate=True)
    except ValueError:
        return False
    return any(_signed(key, signature, stamp.encode() + callback.body) for key in keys)


def _signed(key: str, signature: bytes, text: bytes) -> bool:
    """Whether the key made the signature. The library only reads the key: its ``verify_signature``
    takes only text, and an inbound email with an attachment is bytes."""
    try:
        EventWebhook("".join(key.split())).public_key.verify(
            signature, text, ec.ECDSA(hashes.SHA256())
        )
    except Exception:  # noqa: BLE001 - a wrong signature, no key, or a key of another kind
        return False
    return True


def read(callback: Callback, now: datetime) -> list[Report | Reply]:
    """The events of the event webhook (``…/webhooks/sendgrid`` or
    ``…/webhooks/sendgrid/<organisation>``), or the reply of the inbound parse (``…/inbound``).

    ``now`` (UTC) replaces a missing or impossible time. Entries that are malformed or about no
    message are left out. Raises BadCallback.
    """
    path = callback.url.partition("?")[0].rstrip("/")
    if path.endswith("/inbound"):
        return [reply(callback, now)]
    if not re.search(r"/webhooks/sendgrid(/[^/]+)?\Z", path):
        raise BadCallback("this is not an address of SendGrid's callbacks")
    try:
        entries = json.loads(callback.body)
    except (ValueError, RecursionError):
        raise BadCallback("the body is not JSON") from None
    if not isinstance(entries, list):
        raise BadCallback("the body is not a list of events")
    return [event for entry in entries if isinstance(entry, dict) for event in events(entry, now)]
