"""How long to wait before a provider is called again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

_LEAST_WAIT = timedelta(seconds=1)
_MOST_WAIT = timedelta(hours=1)


def bounded(wait: timedelta) -> timedelta:
    """What the provider asks, but at least a second and at most an hour."""
    return min(max(wait, _LEAST_WAIT), _MOST_WAIT)


def asked_wait(headers: Any, now: float, reset: str) -> timedelta | None:
    """What the headers of a 429 ask: Unix seconds in ``reset`` (``now`` are the same), seconds in
    Retry-After. None when they do not say."""
    for name, start in ((reset, now), ("Retry-After", 0.0)):
        value = str((headers or {}).get(name, "")).strip()
        if value.isascii() and value.isdigit() and len(value) < 12:
            return bounded(timedelta(seconds=int(value) - start))
    return None
