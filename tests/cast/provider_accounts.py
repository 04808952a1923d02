"""An organisation's own accounts at the providers, as the API accepts them."""

from __future__ import annotations

import base64
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def public_key(key: Any) -> str:
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


SENDGRID: dict[str, Any] = {
    "api_key": "SG.secret-of-sendgrid-1234",
    "webhook_keys": [public_key(ec.generate_private_key(ec.SECP256R1()))],
    "inbound_domain": "answers.amber.example",
}


TWILIO: dict[str, Any] = {
    "account_sid": "AC0123456789abcdef0123456789abcdef",
    "auth_token": "secret-of-twilio-5678",
    "sender": "+33700000000",
}


LOB: dict[str, Any] = {
    "api_key": "live_secret-of-lob-9012",
    "sender_name": "Amber & Sons",
    "sender": {
        "line1": "185 Berry St",
        "city": "San Francisco",
        "region": "CA",
        "postal_code": "94107",
    },
    "webhook_secrets": ["secret-of-webhooks-3456"],
}


BODIES = {"sendgrid": SENDGRID, "twilio": TWILIO, "lob": LOB}
