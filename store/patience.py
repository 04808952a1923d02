"""Time-outs of PostgreSQL.

A server that hangs (stopped, its disk stuck, its host gone) sends nothing, not even an error, and
TCP options do not help: its kernel acknowledges what we send, and a unix socket has no such
options. So every wait for an answer has an end here. The connection is closed then, because a late
answer would be read as that of the next statement. The server gives up the transaction when it
notices, or commits it if COMMIT was the last statement that it got.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg.abc import PQGen

RV = TypeVar("RV")

#: Seconds for one answer of the server, by default.
ANSWER_WITHIN = 15.0
#: The server ends a transaction that is idle for longer: its client is dead, and it holds locks.
IDLE_SECONDS = 60
#: Options of libpq and the kernel, unless the URL has others. They detect that a host or a network
#: is gone: nothing is acknowledged for 15 s.
TCP: dict[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
#: Seconds for a ROLLBACK when the time of a request is over.
_ROLLBACK_SECONDS = 0.2
#: libpq takes whole seconds, two at least.
_CONNECT_AT_LEAST = 2


class DidNotAnswer(psycopg.OperationalError):
    """PostgreSQL did not answer in time; the connection is closed."""


class Clock:
    """The time limit of a request. It can be stopped while the client is waited for.

    ``seconds``: for the whole request; ``answer_within``: for one answer of the database.
    """

    def __init__(
        self,
        seconds: float,
        answer_within: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.answer_within = answer_within
        self._now = now
        self._end = now() + seconds
        self._stopped_at: float | None = None

    def left(self) -> float:
        """Seconds left; negative when the time is over."""
        return self._end - (self._now() if self._stopped_at is None else self._stopped_at)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        self._stopped_at = began = self._now()
        try:
            yield
        finally:
            self._stopped_at = None
            self._end += self._now() - began


_clock: ContextVar[Clock | None] = ContextVar("clock", default=None)


@contextmanager
def on(clock: Clock) -> Iterator[None]:
    """Limit every wait for the database in this context, its threads and tasks included, to the
    time of this clock."""
    token = _clock.set(clock)
    try:
        yield
    finally:
        _clock.reset(token)


def most(seconds: float) -> float:
    """Seconds to wait for an answer that may take ``seconds`` without a clock."""
    clock = _clock.get()
    if clock is None:
        return seconds
    return max(min(seconds, clock.answer_within, clock.left()), _ROLLBACK_SECONDS)


def is_over() -> bool:
    """Whether the time of the request is over: its client has had an answer by then."""
    clock = _clock.get()
    return clock is not None and clock.left() <= 0


def parameters(seconds: float) -> dict[str, Any]:
    """The options for connecting: of TCP, and the time-out. Raises DidNotAnswer when the time of
    the request is over already."""
    if is_over():
        raise DidNotAnswer("no time is left to connect to PostgreSQL")
    return {**TCP, "connect_timeout": max(_CONNECT_AT_LEAST, math.floor(most(seconds)))}


def limits(seconds: float) -> str:
    """The statement that sets the server's own limits for a new connection: it ends a statement
    that takes longer, notices within a second that we are gone, and ends an idle transaction."""
    milliseconds = math.ceil(seconds * 1000)
    return (
        f"SET statement_timeout = {milliseconds};"
        f"SET idle_in_transaction_session_timeout = {IDLE_SECONDS * 1000};"
        "SET client_connection_check_interval = 1000"
    )


class Connection(psycopg.Connection[Any]):
    """Waits at most ``answer_within`` seconds for each answer, and no longer than the clock."""

    answer_within = ANSWER_WITHIN

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        if timeout is not None:  # for a notification, which need not come
            return super().wait(gen, interval, timeout)
        seconds = most(self.answer_within)
        try:
            return super().wait(gen, interval, seconds)
        except errors._WaitTimeout:
            self.pgconn.finish()
            raise _silence(seconds) from None


class AsyncConnection(psycopg.AsyncConnection[Any]):
    """The same, for a service with asyncio."""

    answer_within = ANSWER_WITHIN

    async def wait(
        self,
        gen: PQGen[RV],
        interval: float = 0.1,
        timeout: float | None = None,  # noqa: ASYNC109 - psycopg's own
    ) -> RV:
        if timeout is not None:
            return await super().wait(gen, interval, timeout)
        seconds = most(self.answer_within)
        try:
            return await super().wait(gen, interval, seconds)
        except errors._WaitTimeout:
            self.pgconn.finish()
            raise _silence(seconds) from None


def driver() -> ModuleType:
    """The psycopg module for SQLAlchemy, with our connections."""
    ours = ModuleType("psycopg")
    vars(ours).update(vars(psycopg))
    vars(ours)["connect"] = Connection.connect
    return ours


def _silence(seconds: float) -> DidNotAnswer:
    return DidNotAnswer(f"PostgreSQL did not answer within {seconds:.1f} s")
