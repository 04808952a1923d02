"""Work that waits in a table: taken when the database notifies, and now and then anyway."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from store import patience

_log = logging.getLogger(__name__)

_LOOK_ANYWAY_SECONDS = 5.0
_FIRST_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 15.0
#: A batch takes what nobody else holds; it only waits for one who changes the table itself.
_LOCK_TIMEOUT_MS = 3000

Connection = psycopg.AsyncConnection[Any]


class Listening:
    """``name`` says in the log who it is. ``take`` takes one batch over the listening connection
    and answers whether there may be more to take.

    Whatever ``take`` or the connection raises, it goes on: after a log line and a pause that grows,
    over a new connection, for as long as it takes. ``outages`` are the errors of a server that is
    away, told in one line; any other is a mistake of ours and is logged with its traceback.
    ``answer_within``: the most seconds for one answer of the server.
    """

    def __init__(
        self,
        name: str,
        database_url: str,
        channel: str,
        take: Callable[[Connection], Awaitable[bool]],
        outages: tuple[type[Exception], ...],
        answer_within: float = patience.ANSWER_WITHIN,
    ) -> None:
        self._name = name
        self._url = database_url.replace("postgresql+psycopg://", "postgresql://")
        self._channel = channel
        self._take = take
        self._outages = outages
        self._answer_within = answer_within
        self._wait = _FIRST_WAIT_SECONDS

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self._serve()
            except self._outages as e:
                _log.warning("%s: %s; again in %.1f s", self._name, e, self._wait)
            except Exception:  # noqa: BLE001 - nobody would notice that it has ended
                _log.exception("%s: failed; again in %.1f s", self._name, self._wait)
            await asyncio.sleep(self._wait)
            self._wait = min(self._wait * 2, _LONGEST_WAIT_SECONDS)

    async def _serve(self) -> None:
        # What the URL says stands before our own.
        where = {**patience.parameters(self._answer_within), **conninfo_to_dict(self._url)}
        async with await patience.AsyncConnection.connect(
            autocommit=True, row_factory=dict_row, **where
        ) as connection:
            connection.answer_within = self._answer_within
            await connection.execute(patience.limits(self._answer_within))
            await connection.execute(f"SET lock_timeout = {_LOCK_TIMEOUT_MS}")
            await connection.execute(f"LISTEN {self._channel}")
            while True:
                while await self._take(connection):
                    self._wait = _FIRST_WAIT_SECONDS
                self._wait = _FIRST_WAIT_SECONDS
                async for _ in connection.notifies(timeout=_LOOK_ANYWAY_SECONDS, stop_after=1):
                    pass
