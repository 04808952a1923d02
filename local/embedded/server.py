"""Starts a server process, polls until it answers, ends it."""

from __future__ import annotations

import contextlib
import logging
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from local.embedded.errors import NotStarted
from local.embedded.watcher import Watcher

log = logging.getLogger("dunning.standalone")

START_WITHIN = 60.0  # seconds; recovery after a crash may take a while
START_AGAIN_FOR = 3.0  # seconds in which a server that exits early is started again
END_WITHIN = 15.0  # seconds


class Server:
    """One server process, which can be started again.

    `command` is called at each start; `answers` says whether the server is ready; `polite` is the
    signal for an orderly shutdown; `run_as` goes to `Popen` (user, group, extra_groups).
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
                # In a session of its own: Ctrl-C reaches only this process, which ends the servers.
                start_new_session=True,
                umask=0o077,  # its files are private
                **self._run_as,
            )
        watcher.watch(self._process.pid, self._polite)
        log.debug("%s runs as process %s", self.name, self._process.pid)

    def wait_until_ready(self, watcher: Watcher) -> None:
        """Polls until it answers, within `START_WITHIN` seconds, else raises `NotStarted`.

        A server that exits early is started again, because after a kill -9 a child process, shared
        memory or a socket of the old server may remain for a moment.
        """
        begun = time.monotonic()
        while not self._answers():
            elapsed = time.monotonic() - begun
            if self.pid is None:
                if elapsed > START_AGAIN_FOR:
                    raise NotStarted(f"{self.name} exits at once. {self._end_of_log()}")
                time.sleep(0.1)
                self.start(watcher)
            if elapsed > START_WITHIN:
                raise NotStarted(f"{self.name} does not answer. {self._end_of_log()}")
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

    def _end_of_log(self) -> str:
        with contextlib.suppress(OSError):
            lines = self._logfile.read_text(errors="replace").splitlines()[-8:]
            return "\n  ".join([f"The end of {self._logfile}:", *lines])
        return ""


def end_leftover(pidfile: Path, mark: str, polite: signal.Signals) -> None:
    """Ends a server that a killed run left behind. We hold the lock, so nobody uses that server.

    `mark` must be in its command line: otherwise another process has got its process id.
    """
    try:
        process = psutil.Process(int(pidfile.read_text().split()[0]))
        if not any(mark in part for part in process.cmdline()):
            return
        log.warning("ending process %s, left over from a run that was killed", process.pid)
        process.send_signal(polite)
        deadline = time.monotonic() + END_WITHIN
        # A zombie has ended; its parent was killed and could not wait for it.
        while process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                process.kill()
            time.sleep(0.02)
    except (OSError, ValueError, IndexError, psutil.Error):
        return
