"""The list of providers, and questions to all of them.

No other file has a list of providers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from importlib import import_module
from typing import Any

from dunning.plan import ActionType
from providers import links
from providers.callback import Callback
from providers.port import Channel
from providers.provider import Account, Provider, Read

#: One line for each provider: the name of its folder here, which exports ``PROVIDER``.
_FOLDERS = (
    "sendgrid",
    "twilio",
    "lob",
    "outbox",
)
PROVIDERS: dict[str, Provider[Any]] = {
    folder: import_module(f"providers.{folder}").PROVIDER for folder in _FOLDERS
}


def account(provider: str, credentials: Mapping[str, Any]) -> Account:
    """Raises ValueError that says what is missing or wrong, for impossible credentials."""
    made: Account = PROVIDERS[provider].account(credentials)
    return made


def channel(provider: str, account: Account, public_url: str) -> Channel:
    """Raises ValueError for a provider that needs our public address if there is none, and for one
    whose channels the worker makes."""
    make = PROVIDERS[provider].channel
    if make is None:
        raise ValueError(f"the channels of {provider} are made by the worker")
    made: Channel = make(account, public_url)
    return made


def installed(settings: Callable[[str], Mapping[str, str]]) -> dict[str, Account]:
    """The installation's accounts, by provider. ``settings`` gives the settings of one provider
    (``Settings.of_provider``). Raises ValueError that names the wrong setting."""
    found = {}
    for provider in PROVIDERS.values():
        given, first = settings(provider.name), provider.first_setting
        prefix = f"DUNNING_{provider.name.upper()}_"
        if not first or first in given:
            credentials = provider.from_settings(given)
            try:
                found[provider.name] = account(provider.name, credentials)
            except ValueError as error:
                raise ValueError(f"{prefix}…: {error}") from None
        elif given:
            stray = next(iter(given)).upper()
            raise ValueError(f"{prefix}{stray} is set, but {prefix}{first.upper()} is not")
    return found


def offered() -> list[Provider[Any]]:
    """The providers at which an organisation may have an account of its own."""
    return [provider for provider in PROVIDERS.values() if provider.form is not None]


def offered_for(kind: ActionType) -> list[str]:
    """The names of those that carry this type of message."""
    return [provider.name for provider in offered() if provider.kind is kind]


def title(provider: str) -> str:
    """Its name for people."""
    known = PROVIDERS.get(provider)
    return known.title if known else provider


def verified(provider: str, keys: Sequence[str], callback: Callback, now: datetime) -> bool:
    """Whether one of the keys signed the callback; False without a key. Never raises."""
    return bool(keys) and PROVIDERS[provider].verified(keys, callback, now)


def readers() -> dict[str, tuple[ActionType, Read]]:
    """By provider: the type of message of its callbacks, and the function that reads them. A
    followed short link is stored as a callback too."""
    found = {name: (provider.kind, provider.read) for name, provider in PROVIDERS.items()}
    return found | {links.LINK: (ActionType.SMS, links.read)}
