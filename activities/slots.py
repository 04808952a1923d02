"""How much one worker process does at the same time, and the database connections that takes."""

from __future__ import annotations

from dataclasses import dataclass

from dunning.plan import CHANNELS

#: A batch of callbacks is locked by one transaction while each of it is taken in by another.
_CALLBACKS = 2
#: The figures for Prometheus.
_METRICS = 1
#: The relay and the callbacks each listen on a connection of their own, outside the pool.
LISTENING = 2


@dataclass(frozen=True, slots=True)
class Slots:
    """``reviews`` on the queue of the sequences, ``sends`` on the queue of each channel."""

    reviews: int
    sends: int

    @classmethod
    def of(cls, threads: int) -> Slots:
        """Of the setting ``worker_threads``."""
        return cls(reviews=threads, sends=max(2, threads // 3))

    @property
    def activities(self) -> int:
        """Each slot has a thread, or an accepted activity would wait while its time runs."""
        return self.reviews + self.sends * len(CHANNELS)

    @property
    def connections(self) -> int:
        """The size of the pool: no activity uses more than one connection at a time, and with all
        slots busy nobody waits for one."""
        return self.activities + _CALLBACKS + _METRICS
