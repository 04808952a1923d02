"""The layout: which room may import which (``rooms.toml``), and which names a room must not use."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.rooms import (
    AROUND,
    ARROWS,
    PACKAGES,
    ROOT,
    files_of,
    may_import,
    modules,
    name_of,
    room_of,
)

#: The only third-party packages that a room may import; a room that is not listed may import any.
ONLY: dict[str, set[str]] = {
    "dunning": set(),
    "books": set(),
    "plans": {"pydantic", "pydantic_core"},
    "workflows": {"temporalio", "pydantic"},
    "local.embedded": {"psutil", "psycopg"},
}
#: Third-party packages that a room must not import; it may import any other.
NEVER: dict[str, set[str]] = {
    "api": {"temporalio"},
    "messages": {"temporalio", "sqlalchemy", "sqlmodel", "fastapi"},
    "providers": {"temporalio", "sqlalchemy", "sqlmodel", "fastapi"},
    "store": {"temporalio", "fastapi", "starlette"},
    "backoffice": {"temporalio", "fastapi", "starlette"},
    "activities": {"fastapi", "starlette"},
}
#: The codec endpoint is no part of the API.
ALSO = {"activities/codec.py": {"starlette"}}

#: Modules that the rules must not import: clocks, random numbers, I/O.
IMPURE = {
    *("asyncio", "http", "logging", "multiprocessing", "os", "random", "secrets", "shutil"),
    *("socket", "sqlite3", "subprocess", "tempfile", "threading", "time", "urllib"),
}
CLOCK = re.compile(r"(^|\.)(date|datetime)\.(now|today|utcnow)$")
VAGUE = {"base", "common", "helper", "helpers", "manager", "misc", "shared", "util", "utils"}


def inside(room: str, other: str) -> bool:
    return room == other or room.startswith(f"{other}.")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            own = ".".join(path.relative_to(ROOT).parent.parts)
            module = f"{own}.{node.module}" if node.level else (node.module or "")
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def wrong_arrows(room: str) -> Iterator[str]:
    for path in files_of(room):
        place = path.relative_to(ROOT)
        for line, name in imports(path):
            first, to = name.split(".")[0], room_of(name)
            if to in ARROWS:
                wrong = to != room and to not in may_import(room)
            elif first in sys.stdlib_module_names or first in ALSO.get(str(place), set()):
                wrong = False
            else:
                wrong = first in AROUND
                allowed = next((ONLY[one] for one in ONLY if inside(room, one)), None)
                wrong |= allowed is not None and first not in allowed
                wrong |= any(first in NEVER[one] for one in NEVER if inside(room, one))
            if wrong:
                yield f"{place}:{line} imports {name}"


@pytest.mark.parametrize("room", list(ARROWS))
def test_a_room_imports_only_what_its_arrows_allow(room: str) -> None:
    assert list(wrong_arrows(room)) == []


def test_every_module_is_in_a_room() -> None:
    found = {
        path.relative_to(ROOT).parts[0].removesuffix(".py") for path in ROOT.glob("[a-z]*/*.py")
    }
    found |= {path.stem for path in ROOT.glob("*.py")}
    assert found - AROUND == {room.split(".")[0] for room in ARROWS}


def test_every_arrow_is_used() -> None:
    """Except the registry's: it imports the folders of the providers by name."""
    unused = []
    for room in ARROWS.keys() - {"providers.registry"}:
        used = {room_of(name) for path in files_of(room) for _, name in imports(path)} - {room}
        unused += [
            f"{room} -> {to}" for to in ARROWS[room] if not any(inside(one, to) for one in used)
        ]
    assert unused == []


def test_the_arrows_have_no_circle() -> None:
    graph = {room: may_import(room) for room in ARROWS}
    list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


@pytest.mark.parametrize(
    ("package", "never"),
    [("stand_ins", {"bench", "tests"}), ("bench", {"tests"}), ("tests", {"bench"})],
)
def test_tests_and_benchmarks_share_only_stand_ins(package: str, never: set[str]) -> None:
    assert [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in modules(package)
        for line, name in imports(path)
        if name.split(".")[0] in never
    ] == []


def test_the_rules_use_no_clock_no_randomness_and_no_io() -> None:
    found = [
        f"{path.name}:{line} imports {name}"
        for path in modules("dunning")
        for line, name in imports(path)
        if name.split(".")[0] in IMPURE
    ]
    for path in modules("dunning"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called in {"open", "print", "input"} or CLOCK.search(called):
                found.append(f"{path.name}:{node.lineno} calls {called}")
    assert found == []


def test_only_settings_reads_the_environment() -> None:
    found = []
    for path in [*modules(*PACKAGES), *ROOT.glob("*.py")]:
        if path == ROOT / "settings" / "loading.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            reads = isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
            reads |= isinstance(node, ast.ImportFrom) and any(
                alias.name in {"environ", "getenv"} for alias in node.names
            )
            if reads:
                found.append(f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}")
    assert found == []


def test_no_module_has_a_vague_name() -> None:
    names = [path.relative_to(ROOT) for path in [*modules(*PACKAGES), *ROOT.glob("*.py")]]
    assert [
        str(path) for path in names if VAGUE & {part.removesuffix(".py") for part in path.parts}
    ] == []


def test_tests_mirror_the_tree() -> None:
    """Exceptions: shared casts, flows through the whole system, recorded histories."""
    tests = ROOT / "tests"
    found = {path.parent.relative_to(tests) for path in modules("tests")}
    beside = {tests / name for name in ("cast", "cast/checker", "flows", "histories")}
    assert [
        str(one) for one in found if tests / one not in beside and not (ROOT / one).is_dir()
    ] == []


IMPORT_EVERYTHING = """
import importlib, sys, threading
import urllib3.util.connection  # binds [::1]:0 once, to learn whether there is IPv6
seen = []
def hook(event, args):
    if event in {"socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen"}:

        seen.append(f"{event} {args[0]!r}")
sys.addaudithook(hook)
for name in sys.argv[1:]:
    before = len(seen)
    importlib.import_module(name)
    if seen[before:]:
        print(name, seen[before:])
left = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
if left:
    print("threads", left)
"""


def test_importing_a_module_opens_no_connection_and_starts_no_process() -> None:
    names = []
    for path in [*modules(*PACKAGES), *ROOT.glob("*.py")]:
        if "migrations" in path.parts:  # Alembic runs those, with a connection of its own
            continue
        names.append(name_of(path))
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EVERYTHING, *names],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
