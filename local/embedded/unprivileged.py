"""PostgreSQL refuses to run as root; then it runs as `nobody`, who needs access to its files."""

from __future__ import annotations

import logging
import os
import pwd
import stat
from pathlib import Path
from typing import Any

from local.embedded.errors import StandaloneError

log = logging.getLogger("dunning.standalone")


def unprivileged() -> dict[str, Any]:
    """Arguments of `Popen`: for root the user `nobody`, else none."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def private_dir(path: Path, run_as: dict[str, Any]) -> None:
    path.mkdir(mode=0o700, exist_ok=True)
    if path.stat().st_uid not in {os.geteuid(), run_as.get("user")}:
        raise StandaloneError(f"{path} belongs to somebody else: remove it")
    path.chmod(0o700)
    if run_as:
        os.chown(path, run_as["user"], run_as["group"])


def let_in(state_dir: Path, group: int) -> None:
    """Lets `nobody` pass through the state directory, by its group if that has no rights yet."""
    status = state_dir.stat()
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o001 or (mode & 0o010 and status.st_gid == group):
        return
    if mode & 0o070:
        state_dir.chmod(mode | 0o001)
    else:
        os.chown(state_dir, -1, group)
        state_dir.chmod(mode | 0o010)


def let_pass(path: Path) -> None:
    """Lets `nobody` pass through (not read) the directories that lead to `path`."""
    for parent in path.parents:
        mode = parent.stat().st_mode
        if not mode & 0o001:
            log.info("letting other users pass through %s, for PostgreSQL", parent)
            parent.chmod(mode | 0o001)
