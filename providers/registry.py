"""The accounts at the providers: from stored credentials to a channel, and who may call back.

The same for the installation's accounts (settings) and an organisation's own (the database).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from dunning.learnt import Event, Reply
from dunning.plan import ActionType
from messages.message import Postal
from providers import links
from providers.callback import Callback
from providers.lob import callbacks as lob_callbacks
from providers.lob.account import LobAccount
from providers.lob.send import Lob
from providers.outbox import callbacks as outbox
from providers.port import Channel
from providers.sendgrid import callbacks as sendgrid_callbacks
from providers.sendgrid.account import SendGridAccount
from providers.sendgrid.send import SendGrid
from providers.twilio import callbacks as twilio_callbacks
from providers.twilio.account import TwilioAccount
from providers.twilio.send import Twilio

Account = SendGridAccount | TwilioAccount | LobAccount

#: The provider of each channel.
PROVIDER = {
    ActionType.EMAIL: "sendgrid",
    ActionType.SMS: "twilio",
    ActionType.LETTER: "lob",
}
_ACCOUNTS: dict[str, Callable[..., Account]] = {
    "sendgrid": SendGridAccount,
    "twilio": TwilioAccount,
    "lob": LobAccount,
}
#: Who reads a provider's callbacks, and the channel that they are about; the outbox is any. Links
#: that were followed are read here too.
READERS: dict[str, tuple[ActionType, Callable[[Callback, datetime], list[Event | Reply]]]] = {
    "sendgrid": (ActionType.EMAIL, sendgrid_callbacks.read),
    "twilio": (ActionType.SMS, twilio_callbacks.read),
    "lob": (ActionType.LETTER, lob_callbacks.read),
    "outbox": (ActionType.EMAIL, outbox.read),
    links.LINK: (ActionType.SMS, links.read),
}


def account(provider: str, credentials: Mapping[str, Any]) -> Account:
    """Raises ValueError, with what is missing or wrong, for credentials that cannot be right."""
    make = _ACCOUNTS[provider]
    known = {f.name for f in fields(make)}  # type: ignore[arg-type]
    unknown = sorted(set(credentials) - known)
    if unknown:
        raise ValueError(f"{provider} knows no {unknown[0]!r}; it has {', '.join(sorted(known))}")
    values = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in credentials.items()
    }
    try:
        sender = values.get("sender")
        if isinstance(sender, Mapping):
            values["sender"] = Postal(**sender)
        return make(**values)
    except TypeError as error:
        raise ValueError(f"{provider}: {error}") from None


def channel(account: Account, public_url: str) -> Channel:
    """Raises ValueError for one that needs to be called back and cannot be."""
    if isinstance(account, SendGridAccount):
        return SendGrid(account)
    if isinstance(account, LobAccount):
        return Lob(account)
    if not public_url:
        raise ValueError("Twilio needs our public address to report what becomes of a message")
    return Twilio(account, public_url)


def keys_of(account: Account) -> tuple[str, ...]:
    """What signs this account's callbacks; none = they are refused."""
    if isinstance(account, SendGridAccount):
        return account.webhook_keys
    if isinstance(account, TwilioAccount):
        return account.webhook_tokens
    return account.webhook_secrets


def verified(provider: str, keys: Sequence[str], callback: Callback, now: datetime) -> bool:
    """Whether one of the keys signed the callback; never without a key. Never raises."""
    if not keys:
        return False
    if provider == "twilio":  # signs no time
        return twilio_callbacks.verified(keys, callback, now)
    if provider == "outbox":
        return outbox.verified(keys, callback, now)
    if provider == "sendgrid":
        return sendgrid_callbacks.verified(keys, callback, now)
    return lob_callbacks.verified(keys, callback, now)
