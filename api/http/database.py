"""The transaction of a request, and how many requests of each kind may have a connection.

A request keeps its connection while it waits for a thread. If threads also waited for connections,
both could wait for ever. So each kind of request has as many places as there are connections for
it, and a request waits for a place before it takes either.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Engine
from sqlmodel import Session

from messages.processes import LIMITED_PROCESSES, LimitedProcesses
from store.engine import transaction

#: Requests at a time that have a transaction.
_REQUESTS = 26
#: Readiness probes, which must not wait behind requests.
_LOOKS = 1
#: Short links at a time.
_LINKS = 4
#: Imports at a time, each of which has a transaction of its own.
_IMPORTS = 4
#: Look-ups of keys at a time: of keys that were valid before, and of others (``api.http.gate``).
KNOWN_KEYS = 6
OTHER_KEYS = 2
#: Requests without a key that have a transaction: an invitation that is exchanged.
_WITHOUT_KEY = 2
#: Checks and previews of plans at a time, each in a process of its own (messages/processes.py).
_TEXTS = 2
#: Callbacks at a time that are verified and stored; they have threads of their own.
CALLBACKS = 8
#: The size of the connection pool: one for every place.
CONNECTIONS = (
    _REQUESTS + _LOOKS + _LINKS + _IMPORTS + KNOWN_KEYS + OTHER_KEYS + _WITHOUT_KEY + CALLBACKS
)


def _session(request: Request) -> Iterator[Session]:
    """Committed before the answer leaves, rolled back when anything was raised."""
    # Long waits for a customer's lock would use up the threads: answered with 503 instead.
    most = timedelta(milliseconds=int(request.app.state.lock_timeout_ms))
    with transaction(request.app.state.engine, lock_timeout=most) as session:
        yield session


def _now() -> datetime:
    """The real time (UTC). The organisation's own time: ``Unit.now``."""
    return datetime.now(UTC)


async def _engine(request: Request) -> AsyncIterator[Engine]:
    yield request.app.state.engine  # a place is kept until the endpoint has ended


async def _limited_processes() -> AsyncIterator[LimitedProcesses]:
    yield LIMITED_PROCESSES


Db = Annotated[Session, Depends(_session, scope="function", max_concurrency=_REQUESTS)]
DbWithoutKey = Annotated[Session, Depends(_session, scope="function", max_concurrency=_WITHOUT_KEY)]
OneLook = Annotated[Engine, Depends(_engine, scope="function", max_concurrency=_LOOKS)]
OneLink = Annotated[Engine, Depends(_engine, scope="function", max_concurrency=_LINKS)]
OneText = Annotated[
    LimitedProcesses, Depends(_limited_processes, scope="function", max_concurrency=_TEXTS)
]
OneImport = Annotated[Engine, Depends(_engine, scope="function", max_concurrency=_IMPORTS)]
Now = Annotated[datetime, Depends(_now)]
