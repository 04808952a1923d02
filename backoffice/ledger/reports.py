"""What becomes of a report: something new, a change, a repetition, or an older version."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Change(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    STALE = "stale"  # older than what is stored: nothing was overwritten


class _Versioned(Protocol):
    source_updated_at: datetime | None


def stale(row: _Versioned, updated: datetime | None) -> bool:
    """Whether a report of the version ``updated`` is older than the stored one."""
    stored = row.source_updated_at
    return stored is not None and updated is not None and updated < stored
