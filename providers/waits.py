"""How long to wait before a provider is called again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

_LEAST_WAIT = timedelta(seconds=1)
_MOST_WAIT = timedelta(hours=1)


def bounded(wait: timedelta) -> timedelta:
    """The wait that the provider asks for, but at least a second and at most an hour."""
    return min(max(wait, _LEAST_WAIT), _MOST_WAIT)


def asked_wait(headers: Any, now: float, reset: str) -> timedelta | None:
    """The wait that the headers of a 429 ask for: until the Unix seconds in the header ``reset``,
    or for the seconds in Retry-After. ``now`` is in Unix seconds. None if they give neither."""
    for name, start in ((reset, now), ("Retry-After", 0.0)):
        value = str((headers or {}).get(name, "")).strip()
        if value.isascii() and value.isdigit() and len(value) < 12:
            return bounded(timedelta(seconds=int(value) - start))
    return None
