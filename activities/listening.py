"""Takes work that waits in a table: at a NOTIFY, and every few seconds without one."""

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
#: Batches skip locked rows, so they wait only for locks on the whole table.
_LOCK_TIMEOUT_MS = 3000

Connection = psycopg.AsyncConnection[Any]


class Listening:
    """``name``: for the log. ``take`` takes one batch over the listening connection and returns
    whether there may be more.

    After any error of ``take`` or of the connection it goes on over a new connection, after a pause
    that grows with each error. ``outages``: errors of a server that does not answer, logged in one
    line; any other error is logged with its traceback. ``answer_within``: the most seconds for one
    answer of the database.
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
            except Exception:  # noqa: BLE001 - the loop must not end
                _log.exception("%s: failed; again in %.1f s", self._name, self._wait)
            await asyncio.sleep(self._wait)
            self._wait = min(self._wait * 2, _LONGEST_WAIT_SECONDS)

    async def _serve(self) -> None:
        # Options in the URL win over ours.
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
