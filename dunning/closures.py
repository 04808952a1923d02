"""Whether an address may be written to, decided from what was reported about it in any order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Source(StrEnum):
    """Who reported it. For each source only the latest report is kept, by the time of its event."""

    COMPLAINT = "complaint"  # reported as unwanted: only a member opens the address again
    CALLBACK = "callback"  # an unsubscription, STOP, or the opposite of either
    MEMBER = "member"  # a person of the organisation, over the API


@dataclass(frozen=True, slots=True)
class Heard:
    """One report: it closes the address, or opens it again. ``at``: time of the event, UTC."""

    source: Source
    closed: bool
    cause: str
    at: datetime
    reason: str = ""

    def replaces(self, old: Heard) -> bool:
        """Whether this report replaces ``old``, the one kept of the same source. The later one
        does.

        Of two callbacks with the same time the one that closes is kept, in whichever order they
        arrive. A member's acts arrive in order, so with the same time the second replaces the
        first.
        """
        if self.at != old.at:
            return self.at > old.at
        return self.source is Source.MEMBER or (self.closed and not old.closed)


def closing(heard: Iterable[Heard]) -> Heard | None:
    """The report that keeps the address closed; None: it is open.

    The latest report counts. Only a member can undo a complaint: later callbacks do not.
    """
    words = list(heard)
    by_member = [w for w in words if w.source is Source.MEMBER and not w.closed]
    complaints = [
        w for w in words if w.source is Source.COMPLAINT and all(m.at < w.at for m in by_member)
    ]
    others = [w for w in words if w.source is not Source.COMPLAINT]
    last = max(others, key=lambda w: (w.at, w.source is Source.MEMBER, w.closed), default=None)
    standing = [*complaints, *([last] if last is not None and last.closed else [])]
    return max(standing, key=lambda w: w.at, default=None)


def opened_at(heard: Iterable[Heard]) -> datetime | None:
    """When an open address was last opened; None if it was never closed, or is closed."""
    words = list(heard)
    if closing(words) is not None:
        return None
    return max((w.at for w in words if not w.closed), default=None)
