"""What a provider tells us afterwards: callbacks, and the events and replies that are in them.

Each provider has ``verified(keys, callback, now) -> bool``, which never raises and is False without
a key, and ``read(callback, now) -> list[Event | Reply]``, which raises BadCallback.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


class BadCallback(ValueError):
    """A body that cannot be what the provider sends; the text says what is wrong. Permanent."""


@dataclass(frozen=True, slots=True)
class Callback:
    """One call, as it came in. ``url`` is how the provider knows it: the configured public address
    with the raw path and query. Names of ``headers`` are in lower case."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
