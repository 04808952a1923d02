"""What an admin enters for an account at Lob."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from providers.form import ROTATION, Fields, Flag, Form, Line, Name, NeededSecret, Secrets, end_of


class SenderAddress(Fields):
    """In the United States, because Lob posts from there only."""

    line1: Name
    line2: Line = ""
    city: Name
    region: Name = Field(examples=["CA"])
    postal_code: Name


class LobIn(Form):
    api_key: NeededSecret
    sender_name: Name
    sender: SenderAddress
    webhook_secrets: Secrets = Field(
        [], description=f"Secrets of Lob's webhook. {ROTATION} Without: callbacks are refused."
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
            "api_key": end_of(self.api_key),
            "sender_name": self.sender_name,
            "sender": self.sender.model_dump(),
            "webhook_secrets": [end_of(secret) for secret in self.webhook_secrets],
            "color": self.color,
            "mail_type": self.mail_type,
        }
