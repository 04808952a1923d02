"""Email through SendGrid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dunning.plan import ActionType
from providers.callback import Endpoint
from providers.provider import Provider, made, parts
from providers.sendgrid.account import SendGridAccount
from providers.sendgrid.callbacks import read, verified
from providers.sendgrid.form import SendGridIn
from providers.sendgrid.send import SendGrid

#: Bytes: the largest email from a customer, with its attachments.
_MAX_REPLY = 31_000_000


def _from_settings(given: Mapping[str, str]) -> dict[str, Any]:
    return {**given, "webhook_keys": parts(given.get("webhook_keys", ""))}


PROVIDER = Provider(
    name="sendgrid",
    title="SendGrid",
    kind=ActionType.EMAIL,
    account=lambda credentials: made(SendGridAccount, "sendgrid", credentials),
    channel=lambda account, public_url: SendGrid(account),
    form=SendGridIn,
    first_setting="api_key",
    from_settings=_from_settings,
    endpoints=(
        Endpoint(purpose="events"),
        Endpoint(path="/inbound", purpose="replies", max_body=_MAX_REPLY),
    ),
    verified=verified,
    read=read,
)
