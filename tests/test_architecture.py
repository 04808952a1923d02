"""docs/architecture.md shows the rooms as tests/rooms.toml has them; `make docs` writes it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.rooms import ARROWS, ROOT, files_of, may_import

PAGE = ROOT / "docs" / "architecture.md"
#: Every room may use these two; the picture leaves them out.
EVERYWHERE = {"settings", "logs"}


def arrows() -> dict[str, set[str]]:
    return {room: may_import(room) - EVERYWHERE for room in ARROWS if room not in EVERYWHERE}


def reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    left = [start]
    while left:
        left += (new := graph[left.pop()] - found)
        found |= new
    return found


def reduced(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """The arrows without those that a longer path replaces (transitive reduction)."""
    return {
        room: {to for to in ends if not any(to in reachable(graph, other) for other in ends - {to})}
        for room, ends in graph.items()
    }


def says(room: str) -> str:
    """The first paragraph of the docstring of the package, or of the module."""
    path = files_of(room)[0]
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    return " ".join(text.split("\n\n")[0].split()).replace("``", "`")


def picture() -> Iterator[str]:
    graph = reduced(arrows())
    packages = {room.split(".")[0] for room in graph if "." in room}
    yield "```mermaid"
    yield "graph TD"
    for package in dict.fromkeys(room.split(".")[0] for room in graph):
        rooms = [room for room in graph if room.split(".")[0] == package and shown(room)]
        indent = "  "
        if package in packages:
            yield f"  subgraph in_{package}[{package}/]"
            indent = "    "
        yield from (f"{indent}{node(room)}[{place(room)}]" for room in rooms)
        if package in packages:
            yield "  end"
    for room, ends in graph.items():
        yield from (f"  {node(room)} --> {node(to)}" for to in ARROWS if to in ends and shown(to))
    yield "```"


def shown(room: str) -> bool:
    """Not so: a package that imports nothing and only holds other rooms."""
    return bool(ARROWS[room]) or not any(other.startswith(f"{room}.") for other in ARROWS)


def place(room: str) -> str:
    path = room.replace(".", "/")
    return path if (ROOT / path).is_dir() else f"{path}.py"


def node(room: str) -> str:
    return room.replace(".", "_")


def table() -> Iterator[str]:
    yield "| room | what it is | may import |"
    yield "| --- | --- | --- |"
    for room, row in ARROWS.items():
        names = ", ".join(f"`{place(name)}`" for name in ARROWS if name in row)
        yield f"| `{place(room)}` | {says(room)} | {names or '–'} |"


def rooms() -> str:
    return "\n".join([*picture(), "", *table()])


def _between() -> re.Match[str]:
    found = re.search(
        r"(<!-- rooms: .*? -->\n)(.*?)(<!-- end of rooms -->)", PAGE.read_text(), re.DOTALL
    )
    assert found, "docs/architecture.md has no place for the rooms"
    return found


def test_the_page_shows_the_rooms_of_the_table() -> None:
    assert _between()[2].strip() == rooms(), "write it: make docs"


def test_every_room_has_a_docstring_for_the_page() -> None:
    assert [room for room in ARROWS if not says(room)] == []


def test_removing_indirect_arrows_keeps_every_path() -> None:
    graph = arrows()
    assert all(reachable(reduced(graph), room) == reachable(graph, room) for room in graph)


if __name__ == "__main__":
    now, text = _between(), PAGE.read_text()
    PAGE.write_text(f"{text[: now.start()]}{now[1]}{rooms()}\n{now[3]}{text[now.end() :]}")
