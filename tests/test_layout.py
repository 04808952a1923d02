"""The arrows of the design, held by a test: who may import whom, and who may read what."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: Rooms from the top down: which rooms of ours each may import. A room that is named covers the
#: rooms inside it. A room may always import itself, but a room inside it is a room of its own.
ARROWS: dict[str, set[str]] = {
    "commands": {"local", "rehearsal", "api", "activities", "backoffice", "providers", "messages",
                 "books", "store", "dunning", "settings", "logs"},
    "local": {"local.embedded", "rehearsal", "api", "activities", "backoffice", "providers",
              "messages", "books", "store", "dunning", "settings", "logs"},
    "local.embedded": set(),
    "rehearsal": {"activities", "backoffice", "messages", "books", "store", "dunning", "logs"},
    "api": {"api.outside", "api.admin", "api.members", "api.billing", "api.http", "backoffice",
            "providers", "messages", "books", "store", "dunning", "settings", "logs"},
    "api.outside": {"api.http", "backoffice", "providers", "store", "dunning", "logs"},
    "api.admin": {"api.outside", "api.members", "api.http", "backoffice", "providers", "store",
                  "dunning"},
    "api.members": {"api.billing", "api.http", "backoffice", "messages", "store", "dunning"},
    "api.billing": {"api.http", "backoffice", "books", "store", "dunning"},
    "api.http": {"backoffice.people", "messages", "books", "store", "dunning", "logs"},
    "activities": {"workflows", "backoffice", "providers", "messages", "store", "dunning",
                   "settings", "logs"},
    "workflows": {"dunning"},
    "providers": {"providers.lob", "providers.sendgrid", "providers.twilio", "messages", "dunning"},
    "providers.lob": {"providers", "messages", "dunning"},
    "providers.sendgrid": {"providers", "messages", "dunning"},
    "providers.twilio": {"providers", "messages", "dunning"},
    "backoffice": set(),
    "backoffice.delivery": {"backoffice.worklist", "backoffice.people", "backoffice.ledger",
                            "messages", "store", "dunning"},
    "backoffice.worklist": {"backoffice.delivery", "backoffice.people", "backoffice.ledger",
                            "messages", "store", "dunning"},
    "backoffice.ledger": {"backoffice.people", "messages", "books", "store", "dunning"},
    "backoffice.people": {"messages", "store", "dunning"},
    "backoffice.pruning": {"store"},
    "books": {"dunning"},
    "messages": {"dunning"},
    "store": {"dunning"},
    "dunning": set(),
    "settings": set(),
}  # fmt: skip
PACKAGES = {room.split(".")[0] for room in ARROWS}
# Modules at the top: logs imports none of ours; no arrow leads to the others, which start things.
TOP = {path.stem for path in ROOT.glob("*.py")}
#: Packages of others that a room alone may import; where a room is not named: any.
ONLY: dict[str, set[str]] = {
    "dunning": set(),
    "books": set(),
    "workflows": {"temporalio", "pydantic"},
    "local.embedded": {"psutil", "psycopg"},
}
#: Packages of others that a room must do without, though others in general are allowed.
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

# What the rules must do without: clocks, chance and the outside world.
IMPURE = {
    *("asyncio", "http", "logging", "multiprocessing", "os", "random", "secrets", "shutil"),
    *("socket", "sqlite3", "subprocess", "tempfile", "threading", "time", "urllib"),
}
CLOCK = re.compile(r"(^|\.)(date|datetime)\.(now|today|utcnow)$")
VAGUE = {"base", "common", "helper", "helpers", "manager", "misc", "shared", "util", "utils"}


def modules(*packages: str) -> list[Path]:
    return [path for name in packages for path in sorted((ROOT / name).rglob("*.py"))]


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            own = ".".join(path.relative_to(ROOT).parent.parts)
            module = f"{own}.{node.module}" if node.level else (node.module or "")
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def room_of(name: str) -> str:
    """The innermost room of a module of ours; for another name its first part."""
    parts = name.split(".")
    inside = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((room for room in inside if room in ARROWS), parts[0])


def covers(rooms: set[str], room: str) -> bool:
    return any(room == one or room.startswith(f"{one}.") for one in rooms)


def wrong_arrows(room: str) -> Iterator[str]:
    for path in modules(room.replace(".", "/")):
        place = path.relative_to(ROOT)
        if room_of(".".join(place.with_suffix("").parts)) != room:
            continue
        for line, name in imports(path):
            first = name.split(".")[0]
            if first in PACKAGES | TOP:
                to = room_of(name)
                wrong = to != room and not covers(ARROWS[room], to)
            elif first in sys.stdlib_module_names or first in ALSO.get(str(place), set()):
                wrong = False
            else:
                allowed = next((ONLY[one] for one in ONLY if covers({one}, room)), None)
                wrong = allowed is not None and first not in allowed
                wrong |= any(first in NEVER[one] for one in NEVER if covers({one}, room))
            if wrong:
                yield f"{place}:{line} imports {name}"


@pytest.mark.parametrize("room", list(ARROWS))
def test_a_room_imports_only_what_its_arrows_allow(room: str) -> None:
    assert list(wrong_arrows(room)) == []


def test_logging_imports_no_room() -> None:
    found = {found.split(".")[0] for _, found in imports(ROOT / "logs.py")}
    assert found & (PACKAGES | TOP) == set()


def test_the_rules_know_no_clock_no_chance_and_no_outside_world() -> None:
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


def test_no_module_has_a_name_that_says_nothing() -> None:
    names = [path.relative_to(ROOT) for path in [*modules(*PACKAGES), *ROOT.glob("*.py")]]
    assert [
        str(path) for path in names if VAGUE & {part.removesuffix(".py") for part in path.parts}
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


def test_importing_connects_nowhere_and_starts_nothing() -> None:
    names = []
    for path in [*modules(*PACKAGES), *ROOT.glob("*.py")]:
        parts = path.relative_to(ROOT).with_suffix("").parts
        if "migrations" in parts:  # Alembic runs those, with a connection of its own
            continue
        names.append(".".join(parts).removesuffix(".__init__"))
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EVERYTHING, *names],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
