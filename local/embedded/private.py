"""Our files are for the current user alone: files 0600, directories 0700."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

_log = logging.getLogger("dunning.standalone")

#: Prefixes of the names of our files in a state directory.
_OURS = (
    *("keys.json", "lock", "outbox", "postgres", "rehearsal", "secret.", "services.json"),
    "temporal.",
)


def write_for_us_alone() -> None:
    """umask 077: new files of this process and its children are private."""
    os.umask(0o077)


def close_state_dir(path: Path) -> None:
    """Removes the rights of group and others from our files in a state directory.

    If it also holds other files, these and the directory itself keep their rights.
    """
    names = sorted(os.listdir(path))
    for name in names:
        if name.startswith(_OURS):
            close(path / name)
    if strange := [name for name in names if not name.startswith(_OURS)]:
        _log.warning("%s also holds %s, none of ours: its rights are left", path, strange[0])
    else:
        _narrow(path)


def close(path: Path) -> None:
    """Removes the rights of group and others from a file, or a directory with its contents. Links
    are not followed."""
    _narrow(path)
    if not path.is_symlink():
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                _narrow(Path(folder, name))


def _narrow(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode) and mode & 0o077:
            path.chmod(stat.S_IMODE(mode) & 0o700)
    except FileNotFoundError:
        return  # deleted meanwhile
    except PermissionError:
        _log.warning("%s belongs to somebody else, and others have rights on it", path)
