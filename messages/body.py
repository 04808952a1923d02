"""The body of a message: texts, and between them the tables that a template placed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any

from messages import table as tables
from messages.lines import TEXT_CONTROL
from messages.table import Table

Part = str | Table
Body = tuple[Part, ...]


def joined(parts: Iterable[Part]) -> Body:
    """Merges texts that are side by side, and leaves empty texts out."""
    made: list[Part] = []
    for is_text, group in groupby(parts, lambda part: isinstance(part, str)):
        if not is_text:
            made += group
        elif text := "".join(map(str, group)):
            made.append(text)
    return tuple(made)


def as_text(body: Body) -> str:
    """The body as text, its tables with aligned columns."""
    return _written(body, tables.as_text)


def in_brief(body: Body) -> str:
    """The body as text for an SMS, each table on one line."""
    return _written(body, lambda table: table.brief)


def number_of_tables(body: Body) -> int:
    return sum(isinstance(part, Table) for part in body)


def is_empty(body: Body) -> bool:
    return all(isinstance(part, str) and not part.strip() for part in body)


def tidy(body: Body) -> Body:
    """Without control characters, spaces at the end of a line, blank lines at both ends, and
    repeated blank lines."""
    made: list[Part] = []
    end = len(body) - 1
    for place, part in enumerate(body):
        if isinstance(part, Table):
            made.append(part)
            continue
        lines = TEXT_CONTROL.sub("", part.replace("\r", "")).split("\n")
        whole = lines if place == end else lines[:-1]  # a table continues the last line
        lines = [line.rstrip(" \t") for line in whole] + lines[len(whole) :]
        text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
        text = text if place else text.lstrip("\n")
        made.append(text.rstrip("\n") if place == end else text)
    return joined(made)


def from_json(parts: Iterable[str | Mapping[str, Any]]) -> Body:
    """A body from its JSON, where each table is an object."""
    return tuple(p if isinstance(p, str) else tables.from_json(p) for p in parts)


def _written(body: Body, write: Callable[[Table], str]) -> str:
    return "".join(part if isinstance(part, str) else write(part) for part in body)
