"""Functions that fail in a limited process. The module imports little, so that it starts fast."""

from __future__ import annotations

import os


def loops_for_ever() -> None:
    while True:
        pass


def needs_much_memory() -> int:
    return len(b"x" * (4 << 30))


def ends_itself() -> None:
    os._exit(1)


def has_a_mistake() -> None:
    raise KeyError("secret")


def its_process() -> tuple[int, dict[str, str]]:
    return os.getpid(), dict(os.environ)
