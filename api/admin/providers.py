"""An organisation's own accounts at the providers. For admins; what is secret never comes back."""

from __future__ import annotations

import base64
import logging
import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from fastapi import APIRouter, Request
from pydantic import AfterValidator, BaseModel, Field, SecretStr
from sqlmodel import Session

from api.http.auth import Admin
from api.http.bodies import BodyRoute
from api.http.database import Db, Now
from api.http.fields import Body, Line, Name
from api.members.held import HeldAccount, held_accounts
from api.outside.webhooks import Signers
from backoffice.people import credentials
from providers.registry import account, channel
from providers.sendgrid.account import EU_HOST, HOST
from store import tables as t
from store.errors import Invalid

router = APIRouter(route_class=BodyRoute, tags=["organisation"])

_log = logging.getLogger(__name__)

Provider = Literal["sendgrid", "twilio", "lob"]
Purpose = Literal["events", "replies"]
_ADDRESSES: dict[Provider, tuple[tuple[Purpose, str], ...]] = {
    "sendgrid": (("events", ""), ("replies", "/inbound")),
    "twilio": (("replies", "/inbound"),),
    "lob": (("events", ""),),
}


def _public_key(value: str) -> str:
    try:
        key = load_der_public_key(base64.b64decode("".join(value.split()), validate=True))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("is not a public key as SendGrid shows it")
    return value


Secret = Annotated[SecretStr, Field(max_length=500)]
Needed = Annotated[SecretStr, Field(min_length=1, max_length=500)]
Secrets = Annotated[list[Needed], Field(max_length=5)]
Flag = Annotated[bool, Field(strict=True)]
_ROTATION = "Two during a rotation."


class SendGridIn(Body):
    api_key: Needed
    eu: Flag = Field(False, description="The account is of SendGrid's European region.")
    webhook_keys: Annotated[
        list[Annotated[str, Field(max_length=1000), AfterValidator(_public_key)]],
        Field(max_length=5),
    ] = Field(
        [],
        description="Public keys of the signed event webhook and of the inbound parse's security "
        f"policy. {_ROTATION} Without: callbacks are refused.",
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
            "api_key": _end(self.api_key),
            "eu": self.eu,
            "webhook_keys": [f"…{key.strip()[-4:]}" for key in self.webhook_keys],
            "inbound_domain": self.inbound_domain,
        }


class TwilioIn(Body):
    """The auth token, or an API key with its secret; the token also verifies callbacks."""

    account_sid: Line = Field(examples=["AC0123456789abcdef0123456789abcdef"])
    auth_token: Secret = SecretStr("")
    api_key_sid: Line = ""
    api_key_secret: Secret = SecretStr("")
    sender: Line = Field(
        description="A number as +33…, a short code, a name, or a messaging service MG…",
        examples=["+33700000000"],
    )
    webhook_tokens: Secrets = Field(
        [], description=f"Auth tokens that sign callbacks. {_ROTATION} Without: the auth token."
    )

    def credentials(self) -> dict[str, Any]:
        return {
            "account_sid": self.account_sid,
            "auth_token": self.auth_token.get_secret_value(),
            "api_key_sid": self.api_key_sid,
            "api_key_secret": self.api_key_secret.get_secret_value(),
            "sender": self.sender,
            "webhook_tokens": [token.get_secret_value() for token in self.webhook_tokens],
        }

    def shown(self) -> dict[str, Any]:
        return {
            "account_sid": _end(SecretStr(self.account_sid)),
            "auth_token": _end(self.auth_token),
            "api_key_sid": _end(SecretStr(self.api_key_sid)),
            "sender": self.sender,
            "webhook_tokens": [_end(token) for token in self.webhook_tokens],
        }


class SenderAddress(Body):
    """In the United States, because Lob posts from there only."""

    line1: Name
    line2: Line = ""
    city: Name
    region: Name = Field(examples=["CA"])
    postal_code: Name


class LobIn(Body):
    api_key: Needed
    sender_name: Name
    sender: SenderAddress
    webhook_secrets: Secrets = Field(
        [], description=f"Secrets of Lob's webhook. {_ROTATION} Without: callbacks are refused."
    )
    color: Flag = False
    mail_type: Literal["usps_first_class", "usps_standard"] = "usps_first_class"

    def credentials(self) -> dict[str, Any]:
        return {
            "api_key": self.api_key.get_secret_value(),
            "sender_name": self.sender_name,
            "sender": {**self.sender.model_dump(), "country": "US"},
            "webhook_secrets": [secret.get_secret_value() for secret in self.webhook_secrets],
            "color": self.color,
            "mail_type": self.mail_type,
        }

    def shown(self) -> dict[str, Any]:
        return {
            "api_key": _end(self.api_key),
            "sender_name": self.sender_name,
            "sender": self.sender.model_dump(),
            "webhook_secrets": [_end(secret) for secret in self.webhook_secrets],
            "color": self.color,
            "mail_type": self.mail_type,
        }


