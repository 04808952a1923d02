"""What we write on a disk is for the user who runs us: files 0600, directories 0700."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

_log = logging.getLogger("dunning.standalone")

#: What we put into a state directory, by the beginning of its name.
_OURS = (
    *("keys.json", "lock", "outbox", "postgres", "rehearsal", "secret.", "services.json"),
    "temporal.",
)


def write_for_us_alone() -> None:
    """From now on, what this process and its children make is closed to everybody else."""
    os.umask(0o077)


def close_state_dir(path: Path) -> None:
    """Take everybody else's rights away from what we once wrote into a state directory.

    Is there something in it that is none of ours, then that, and the directory itself, keep their
    rights: it was not made for us alone.
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
    """Take everybody else's rights away from a file, or a directory with all that is in it. Links
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
        return  # it went meanwhile
    except PermissionError:
        _log.warning("%s belongs to somebody else, and others have rights on it", path)
