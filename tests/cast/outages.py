"""A PostgreSQL server for these tests alone, and its outages."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import chain

import psycopg
import sqlalchemy as sa
from sqlalchemy import Engine

from local.standalone import Embedded
from stand_ins.postgres_processes import signal_all

#: Seconds in these tests, small: what one answer of the database may take, and what a measured time
#: may take beyond its limit on a busy machine.
ANSWER, MORE = 0.25, 2.5


class Server:
    """An embedded PostgreSQL that tests may stop and kill, with one migrated database."""

    def __init__(self, embedded: Embedded, url: str) -> None:
        self.embedded, self.url = embedded, url

    def stop(self) -> None:
        signal_all(self.embedded.postgres_pid, signal.SIGSTOP)

    def go_on(self) -> None:
        signal_all(self.embedded.postgres_pid, signal.SIGCONT)

    def kill_a_backend(self) -> None:
        """Kill the process of one connection: PostgreSQL then ends all of them and recovers."""
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
            found = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
                " AND pid <> pg_backend_pid() ORDER BY state = 'active' DESC LIMIT 1"
            ).fetchone()
        assert found is not None
        os.kill(found[0], signal.SIGKILL)

    def kill(self) -> None:
        main = self.embedded.postgres_pid
        assert main is not None
        os.kill(main, signal.SIGKILL)

    def read_only(self, so: bool) -> None:
        """Refuse writes, or accept them again, and close every connection, as in a fail-over."""
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            name = connection.info.dbname
            how = "on" if so else "off"
            connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {how}')
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND pid <> pg_backend_pid()",
                (name,),
            )


#: An outage of the server or of the engine's pool, for the time of the block.
Trouble = Callable[[Server, Engine], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def stopped(server: Server, _: Engine) -> AsyncIterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.go_on()


@asynccontextmanager
async def a_backend_killed(server: Server, _: Engine) -> AsyncIterator[None]:
    await asyncio.to_thread(server.kill_a_backend)
    yield


@asynccontextmanager
async def killed_and_restarted(server: Server, _: Engine) -> AsyncIterator[None]:
    server.kill()
    yield
    await asyncio.to_thread(server.embedded.restart_postgres)


@asynccontextmanager
async def read_only(server: Server, _: Engine) -> AsyncIterator[None]:
    await asyncio.to_thread(server.read_only, True)
    yield
    await asyncio.to_thread(server.read_only, False)


@asynccontextmanager
async def a_full_pool(_: Server, engine: Engine) -> AsyncIterator[None]:
    """Take every connection of the pool."""

    def take() -> list[sa.Connection]:
        taken = []
        with contextlib.suppress(sa.exc.TimeoutError):
            while True:
                taken.append(engine.connect())
        return taken

    some = await asyncio.gather(*(asyncio.to_thread(take) for _ in range(4)))
    yield
    for connection in chain(*some):
        connection.close()