def _end(secret: SecretStr) -> str:
    """Enough to tell two keys apart, and nothing of a short one."""
    value = secret.get_secret_value()
    return (f"…{value[-4:]}" if len(value) >= 16 else "…") if value else ""


class ProviderAccount(BaseModel):
    provider: Provider
    shown: dict[str, Any] = Field(description="What may be read of it: of keys the last four.")
    updated_at: datetime
    updated_by: str


class WebhookAddress(BaseModel):
    provider: Provider
    purpose: Purpose
    url: str


class ProviderAccounts(BaseModel):
    items: list[ProviderAccount] = Field(description="None: the installation's account serves.")
    webhooks: list[WebhookAddress] = Field(
        description="To be entered at the provider of an own account. Twilio is told with each SMS "
        "where to report. Empty while the installation has no public address."
    )
    held: list[HeldAccount] = Field(
        description="Accounts that their provider refuses just now, the installation's too where "
        "it serves this organisation."
    )


@router.get("/organisation/providers", operation_id="list_provider_accounts")
def list_all(request: Request, admin: Admin, db: Db, now: Now) -> ProviderAccounts:
    """The organisation's own accounts, where their providers call back, and which are refused."""
    signers: Signers = request.app.state.signers
    rows = credentials.every(db, admin.organisation_id)
    return ProviderAccounts(
        items=[_out(row) for row in rows],
        webhooks=_webhooks(signers.public_url, admin.organisation_id),
        held=held_accounts(db, admin, now),
    )


@router.put("/organisation/providers/sendgrid", operation_id="put_sendgrid_account")
def put_sendgrid(body: SendGridIn, request: Request, admin: Admin, db: Db) -> ProviderAccount:
    """Send emails through an own SendGrid account, from the next one on. Replaces it whole."""
    return _put(request, db, admin, "sendgrid", body)


@router.put("/organisation/providers/twilio", operation_id="put_twilio_account")
def put_twilio(body: TwilioIn, request: Request, admin: Admin, db: Db) -> ProviderAccount:
    """Send SMS through an own Twilio account, from the next one on. Replaces it whole."""
    return _put(request, db, admin, "twilio", body)


@router.put("/organisation/providers/lob", operation_id="put_lob_account")
def put_lob(body: LobIn, request: Request, admin: Admin, db: Db) -> ProviderAccount:
    """Send letters through an own Lob account, from the next one on. Replaces it whole."""
    return _put(request, db, admin, "lob", body)


@router.delete("/organisation/providers/{provider}", operation_id="delete_provider_account",
               status_code=204)  # fmt: skip
def delete(provider: Provider, admin: Admin, db: Db) -> None:
    """Back to the installation's account. Callbacks about what left before are refused."""
    credentials.remove(db, admin.organisation_id, provider)
    _tell(admin, "removed", provider)


def _put(
    request: Request,
    db: Session,
    admin: t.Member,
    provider: Provider,
    body: SendGridIn | TwilioIn | LobIn,
) -> ProviderAccount:
    signers: Signers = request.app.state.signers
    given = body.credentials()
    try:
        channel(account(provider, given), signers.public_url)
    except ValueError as error:
        raise Invalid.at("", str(error)) from None
    row = credentials.put(
        db, signers.vault, admin.organisation_id, provider, given, body.shown(), admin.name
    )
    _tell(admin, "set", provider)
    return _out(row)


def _tell(admin: t.Member, what: str, provider: Provider) -> None:
    _log.info("member %s %s the account of organisation %s at %s",
              admin.id, what, admin.organisation_id, provider)  # fmt: skip


def _out(row: t.ProviderAccount) -> ProviderAccount:
    return ProviderAccount(**row.model_dump(exclude={"organisation_id", "sealed"}))


def _webhooks(public_url: str, organisation: uuid.UUID) -> list[WebhookAddress]:
    if not public_url:
        return []
    return [
        WebhookAddress(
            provider=provider,
            purpose=purpose,
            url=f"{public_url}/webhooks/{provider}/{organisation}{path}",
        )
        for provider, addresses in _ADDRESSES.items()
        for purpose, path in addresses
    ]
