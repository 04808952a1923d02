"""The rooms of the code and their arrows, as ``rooms.toml`` has them."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Rooms from the top down, each with the names in its row.
ARROWS: dict[str, set[str]] = {
    room: set(row)
    for room, row in tomllib.loads((ROOT / "tests" / "rooms.toml").read_text()).items()
}


def room_of(name: str) -> str:
    """The innermost room of a module of ours; for another name its first part."""
    parts = name.split(".")
    inside = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((room for room in inside if room in ARROWS), parts[0])


def may_import(room: str) -> set[str]:
    """Every other room that a room may import: its row, and the rooms inside those named there."""
    return {
        to
        for to in ARROWS
        for named in ARROWS[room]
        if to == named or (to.startswith(f"{named}.") and not room.startswith(f"{named}."))
    } - {room}


def path_of(room: str) -> Path:
    """The package, or the module, that the room is."""
    path = ROOT / room.replace(".", "/")
    return path if path.is_dir() else path.with_suffix(".py")


def files_of(room: str) -> list[Path]:
    """The modules of a room, without those of the rooms inside it."""
    path = path_of(room)
    found = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return [
        one
        for one in found
        if room_of(".".join(one.relative_to(ROOT).with_suffix("").parts)) == room
    ]
