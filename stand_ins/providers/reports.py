"""The sender of callbacks: late, twice, out of order, and retried until our side accepts them."""

from __future__ import annotations

import heapq
import http.client
import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

#: Makes the body of one post out of its events, with the headers that sign it.
Seal = Callable[[Sequence[Any]], tuple[bytes, Mapping[str, str]]]

_MOST_WAIT = 2.0
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Habits:
    """Shares are between 0 and 1, times in seconds.

    ``delay``: the longest wait before an event is posted; each event waits on its own, so they
    come out of order. ``twice``: events posted a second time. ``early``: messages whose first
    event is posted before the answer to the request. ``opened``: emails that are opened.
    ``failing``: recipients that are not reached. ``again``: the wait before the first retry,
    doubled each time up to two seconds, for at most ``retry_for``; ``patience``: how long an
    answer of ours is waited for.
    """

    delay: float = 0.2
    twice: float = 0.2
    early: float = 0.2
    opened: float = 0.2
    failing: float = 0.0
    again: float = 0.1
    retry_for: float = 60.0
    patience: float = 5.0


@dataclass(frozen=True, slots=True)
class Counts:
    """``posts`` with ``retries`` among them; ``taken``: answered with 2xx; ``abandoned``: given
    up. ``statuses``: our answers, 0 = none came. ``answer_times``: seconds of each answer."""

    posts: int = 0
    retries: int = 0
    taken: int = 0
    abandoned: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    answer_times: tuple[float, ...] = ()

    @property
    def slowest(self) -> float:
        return max(self.answer_times, default=0.0)


@dataclass(slots=True)
class _Post:
    path: str
    events: list[Any]
    seal: Seal
    batch: str
    wait: float
    give_up_at: float
    sealed: tuple[bytes, Mapping[str, str]] | None = None


class Sender:
    """``to`` is the base address of our side on this machine, None = no callbacks."""

    def __init__(self, to: str | None, habits: Habits, seed: int) -> None:
        self.aim(to)
        self.habits = habits
        self._chance = random.Random(f"{seed} reports")
        self._changed = threading.Condition()
        self._queue: list[tuple[float, int, _Post]] = []
        self._order = itertools.count()
        self._busy = 0
        self._closed = False
        self._counts = Counts()
        self._times: list[float] = []
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(4)]

    def aim(self, to: str | None) -> None:
        """Send events to this address from now on. Raises ValueError for another machine's."""
        if to is not None and urlsplit(to).hostname not in {"127.0.0.1", "localhost"}:
            raise ValueError(f"{to!r} is not on this machine")
        self._to = to

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Drops what is still waiting."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(self.habits.patience + 1)

    def chance(self, share: float) -> bool:
        return self._chance.random() < share

    def report(self, path: str, events: Sequence[Any], seal: Seal, batch: str = "") -> None:
        """Posts each event on its own, or together with events of the same ``batch`` that are due
        at the same time. If the first is chosen to come early, returns after it was posted."""
        if self._to is None:
            return
        early = self.chance(self.habits.early)
        for n, event in enumerate(events):
            if early and n == 0:
                with self._changed:
                    self._busy += 1
                self._post(self._new(path, event, seal, batch))
            else:
                self._later(self._new(path, event, seal, batch))
            if self.chance(self.habits.twice):
                self._later(self._new(path, event, seal, batch))

    def counts(self) -> Counts:
        with self._changed:
            statuses = self._counts.statuses.copy()
            return replace(self._counts, statuses=statuses, answer_times=tuple(self._times))

    def wait_until_quiet(self, timeout: float) -> bool:
        """Whether everything is posted within ``timeout`` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue and not self._busy, timeout)

    def _new(self, path: str, event: Any, seal: Seal, batch: str) -> _Post:
        end = time.monotonic() + self.habits.delay + self.habits.retry_for
        return _Post(path, [event], seal, batch, self.habits.again, end)

    def _later(self, post: _Post) -> None:
        self._push(post, self._chance.uniform(0, self.habits.delay))

    def _push(self, post: _Post, wait: float) -> None:
        with self._changed:
            entry = (time.monotonic() + wait, next(self._order), post)
            heapq.heappush(self._queue, entry)
            self._changed.notify_all()

    def _work(self) -> None:
        while (post := self._next()) is not None:
            self._post(post)

    def _next(self) -> _Post | None:
        with self._changed:
            while not self._closed:
                wait = self._queue[0][0] - time.monotonic() if self._queue else None
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                    continue
                post = heapq.heappop(self._queue)[2]
                if post.batch and post.sealed is None:
                    self._gather(post)
                self._busy += 1
                return post
        return None

    def _gather(self, post: _Post) -> None:
        """Adds other due events of the batch; a body that was signed before stays unchanged."""
        now = time.monotonic()
        waiting = []
        for entry in self._queue:
            due, _, other = entry
            room = len(post.events) < _BATCH
            if room and due <= now and other.batch == post.batch and other.sealed is None:
                post.events += other.events
            else:
                waiting.append(entry)
        heapq.heapify(waiting)
        self._queue = waiting

    def _post(self, post: _Post) -> None:
        again = post.sealed is not None
        if post.sealed is None:
            post.sealed = post.seal(post.events)
        began = time.monotonic()
        status = self._ask(post.path, *post.sealed)
        ended = time.monotonic()
        late = ended + post.wait > post.give_up_at
        with self._changed:
            counts = self._counts
            counts.statuses[status] += 1
            if status:
                self._times.append(ended - began)
            taken = 200 <= status < 300
            self._counts = replace(
                counts,
                posts=counts.posts + 1,
                retries=counts.retries + again,
                taken=counts.taken + taken,
                abandoned=counts.abandoned + (not taken and late),
            )
            if not taken and not late:
                self._push(post, post.wait)
                post.wait = min(post.wait * 2, _MOST_WAIT)
            self._busy -= 1
            self._changed.notify_all()

    def _ask(self, path: str, body: bytes, headers: Mapping[str, str]) -> int:
        address = urlsplit(self._to or "http://127.0.0.1:9")
        peer = http.client.HTTPConnection(
            address.hostname or "", address.port or 80, timeout=self.habits.patience
        )
        try:
            peer.request("POST", path, body, dict(headers))
            response = peer.getresponse()
            response.read()
            return response.status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            peer.close()
