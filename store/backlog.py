"""How far behind the relay and the callbacks are: what still waits in their tables."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session


@dataclass(frozen=True, slots=True)
class Backlog:
    """``waiting``: how many rows; ``oldest_seconds``: the age of the oldest, 0 when none waits."""

    waiting: int
    oldest_seconds: float


# Both in one round trip. The age is that of the real clock, in a rehearsal too.
_READ = sa.text(
    """
    SELECT 'relay', count(*), extract(epoch FROM clock_timestamp() - min(created_at)) FROM nudge
    UNION ALL
    SELECT 'callbacks', count(*), extract(epoch FROM clock_timestamp() - min(received_at))
    FROM callback WHERE outcome = ''
    """
)


def backlogs(session: Session) -> dict[str, Backlog]:
    """By the service that works it off: ``relay`` (nudges) and ``callbacks``."""
    return {
        service: Backlog(waiting, round(max(float(age or 0), 0), 1))
        for service, waiting, age in session.connection().execute(_READ)
    }
