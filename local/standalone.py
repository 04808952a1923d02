"""PostgreSQL and the Temporal dev server, embedded: for one machine, for tests and rehearsals.

    with Embedded(Path(".dunning"), temporal=TemporalOptions(port=7233)) as services:
        services.database_url       # postgresql+psycopg://…
        services.temporal_address   # 127.0.0.1:7233

Everything is in one state directory, on loopback or a unix socket. Both servers start at the same
time and are polled until they answer. Every error is a `StandaloneError` and says what to change
(local/embedded/errors.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from local.embedded import databases
from local.embedded.errors import NotStarted, PortTaken, StandaloneError, StateDirBusy
from local.embedded.postgres import Postgres
from local.embedded.private import close_state_dir
from local.embedded.state_dir import lock_state_dir
from local.embedded.temporal import Temporal, TemporalOptions
from local.embedded.temporal import executable as temporal_executable
from local.embedded.watcher import Watcher

__all__ = [
    "Embedded",
    "NotStarted",
    "PortTaken",
    "Services",
    "StandaloneError",
    "StateDirBusy",
    "TemporalOptions",
    "create_database",
    "drop_database",
    "temporal_executable",
]

_DEFAULT = TemporalOptions()


@dataclass(frozen=True)
class Services:
    """The addresses of the services; empty for one that was not started."""

    database_url: str
    temporal_address: str
    temporal_ui_url: str | None


class Embedded:
    """The embedded services of one state directory, as a context manager.

    `temporal=None` starts no Temporal. `durable=False` is faster, but a power cut may lose data
    (for tests, rehearsals). Raises `StandaloneError`. On exit every process that it started has
    ended; if this process is killed, they end a little later.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        postgres: bool = True,
        temporal: TemporalOptions | None = _DEFAULT,
        durable: bool = True,
    ) -> None:
        self.state_dir = state_dir.expanduser().resolve()
        self._postgres = Postgres(self.state_dir, durable=durable)
        self._temporal = Temporal(self.state_dir, temporal or _DEFAULT, durable=durable)
        # Temporal first, because it starts while PostgreSQL makes its files.
        asked = ((self._temporal, temporal is not None), (self._postgres, postgres))
        self._asked: list[Postgres | Temporal] = [service for service, wanted in asked if wanted]
        self._watcher: Watcher | None = None
        self._lock: IO[str] | None = None

    def __enter__(self) -> Services:
        self.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = lock_state_dir(self.state_dir)
        try:
            close_state_dir(self.state_dir)
            self._watcher = Watcher()
            self._postgres.end_leftover()
            self._temporal.end_leftover()
            for service in self._asked:
                service.start(self._watcher)
            for service in reversed(self._asked):
                service.wait_until_ready(self._watcher)
        except BaseException:
            self._end()
            raise
        return self.services

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        for service in self._asked:
            service.server.ask_to_end()
        for service in self._asked:
            service.server.wait_until_ended()
        self._postgres.clear_up()
        if self._watcher:
            self._watcher.end()
        if self._lock:
            self._lock.close()

    @property
    def services(self) -> Services:
        """The addresses of the services, once they have started."""
        return Services(
            database_url=self._postgres.url if self._postgres in self._asked else "",
            temporal_address=self._temporal.address if self._temporal in self._asked else "",
            temporal_ui_url=self._temporal.ui_url,
        )

    @property
    def postgres_pid(self) -> int | None:
        """Process id of PostgreSQL, None when it does not run."""
        return self._postgres.server.pid

    @property
    def temporal_pid(self) -> int | None:
        """Process id of the Temporal server, None when it does not run."""
        return self._temporal.server.pid

    def restart_postgres(self) -> None:
        """Kill -9 PostgreSQL if it still runs, and start it again on the same files."""
        self._restart(self._postgres)

    def restart_temporal(self) -> None:
        """Kill -9 Temporal if it still runs, and start it again on the same file and ports."""
        self._restart(self._temporal)

    def _restart(self, service: Postgres | Temporal) -> None:
        assert self._watcher, "not started"
        service.server.kill()
        service.start(self._watcher)
        service.wait_until_ready(self._watcher)


def create_database(services: Services, name: str, template: str | None = None) -> str:
    """Creates a database, as a copy of `template` if given (which must have no connections).

    Returns its URL. A copy of a migrated template takes about 50 ms.
    """
    return databases.create_database(services.database_url, name, template)


def drop_database(services: Services, name: str) -> None:
    """Drop a database if it exists; open connections to it are closed."""
    databases.drop_database(services.database_url, name)
