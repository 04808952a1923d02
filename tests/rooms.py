"""The rooms of the code and their arrows, as ``rooms.toml`` has them."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Rooms from the top down, each with the rooms that it may import.
ARROWS: dict[str, set[str]] = {
    room: set(row)
    for room, row in tomllib.loads((ROOT / "tests" / "rooms.toml").read_text()).items()
}


#: Packages that are no rooms: the product imports none of them.
AROUND = {"bench", "stand_ins", "tests"}
PACKAGES = {room for room in ARROWS if (ROOT / room).is_dir()}


def modules(*packages: str) -> list[Path]:
    """The modules of these packages; without arguments, all of ours."""
    if packages:
        return [path for name in packages for path in sorted((ROOT / name).rglob("*.py"))]
    return [*sorted(ROOT.glob("*.py")), *modules(*sorted(PACKAGES | AROUND))]


def room_of(name: str) -> str:
    """The innermost room of one of our modules; the first part of any other name."""
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


def files_of(room: str) -> list[Path]:
    """The modules of a room, without those of the rooms inside it."""
    path = ROOT / room.replace(".", "/")
    found = modules(str(path)) if path.is_dir() else [path.with_suffix(".py")]
    return [one for one in found if room_of(name_of(one)) == room]


def name_of(path: Path) -> str:
    """The dotted name of a module."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
