"""How much one worker process does at the same time, and how many database connections it needs."""

from __future__ import annotations

from dataclasses import dataclass

from dunning.plan import CHANNELS

#: One transaction locks a batch of callbacks, while another applies each of them.
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
        """``threads``: the setting ``worker_threads``."""
        return cls(reviews=threads, sends=max(2, threads // 3))

    @property
    def activities(self) -> int:
        """Threads: one for each slot, or an accepted activity would wait while its time-out
        runs."""
        return self.reviews + self.sends * len(CHANNELS)

    @property
    def connections(self) -> int:
        """The size of the pool: an activity uses one connection at a time, and with all slots busy
        none waits for a connection."""
        return self.activities + _CALLBACKS + _METRICS
