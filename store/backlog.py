"""The backlog of the relay and of the callbacks: the rows that wait in their tables."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session


@dataclass(frozen=True, slots=True)
class Backlog:
    """``waiting``: how many rows; ``oldest_seconds``: the age of the oldest, 0 when none waits."""

    waiting: int
    oldest_seconds: float


# One statement for both. The age is on the real clock, in a rehearsal too.
_READ = sa.text(
    """
    SELECT 'relay', count(*), extract(epoch FROM clock_timestamp() - min(created_at)) FROM nudge
    UNION ALL
    SELECT 'callbacks', count(*), extract(epoch FROM clock_timestamp() - min(received_at))
    FROM callback WHERE outcome = ''
    """
)


def backlogs(session: Session) -> dict[str, Backlog]:
    """The backlog by service: ``relay`` (nudges) and ``callbacks``."""
    return {
        service: Backlog(waiting, round(max(float(age or 0), 0), 1))
        for service, waiting, age in session.connection().execute(_READ)
    }
