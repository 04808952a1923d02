"""Server processes of ours: watched until they answer, ended without a trace.

However this process ends, kill -9 included, a watcher ends the servers with it; what even that
could not end, `end_leftover` ends at the next start.

Errors (each says what to change):

    StandaloneError
    ├── PortTaken       somebody else listens on a port that was asked for
    ├── StateDirBusy    another process uses this state directory
    └── NotStarted      a server exited or did not answer in time; the end of its log is in the text
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import psutil

log = logging.getLogger("dunning.standalone")

LOOPBACK = "127.0.0.1"
START_WITHIN = 60.0  # seconds; recovery after a crash may need a while
START_AGAIN_FOR = 3.0  # seconds in which a server that exits at once is started again
END_WITHIN = 15.0  # seconds

# A process of its own, which reads "pid signal" lines and ends those servers when the pipe closes.
# Linux' PDEATHSIG would fire when the *thread* that started a server ends, and macOS has none.
WATCHER = """
import contextlib, os, signal, sys, time
servers = {}
for line in sys.stdin:
    pid, number = map(int, line.split())
    servers[pid] = number
servers = {pid: number for pid, number in servers.items() if number}
for last in (False, True):
    for pid in servers:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL if last else servers[pid])
    deadline = time.monotonic() + 10
    while servers and not last and time.monotonic() < deadline:
        time.sleep(0.05)
        for pid in list(servers):
            try:
                os.kill(pid, 0)
            except OSError:
                del servers[pid]
"""


class StandaloneError(RuntimeError):
    """The embedded services cannot run; the text says what to change."""


class PortTaken(StandaloneError):
    """Somebody else listens on a port that was asked for."""


class StateDirBusy(StandaloneError):
    """Another process uses this state directory."""


class NotStarted(StandaloneError):
    """A server exited or did not answer in time."""


class Watcher:
    """Ends the servers it was told of when this process is gone."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", WATCHER],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def watch(self, pid: int, polite: signal.Signals) -> None:
        self._tell(f"{pid} {polite:d}\n")

    def forget(self, pid: int) -> None:
        self._tell(f"{pid} 0\n")

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _tell(self, line: str) -> None:
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):  # without it, the next start clears up
            self._process.stdin.write(line)
            self._process.stdin.flush()


class Server:
    """One server process: started, polled until it answers, ended, started again.

    `command` is asked anew at each start; `answers` says whether the server is ready; `polite` is
    the signal that ends it in order; `run_as` goes to `Popen` (user, group, extra_groups).
    """

    def __init__(
        self,
        name: str,
        logfile: Path,
        *,
        command: Callable[[], list[str]],
        answers: Callable[[], bool],
        polite: signal.Signals,
        run_as: dict[str, Any],
    ) -> None:
        self.name = name
        self.answered = False
        self._logfile, self._command, self._answers = logfile, command, answers
        self._polite, self._run_as = polite, run_as
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Its process id, None when it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self, watcher: Watcher) -> None:
        command = self._command()
        if self._process:
            watcher.forget(self._process.pid)
        with self._logfile.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                # Its own session: Ctrl-C reaches us alone, and we end the servers in order.
                start_new_session=True,
                umask=0o077,  # its files are for its user alone
                **self._run_as,
            )
        watcher.watch(self._process.pid, self._polite)
        log.debug("%s runs as process %s", self.name, self._process.pid)

    def wait_until_ready(self, watcher: Watcher) -> None:
        """Poll until it answers, within `START_WITHIN` seconds, else raise `NotStarted`.

        An early exit is tried again: after a kill -9 what remains of the old server (a child that
        holds shared memory, a socket) may live for another moment.
        """
        begun = time.monotonic()
        while not self._answers():
            elapsed = time.monotonic() - begun
            if self.pid is None:
                if elapsed > START_AGAIN_FOR:
                    raise NotStarted(f"{self.name} exits at once. {self._last_words()}")
                time.sleep(0.1)
                self.start(watcher)
            if elapsed > START_WITHIN:
                raise NotStarted(f"{self.name} does not answer. {self._last_words()}")
            time.sleep(0.02)
        self.answered = True

    def ask_to_end(self) -> None:
        """Send the polite signal and return at once."""
        if self._process and self.pid:
            self._process.send_signal(self._polite)

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def wait_until_ended(self) -> None:
        """Wait until it is gone; kill it after `END_WITHIN` seconds."""
        if not self._process:
            return
        try:
            self._process.wait(END_WITHIN)
        except subprocess.TimeoutExpired:
            log.warning("%s did not end within %.0f s and is killed", self.name, END_WITHIN)
            self.kill()

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = self._logfile.read_text(errors="replace").splitlines()[-8:]
            return "\n  ".join([f"The end of {self._logfile}:", *lines])
        return ""


def take_port(wanted: int, setting: str) -> int:
    """`wanted` if nobody has it, a free one for 0. Raises `PortTaken`, naming the setting."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, wanted))
        except OSError as error:
            raise PortTaken(f"port {wanted} is taken: set {setting}") from error
        return int(probe.getsockname()[1])


def lock_state_dir(state_dir: Path) -> IO[str]:
    """Hold the directory until the file is closed or this process ends, however it ends.

    Raises `StateDirBusy`, naming who holds it.
    """
    file = (state_dir / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise StateDirBusy(
            f"{state_dir} is used by process {holder}: end it, or set DUNNING_STATE_DIR"
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def end_leftover(pidfile: Path, mark: str, polite: signal.Signals) -> None:
    """End the server of a run that was killed: we hold the lock, so nobody can be using it.

    `mark` is in its command line; without it the number belongs to somebody else by now.
    """
    try:
        process = psutil.Process(int(pidfile.read_text().split()[0]))
        if not any(mark in part for part in process.cmdline()):
            return
        log.warning("ending process %s, left over from a run that was killed", process.pid)
        process.send_signal(polite)
        deadline = time.monotonic() + END_WITHIN
        # A zombie has ended, though nobody has buried it: its parent was killed.
        while process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                process.kill()
            time.sleep(0.02)
    except (OSError, ValueError, IndexError, psutil.Error):
        return
