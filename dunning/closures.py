"""Whether an address may be written to, from what was heard about it in any order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Source(StrEnum):
    """Who said it. Of each source its latest word is kept, by the time of the event."""

    COMPLAINT = "complaint"  # reported as unwanted: closes, and only a member opens it again
    CALLBACK = "callback"  # an unsubscription, STOP, or the opposite of either
    MEMBER = "member"  # a person of the organisation, over the API


@dataclass(frozen=True, slots=True)
class Heard:
    """One word about an address: it closes it, or opens it again. ``at``: of the event, UTC."""

    source: Source
    closed: bool
    cause: str
    at: datetime
    reason: str = ""

    def replaces(self, old: Heard) -> bool:
        """Whether it is the later word of the same source. Of two callbacks of the same instant
        the one that closes stays, so that the order in which they come never shows; a member's
        acts come in order."""
        if self.at != old.at:
            return self.at > old.at
        return self.source is Source.MEMBER or (self.closed and not old.closed)


def closing(heard: Iterable[Heard]) -> Heard | None:
    """The word that keeps the address closed, None = it is open.

    The latest word holds. A complaint stands until a member has opened the address after it,
    whatever callbacks say.
    """
    words = list(heard)
    by_member = [w for w in words if w.source is Source.MEMBER and not w.closed]
    complaints = [
        w for w in words
        if w.source is Source.COMPLAINT and all(m.at < w.at for m in by_member)
    ]  # fmt: skip
    others = [w for w in words if w.source is not Source.COMPLAINT]
    last = max(others, key=lambda w: (w.at, w.source is Source.MEMBER, w.closed), default=None)
    standing = [*complaints, *([last] if last is not None and last.closed else [])]
    return max(standing, key=lambda w: w.at, default=None)


def opened_at(heard: Iterable[Heard]) -> datetime | None:
    """When an address that is open was last opened, None when it never was closed or still is."""
    words = list(heard)
    if closing(words) is not None:
        return None
    return max((w.at for w in words if not w.closed), default=None)
