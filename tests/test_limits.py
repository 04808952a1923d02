"""Limits of size. Ruff checks two more: 6 arguments (PLR0913) and complexity 10 (C901)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from statistics import median

from tests.rooms import ROOT, modules

FILE, TEST_FILE, FUNCTION, MEDIAN_FILE = 250, 300, 40, 110  # lines

#: A file, or a function as file:name, that may be longer, and why.
EXCUSED: dict[str, str] = {}


def functions(node: ast.AST, within: str = "") -> Iterator[tuple[str, int]]:
    """Every function and method by its qualified name, with its lines: signature and body, without
    decorators and without its docstring. A function inside it counts as a part of it."""
    for child in ast.iter_child_nodes(node):
        name = within
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{within}.{child.name}" if within else child.name
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (child.end_lineno or 0) - child.lineno + 1
            if ast.get_docstring(child) is not None:
                lines -= (child.body[0].end_lineno or 0) - child.body[0].lineno + 1
            yield name, lines
        yield from functions(child, name)


def sizes() -> dict[str, int]:
    """The lines of every file except migrations, which are not changed once they have run."""
    return {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in modules()
        if path.parent.name != "versions"
    }


@cache
def too_long() -> dict[str, int]:
    found = {}
    for file, lines in sizes().items():
        if lines > (TEST_FILE if file.startswith("tests/") else FILE):
            found[file] = lines
        for name, length in functions(ast.parse((ROOT / file).read_text())):
            if length > FUNCTION:
                found[f"{file}:{name}"] = length
    return found


def test_no_code_is_excluded_from_the_formatter() -> None:
    by_hand = re.compile(r"# fmt: (skip|off)")
    found = {str(p.relative_to(ROOT)) for p in modules() if by_hand.search(p.read_text())}
    assert found == set()


def test_files_and_functions_are_within_the_limits() -> None:
    assert {name: lines for name, lines in too_long().items() if name not in EXCUSED} == {}


def test_every_excused_file_or_function_is_too_long() -> None:
    assert EXCUSED.keys() - too_long().keys() == set()


def test_the_median_file_is_within_its_limit() -> None:
    assert median(n for file, n in sizes().items() if not file.startswith("tests/")) <= MEDIAN_FILE
