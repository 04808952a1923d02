"""What a provider tells us afterwards: callbacks, and the events and replies that are in them.

Each provider has ``verified(keys, callback, now) -> bool``, which never raises and is False without
a key, and ``read(callback, now) -> list[Event | Reply]``, which raises BadCallback.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from dunning.delivery import Fact


class BadCallback(ValueError):
    """A body that cannot be what the provider sends; the text says what is wrong. Permanent."""


@dataclass(frozen=True, slots=True)
class Callback:
    """One call, as it came in. ``url`` is how the provider knows it: the configured public address
    with the raw path and query. Names of ``headers`` are in lower case."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One report about one message.

    ``at`` is UTC. ``delivery_id`` is ours, empty where the provider does not say it; ``address``
    is one of its recipients, empty = all of them. ``reason`` is in plain words. ``key`` is the
    provider's own id of the report: for people, never to tell two reports apart.
    """

    fact: Fact
    at: datetime
    delivery_id: str = ""
    provider_id: str = ""
    address: str = ""
    reason: str = ""
    code: str = ""
    key: str = ""
    tracking_number: str = ""


class Wish(StrEnum):
    """What a short answer asks of the channel."""

    STOP = "stop"
    START = "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A message that a customer wrote back.

    ``reference`` is the id of the delivery it answers, where the address or a header says it;
    ``automatic``: an absence note or another answer of a machine.
    """

    at: datetime
    sender: str
    to: str
    text: str
    subject: str = ""
    provider_id: str = ""
    reference: str = ""
    automatic: bool = False
    wish: Wish | None = None
