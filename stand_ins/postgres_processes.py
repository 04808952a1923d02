"""The processes of a PostgreSQL server on this machine."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def signal_all(main: int | None, number: int) -> None:
    """Send a signal to the server's main process and to each of its children. SIGSTOP: connections
    stay open, and nothing answers, until SIGCONT."""
    assert main is not None, "the server does not run"
    for process in (*_children(main), main):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)


def _children(main: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            after_name = stat.read_text().rpartition(")")[2].split()
            if int(after_name[1]) == main:
                found.append(int(stat.parent.name))
    return found
