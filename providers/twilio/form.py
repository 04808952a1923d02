"""What an admin enters for an account at Twilio."""

from __future__ import annotations

from typing import Any

from pydantic import Field, SecretStr

from providers.form import ROTATION, Form, Line, Secret, Secrets, end_of


class TwilioIn(Form):
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
        [], description=f"Auth tokens that sign callbacks. {ROTATION} Without: the auth token."
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
            "account_sid": end_of(SecretStr(self.account_sid)),
            "auth_token": end_of(self.auth_token),
            "api_key_sid": end_of(SecretStr(self.api_key_sid)),
            "sender": self.sender,
            "webhook_tokens": [end_of(token) for token in self.webhook_tokens],
        }
