"""The installation's accounts at the providers."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from settings.values import WebAddress, plain


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

    def of_provider(self, name: str) -> dict[str, str]:
        """The settings of one provider that are set, by the rest of their name after the
        provider's. Secrets are in clear."""
        start = f"{name}_"
        values = {
            field.removeprefix(start): plain(getattr(self, field))
            for field in type(self).model_fields
            if field.startswith(start)
        }
        return {field: str(value) for field, value in values.items() if value}
