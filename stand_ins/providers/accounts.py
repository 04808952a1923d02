"""The settings of an installation whose providers are the stand-ins."""

from __future__ import annotations

from typing import Any

from stand_ins.providers import StandIns


def settings(stand_ins: StandIns, public_url: str) -> dict[str, Any]:
    """Values by their names in settings/. ``public_url``: where callbacks reach the API."""
    keys = stand_ins.keys
    return {
        "public_base_url": public_url,
        "sendgrid_api_key": keys.sendgrid,
        "sendgrid_host": stand_ins.sendgrid_url,
        "sendgrid_webhook_keys": stand_ins.sendgrid_public_key,
        "twilio_account_sid": keys.twilio_account,
        "twilio_auth_token": keys.twilio_token,
        "twilio_api_key_sid": keys.twilio_key,
        "twilio_api_key_secret": keys.twilio_key_secret,
        "twilio_sender": "+15005550006",
        "twilio_host": stand_ins.twilio_url,
        "lob_api_key": keys.lob,
        "lob_sender": "Amber & Sons; 185 Berry Street; San Francisco; CA; 94107",
        "lob_webhook_secrets": keys.lob_secret,
        "lob_host": f"{stand_ins.lob_url}/v1",
        "email_per_second": 1000,
        "sms_per_second": 1000,
        "letters_per_second": 1000,
    }
