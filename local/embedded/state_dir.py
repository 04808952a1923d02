"""The lock of a state directory: one process uses it at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from local.embedded.errors import StateDirBusy


def lock_state_dir(state_dir: Path) -> IO[str]:
    """Locks the directory until the file is closed or this process ends.

    Raises `StateDirBusy` with the id of the process that holds it.
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
