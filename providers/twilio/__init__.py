"""SMS through Twilio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dunning.plan import ActionType
from providers.callback import Endpoint
from providers.provider import Provider, made, parts
from providers.twilio.account import TwilioAccount
from providers.twilio.callbacks import read, verified
from providers.twilio.form import TwilioIn
from providers.twilio.send import Twilio


def _from_settings(given: Mapping[str, str]) -> dict[str, Any]:
    return {**given, "webhook_tokens": parts(given.get("webhook_tokens", ""))}


def _channel(account: TwilioAccount, public_url: str) -> Twilio:
    if not public_url:
        raise ValueError("Twilio needs our public address to report what becomes of a message")
    return Twilio(account, public_url)


PROVIDER = Provider(
    name="twilio",
    title="Twilio",
    kind=ActionType.SMS,
    account=lambda credentials: made(TwilioAccount, "twilio", credentials),
    channel=_channel,
    form=TwilioIn,
    first_setting="account_sid",
    from_settings=_from_settings,
    endpoints=(
        Endpoint(path="/status", of_delivery=True),
        Endpoint(path="/inbound", purpose="replies"),
    ),
    verified=verified,
    read=read,
    kept_headers=("i-twilio-idempotency-token",),
    answer=("<Response/>", "text/xml"),  # TwiML without a message: we send no answer
)
