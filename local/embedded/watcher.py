"""A second process, which ends the servers when this one has ended, even by kill -9."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys

# Reads lines "pid signal" (signal 0: forget this pid), and ends the servers when its input closes.
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


class Watcher:
    """Ends the watched servers when this process has ended."""

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
        with contextlib.suppress(BrokenPipeError):  # it was killed: the next start ends the servers
            self._process.stdin.write(line)
            self._process.stdin.flush()
