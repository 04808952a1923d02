"""PostgreSQL and the Temporal dev server, embedded: for one machine, for tests and rehearsals.

    with Embedded(Path(".dunning"), temporal_port=7233, ui_port=8233) as services:
        services.database_url       # postgresql+psycopg://…
        services.temporal_address   # 127.0.0.1:7233

Everything lives in one state directory, on loopback or a unix socket. Both servers start side by
side and are polled until they answer. Errors are those of local/embedded/processes.py, all of them
`StandaloneError`, and each says what to change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from local.embedded import postgres as pg
from local.embedded.postgres import Postgres
from local.embedded.private import close_state_dir
from local.embedded.processes import (
    NotStarted,
    PortTaken,
    StandaloneError,
    StateDirBusy,
    Watcher,
    lock_state_dir,
)
from local.embedded.temporal import Temporal
from local.embedded.temporal import executable as temporal_executable

__all__ = [
    "Embedded",
    "NotStarted",
    "PortTaken",
    "Services",
    "StandaloneError",
    "StateDirBusy",
    "create_database",
    "drop_database",
    "temporal_executable",
]


@dataclass(frozen=True)
class Services:
    """Where the services are. A service that was not asked for has an empty address."""

    database_url: str
    temporal_address: str
    temporal_ui_url: str | None


class Embedded:
    """The embedded services of one state directory, as a context manager.

    `temporal_port`: 0 or None takes a free one. `ui_port`: None means no UI, 0 a free one.
    `in_memory_temporal` forgets every workflow at the end; `time_skipping` lets workflows skip
    time; `durable=False` gives up safety against a power cut for speed (tests, rehearsals);
    `ui_codec` is where the UI has payloads decrypted.
    `temporal_config` is Temporal's dynamic configuration, by its own names.
    Raises `StandaloneError`. On exit every process it started has ended; so they do, a little
    later, when this process is killed.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        temporal_port: int | None = None,
        ui_port: int | None = None,
        postgres: bool = True,
        temporal: bool = True,
        in_memory_temporal: bool = False,
        time_skipping: bool = False,
        durable: bool = True,
        ui_codec: str | None = None,
        temporal_config: Mapping[str, Any] | None = None,
    ) -> None:
        self.state_dir = state_dir.expanduser().resolve()
        self._postgres = Postgres(self.state_dir, durable=durable)
        self._temporal = Temporal(
            self.state_dir,
            port=temporal_port or 0,
            ui_port=ui_port,
            in_memory=in_memory_temporal,
            time_skipping=time_skipping,
            durable=durable,
            ui_codec=ui_codec,
            dynamic=temporal_config or {},
        )
        # Temporal first: it comes up while PostgreSQL makes its files.
        asked = ((self._temporal, temporal), (self._postgres, postgres))
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
        """Where the services are, once started."""
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
    """Create a database, as a copy of `template` if given (nobody may be connected to that one).

    Returns its URL. A copy of a migrated template takes some 50 ms.
    """
    return pg.create_database(services.database_url, name, template)


def drop_database(services: Services, name: str) -> None:
    """Drop a database if it exists, cutting off whoever is still connected."""
    pg.drop_database(services.database_url, name)
