"""Our own gauges, on the same Prometheus endpoint as the metrics of the Temporal SDK.

A *reading* returns figures from the database. To add one, write a function
``(Session) -> Iterable[Figure]`` and put it into ``READINGS``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session
from temporalio.common import MetricMeter

from backoffice.delivery import callbacks
from backoffice.people.held_shown import held_now, waiting_everywhere
from store.backlog import backlogs
from store.engine import transaction

_log = logging.getLogger(__name__)

_EVERY_SECONDS = 15.0
_LOCK_TIMEOUT = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Figure:
    """One value of a gauge. ``name``: as Prometheus wants it (``dunning_…``, with its unit at the
    end); ``value``: 0 or more; ``labels``: few, with few values, so never a customer."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


Reading = Callable[[Session], Iterable[Figure]]


def behind(session: Session) -> Iterable[Figure]:
    """``dunning_relay_…`` and ``dunning_callbacks_…``: how many wait, and the age of the oldest."""
    for service, backlog in backlogs(session).items():
        yield Figure(f"dunning_{service}_waiting", backlog.waiting)
        yield Figure(f"dunning_{service}_oldest_seconds", backlog.oldest_seconds)


def held(session: Session) -> Iterable[Figure]:
    """``dunning_held_accounts``: accounts that their provider refuses. ``dunning_held_messages``:
    due messages of their channel, an upper bound when other accounts of the channel work."""
    now = datetime.now(UTC)
    for (provider, channel), accounts in held_now(session).items():
        yield Figure("dunning_held_accounts", accounts, {"provider": provider})
        messages = waiting_everywhere(session, channel, now)
        yield Figure("dunning_held_messages", messages, {"channel": channel})


def left(session: Session) -> Iterable[Figure]:
    """``dunning_callbacks_left``: refused and unmatched callbacks, which a person should see."""
    for provider, outcome, count in callbacks.left(session):
        labels = {"provider": provider, "outcome": outcome}
        yield Figure("dunning_callbacks_left", count, labels)


READINGS: tuple[Reading, ...] = (behind, held, left)


class Metrics:
    """``run`` until cancelled: every ``every`` seconds each reading sets its gauges. A gauge that a
    reading no longer returns is set to 0. A reading that fails is logged and skipped; its gauges
    keep their last value."""

    def __init__(
        self,
        engine: Engine,
        meter: MetricMeter,
        readings: Sequence[Reading] = READINGS,
        every: float = _EVERY_SECONDS,
    ) -> None:
        self._engine = engine
        self._meter = meter
        self._every = every
        self._shown: dict[Reading, set[tuple[str, tuple[tuple[str, str], ...]]]] = {
            reading: set() for reading in readings
        }

    async def run(self) -> None:
        while True:
            await asyncio.to_thread(self.read)
            await asyncio.sleep(self._every)

    def read(self) -> None:
        """Every reading once. Never raises."""
        for reading in self._shown:
            try:
                with transaction(self._engine, lock_timeout=_LOCK_TIMEOUT) as session:
                    figures = list(reading(session))
                self._show(reading, figures)
            except Exception as e:  # noqa: BLE001 - a missing figure must stop nothing
                _log.warning("metrics: %s could not be read: %s", reading.__name__, e)

    def _show(self, reading: Reading, figures: Iterable[Figure]) -> None:
        now = {(f.name, tuple(sorted(f.labels.items()))): f.value for f in figures}
        for name, labels in self._shown[reading] - now.keys():
            self._set(name, labels, 0)
        for (name, labels), value in now.items():
            self._set(name, labels, value)
        self._shown[reading] = set(now)

    def _set(self, name: str, labels: tuple[tuple[str, str], ...], value: float) -> None:
        self._meter.create_gauge_float(name).set(value, dict(labels))
