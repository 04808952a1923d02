"""Letters through Lob."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dunning.plan import ActionType
from messages.message import Postal
from providers.callback import Endpoint
from providers.lob.account import LobAccount
from providers.lob.callbacks import read, verified
from providers.lob.form import LobIn
from providers.lob.send import Lob
from providers.port import Channel
from providers.provider import Provider, made, parts


def _account(credentials: Mapping[str, Any]) -> LobAccount:
    """The sender's address is stored as JSON."""
    sender = credentials.get("sender")
    if not isinstance(sender, Mapping):
        return made(LobAccount, "lob", credentials)
    try:
        return made(LobAccount, "lob", {**credentials, "sender": Postal(**sender)})
    except TypeError as error:
        raise ValueError(f"lob: {error}") from None


def _from_settings(given: Mapping[str, str]) -> dict[str, Any]:
    """``DUNNING_LOB_SENDER`` is the name and the address in one line."""
    name, *address = [part.strip() for part in given.get("sender", "").split(";")]
    if len(address) != 4:
        raise ValueError(
            "DUNNING_LOB_SENDER: write the name and the address in the US, as "
            "'Amber & Sons; 185 Berry St; San Francisco; CA; 94107'"
        )
    parts_of_address = dict(zip(("line1", "city", "region", "postal_code"), address, strict=True))
    return {
        **given,
        "sender_name": name,
        "sender": {**parts_of_address, "country": "US"},
        "webhook_secrets": parts(given.get("webhook_secrets", "")),
    }


def _channel(account: LobAccount, public_url: str) -> Channel:
    return Lob(account)


PROVIDER = Provider(
    name="lob",
    title="Lob",
    kind=ActionType.LETTER,
    account=_account,
    channel=_channel,
    form=LobIn,
    first_setting="api_key",
    from_settings=_from_settings,
    endpoints=(Endpoint(purpose="events"),),
    verified=verified,
    read=read,
)
