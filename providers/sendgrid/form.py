"""What an admin enters for an account at SendGrid."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pydantic import AfterValidator, Field

from providers.form import ROTATION, Flag, Form, Line, NeededSecret, end_of
from providers.sendgrid.account import EU_HOST, HOST


def _public_key(value: str) -> str:
    try:
        key = load_der_public_key(base64.b64decode("".join(value.split()), validate=True))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("is not a public key as SendGrid shows it")
    return value


class SendGridIn(Form):
    api_key: NeededSecret
    eu: Flag = Field(False, description="The account is of SendGrid's European region.")
    webhook_keys: Annotated[
        list[Annotated[str, Field(max_length=1000), AfterValidator(_public_key)]],
        Field(max_length=5),
    ] = Field(
        [],
        description="Public keys of the signed event webhook and of the inbound parse's security "
        f"policy. {ROTATION} Without: callbacks are refused.",
    )
    inbound_domain: Line = Field(
        "", description='Of the inbound parse; "" = replies go to the member, unseen by us.'
    )

    def credentials(self) -> dict[str, Any]:
        return {
            "api_key": self.api_key.get_secret_value(),
            "host": EU_HOST if self.eu else HOST,
            "webhook_keys": list(self.webhook_keys),
            "inbound_domain": self.inbound_domain,
        }

    def shown(self) -> dict[str, Any]:
        return {
            "api_key": end_of(self.api_key),
            "eu": self.eu,
            "webhook_keys": [f"…{key.strip()[-4:]}" for key in self.webhook_keys],
            "inbound_domain": self.inbound_domain,
        }
