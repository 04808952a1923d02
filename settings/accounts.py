"""The installation's accounts at the providers."""

from __future__ import annotations

from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from settings.values import PREFIX, SettingsError, WebAddress, parts, plain


class Accounts(BaseSettings):
    sendgrid_api_key: SecretStr | None = Field(
        None, description="Key of SendGrid, `SG.…`. Not set: emails go to the outbox."
    )
    sendgrid_host: WebAddress = Field(
        None,
        description="Another address of SendGrid's API, as `https://api.eu.sendgrid.com`.",
    )
    sendgrid_webhook_keys: str = Field(
        "",
        description="Public keys of SendGrid's signed event webhook and inbound parse, in base64, "
        "separated by commas: both during a rotation. Not set: its callbacks are refused.",
    )
    sendgrid_inbound_domain: str | None = Field(
        None,
        description="Domain of SendGrid's inbound parse: replies go to `reply+…@` it and are "
        "matched to their customer. Not set: replies go to the member.",
    )
    twilio_account_sid: str | None = Field(
        None, description="Account of Twilio, `AC…`. Not set: SMS go to the outbox."
    )
    twilio_auth_token: SecretStr | None = Field(
        None, description="Its auth token, which also verifies its callbacks."
    )
    twilio_api_key_sid: str | None = Field(
        None, description="An API key of Twilio, `SK…`, to send with instead of the auth token."
    )
    twilio_api_key_secret: SecretStr | None = Field(None, description="The secret of that key.")
    twilio_sender: str | None = Field(
        None,
        description="Who an SMS is from: a number as `+33…`, a name, or a messaging service `MG…`.",
    )
    twilio_webhook_tokens: SecretStr | None = Field(
        None,
        description="Auth tokens that callbacks may be signed with, separated by commas: both "
        "during a rotation. Not set: `DUNNING_TWILIO_AUTH_TOKEN`.",
    )
    twilio_host: WebAddress = Field(None, description="Another address of Twilio's API.")
    lob_api_key: SecretStr | None = Field(
        None, description="Key of Lob, `live_…` or `test_…`. Not set: letters go to the outbox."
    )
    lob_sender: str | None = Field(
        None,
        description="Who a letter is from, and where in the US, because Lob posts from there only: "
        "`Amber & Sons; 185 Berry St; San Francisco; CA; 94107`.",
    )
    lob_webhook_secrets: SecretStr | None = Field(
        None,
        description="Secrets of Lob's webhook, separated by commas: both during a rotation. Not "
        "set: its callbacks are refused.",
    )
    lob_host: WebAddress = Field(None, description="Another address of Lob's API.")

    def credentials(self) -> dict[str, dict[str, Any]]:
        """The installation's accounts, by provider, as ``providers.registry.account`` takes them;
        without a provider's first setting it has none. Raises `SettingsError` for half of one."""
        found: dict[str, dict[str, Any]] = {}
        if self.sendgrid_api_key is not None:
            found["sendgrid"] = {
                "api_key": self.sendgrid_api_key,
                "host": self.sendgrid_host,
                "webhook_keys": parts(self.sendgrid_webhook_keys),
                "inbound_domain": self.sendgrid_inbound_domain,
            }
        if self.twilio_account_sid is not None:
            found["twilio"] = {
                "account_sid": self.twilio_account_sid,
                "auth_token": self.twilio_auth_token,
                "api_key_sid": self.twilio_api_key_sid,
                "api_key_secret": self.twilio_api_key_secret,
                "sender": self.twilio_sender,
                "webhook_tokens": parts(self.twilio_webhook_tokens),
                "host": self.twilio_host,
            }
        if self.lob_api_key is not None:
            name, *address = [part.strip() for part in (self.lob_sender or "").split(";")]
            if len(address) != 4:
                raise SettingsError(
                    "DUNNING_LOB_SENDER: write the name and the address in the US, as "
                    "'Amber & Sons; 185 Berry St; San Francisco; CA; 94107'"
                )
            line1, city, region, postal_code = address
            found["lob"] = {
                "api_key": self.lob_api_key,
                "sender_name": name,
                "sender": {
                    "line1": line1,
                    "city": city,
                    "region": region,
                    "postal_code": postal_code,
                    "country": "US",
                },
                "webhook_secrets": parts(self.lob_webhook_secrets),
                "host": self.lob_host,
            }
        self._refuse_halves(found)
        return {
            provider: {name: plain(value) for name, value in data.items() if value}
            for provider, data in found.items()
        }

    def _refuse_halves(self, found: dict[str, dict[str, Any]]) -> None:
        """A provider with a key for this and none for that is no provider: a mistake."""
        first = {
            "sendgrid": "sendgrid_api_key",
            "twilio": "twilio_account_sid",
            "lob": "lob_api_key",
        }
        for provider, name in first.items():
            others = [n for n in type(self).model_fields if n.startswith(f"{provider}_")]
            stray = [n for n in others if n != name and getattr(self, n)]
            if provider not in found and stray:
                raise SettingsError(
                    f"{PREFIX}{stray[0].upper()} is set, but {PREFIX}{name.upper()} is not"
                )
