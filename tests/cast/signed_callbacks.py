"""Callbacks signed as each provider signs them, and the rows stored for them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from httpx import Response
from sqlmodel import select
from twilio.request_validator import RequestValidator

from backoffice.people import provider_accounts
from stand_ins.office import Office
from store import tables as t
from store.engine import transaction
from store.unit import Unit

PUBLIC = "https://dunning.example"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


Signed = Mapping[str, str]


#: Gives the headers that sign a URL and a body.
Sign = Callable[[str, bytes], Signed]


class KeyPair:
    """A key pair that signs as SendGrid does."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        der = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.public = base64.b64encode(der).decode()

    def __call__(self, url: str, body: bytes) -> Signed:
        stamp = str(int(time.time()))
        signature = self._key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        return {
            "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        }


def of_twilio(token: str) -> Sign:
    def sign(url: str, body: bytes) -> Signed:
        form = dict(pair.split("=") for pair in body.decode().split("&"))
        signature = RequestValidator(token).compute_signature(url, form)
        return {**FORM, "X-Twilio-Signature": signature}

    return sign


def of_lob(secret: str) -> Sign:
    def sign(url: str, body: bytes) -> Signed:
        stamp = str(int(time.time() * 1000))
        signed = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256)
        return {"Lob-Signature": signed.hexdigest(), "Lob-Signature-Timestamp": stamp}

    return sign


OLD, NEW, STRANGER = KeyPair(), KeyPair(), KeyPair()


KEYS = {
    "sendgrid": (OLD.public, NEW.public),
    "twilio": ("old-token", "new-token"),
    "lob": ("old-secret", "new-secret"),
    "outbox": ("old-key", "new-key"),
}


#: By provider: the old and the new key of a rotation, and an unknown one.
SIGNS: dict[str, tuple[Sign, Sign, Sign]] = {
    "sendgrid": (OLD, NEW, STRANGER),
    "twilio": (of_twilio("old-token"), of_twilio("new-token"), of_twilio("no-token")),
    "lob": (of_lob("old-secret"), of_lob("new-secret"), of_lob("no-secret")),
}


#: Provider, path and body of callbacks; not every body is text or JSON.
CALLS = [
    ("sendgrid", "/webhooks/sendgrid", b'[ {"event": "open"} ]\r\n'),
    ("sendgrid", "/webhooks/sendgrid/inbound", b"--x\r\n\x00\xff\xfe\r\n--x--\r\n"),
    ("twilio", f"/webhooks/twilio/status/{uuid.uuid4()}", b"MessageSid=SM1&MessageStatus=sent"),
    ("twilio", "/webhooks/twilio/inbound", b"MessageSid=SM1&Body=STOP"),
    ("lob", "/webhooks/lob", b'{"event_type": {"id": "letter.mailed"} }  \n'),
]


def post(office: Office, path: str, body: bytes, headers: Signed) -> Response:
    answer: Response = office.client.post(path, content=body, headers=dict(headers))
    return answer


def stored(office: Office) -> list[t.Callback]:
    """The stored callbacks that are not processed yet; they are deleted."""
    with transaction(office.engine) as session:
        rows = list(session.exec(select(t.Callback).where(t.Callback.outcome == "")))
        for row in rows:
            session.delete(row)
        return rows


def own_account(office: Office, state: Any, provider: str, values: dict[str, Any]) -> None:
    with transaction(office.engine) as session:
        provider_accounts.put(
            Unit(session, office.id, by="Ada"), state.signers.vault, provider, values, {}
        )
