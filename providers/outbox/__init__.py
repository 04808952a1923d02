"""The outbox: where messages go when no provider is configured.

Its channels are made by the worker (``activities.outbox_channels``), because they write to our own
database, and there is one for each type of message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dunning.plan import ActionType
from providers.callback import Endpoint
from providers.outbox.account import OutboxAccount
from providers.outbox.callbacks import read, verified
from providers.provider import Provider, made, parts


def _from_settings(given: Mapping[str, str]) -> dict[str, Any]:
    return {"webhook_keys": parts(given.get("webhook_key", ""))}


PROVIDER = Provider(
    name="outbox",
    title="the outbox",
    kind=ActionType.EMAIL,  # of its callbacks; they report, and never bring a reply
    account=lambda credentials: made(OutboxAccount, "outbox", credentials),
    channel=None,
    form=None,
    first_setting="",
    from_settings=_from_settings,
    endpoints=(Endpoint(),),
    verified=verified,
    read=read,
)
