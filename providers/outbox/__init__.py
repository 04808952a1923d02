"""The outbox: where messages go when no provider is configured.

The worker makes its channels (``activities.outbox_channels``), one for each type of message,
because they write to our own database.
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
    kind=ActionType.EMAIL,  # for its callbacks: they are reports, never replies
    account=lambda credentials: made(OutboxAccount, "outbox", credentials),
    channel=None,
    form=None,
    first_setting="",
    from_settings=_from_settings,
    endpoints=(Endpoint(),),
    verified=verified,
    read=read,
)
