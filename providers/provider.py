"""What the registry has for each provider: everything that the rest of the system needs of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from dunning.learnt import Reply, Report
from dunning.plan import ActionType
from providers.callback import Callback, Endpoint
from providers.form import Form
from providers.port import Channel


class Account(Protocol):
    """One account at a provider: its credentials, checked when it is made."""

    @property
    def mark(self) -> str:
        """Identifies the account and is no secret (``providers.fingerprint``)."""

    @property
    def signing_keys(self) -> tuple[str, ...]:
        """The keys that verify this account's callbacks; if it has none, callbacks are refused."""


Read = Callable[[Callback, datetime], list[Report | Reply]]
A = TypeVar("A", bound=Account)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Generic[A]):
    """One provider. Its folder exports it as ``PROVIDER``.

    ``name`` is used in addresses, settings and stored deliveries, ``title`` is for people, ``kind``
    is the type of message that it carries.

    ``account`` makes an account from stored credentials; ``channel`` makes the account's channel,
    with our public address. Both raise ValueError that says what is wrong. ``channel`` None: the
    worker makes its channels itself. ``form``: what an admin enters for an organisation's own
    account; None = organisations cannot have one here.

    ``first_setting``: without ``DUNNING_<NAME>_<FIRST_SETTING>`` the installation has no account
    here; empty = it always has one. ``from_settings`` makes credentials from all
    ``DUNNING_<NAME>_…`` that are set, keyed by the rest of their names; raises ValueError that
    names the setting.

    ``verified(keys, callback, now)`` says whether one of the keys signed the callback; it is False
    without a key and never raises. ``read(callback, now)`` raises BadCallback. ``now`` is UTC.
    ``kept_headers``: headers that ``read`` needs besides the content type. ``answer``: the body and
    media type of our answer to a callback; None = 204.
    """

    name: str
    title: str
    kind: ActionType
    account: Callable[[Mapping[str, Any]], A]
    channel: Callable[[A, str], Channel] | None
    form: type[Form] | None
    first_setting: str
    from_settings: Callable[[Mapping[str, str]], dict[str, Any]]
    endpoints: tuple[Endpoint, ...]
    verified: Callable[[Sequence[str], Callback, datetime], bool]
    read: Read
    kept_headers: tuple[str, ...] = ()
    answer: tuple[str, str] | None = None


def made(kind: Callable[..., A], provider: str, credentials: Mapping[str, Any]) -> A:
    """An account of the dataclass ``kind``. Raises ValueError for unknown names."""
    known = getattr(kind, "__dataclass_fields__", {})
    unknown = sorted(set(credentials) - set(known))
    if unknown:
        raise ValueError(f"{provider} knows no {unknown[0]!r}; it has {', '.join(sorted(known))}")
    values = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in credentials.items()
    }
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"{provider}: {error}") from None


def parts(text: str) -> tuple[str, ...]:
    """The parts of a setting that is a list, separated by commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
