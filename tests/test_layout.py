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
PACKAGES = {
    "activities", "api", "channels", "db", "dunning", "embedded", "rehearsal", "workflows",
}  # fmt: skip
# The composition: these may import everything, and nobody imports them.
TOP = {path.stem for path in ROOT.glob("*.py")}

# package → (packages of ours, packages of others; None = any)
ARROWS: dict[str, tuple[set[str], set[str] | None]] = {
    "dunning": (set(), set()),
    "workflows": ({"dunning"}, {"temporalio", "pydantic"}),
    "channels": ({"dunning"}, None),
    "db": ({"dunning"}, None),
    "activities": ({"workflows", "channels", "db", "dunning"}, None),
    "api": ({"db", "channels", "dunning"}, None),
    "embedded": (set(), {"psutil", "psycopg"}),
    "rehearsal": ({"db", "channels", "dunning"}, None),
}
# Packages of others that a package must do without, though others in general are allowed.
NEVER = {
    "api": {"temporalio"},
    "channels": {"temporalio", "sqlalchemy", "sqlmodel", "fastapi"},
    "db": {"temporalio", "fastapi", "starlette"},
    "activities": {"fastapi", "starlette"},
}
# `uvicorn --factory api.app:create_app` starts the API from this one file.
# A rehearsal runs the worker itself. Logs and failures say the same
# of an error. The codec endpoint is no part of the API.
ALSO = {
    "api/app.py": {"settings", "logs"},
    "api/links.py": {"logs"},
    "api/arrival.py": {"logs"},
    "api/problems.py": {"logs"},
    "api/deadline.py": {"logs"},
    "rehearsal/drive.py": {"logs"},
    "activities/failures.py": {"logs"},
    "activities/services.py": {"logs"},
    "activities/relay.py": {"logs"},
    "activities/codec.py": {"starlette"},
    "rehearsal/run.py": {"worker"},
}

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
    """Line and top-level name of everything a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            own = path.relative_to(ROOT).parts[0]
            name = own if node.level else (node.module or "")
            yield node.lineno, name.split(".")[0]


def wrong_arrows(package: str) -> Iterator[str]:
    ours, others = ARROWS[package]
    for path in modules(package):
        place = path.relative_to(ROOT).as_posix()
        for line, name in imports(path):
            if name == package or name in sys.stdlib_module_names:
                continue
            if name in PACKAGES | TOP:
                allowed = name in ours | ALSO.get(place, set())
            else:
                allowed = others is None or name in others
                never = NEVER.get(package, set()) - ALSO.get(place, set())
                allowed = allowed and name not in never
            if not allowed:
                yield f"{place}:{line} imports {name}"


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_a_package_imports_only_what_its_arrow_allows(package: str) -> None:
    assert list(wrong_arrows(package)) == []


def test_settings_and_logs_stand_alone() -> None:
    for name in ("settings.py", "logs.py"):
        assert {found for _, found in imports(ROOT / name)} & (PACKAGES | TOP) == set()


def test_the_rules_know_no_clock_no_chance_and_no_outside_world() -> None:
    found = [
        f"{path.name}:{line} imports {name}"
        for path in modules("dunning")
        for line, name in imports(path)
        if name in IMPURE
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
        if path == ROOT / "settings.py":
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
