"""Patterns of a map: texts with headers in braces, as ``{Series}-{Number}``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from books.errors import BookError


def parts_of(text: str, name: str = "") -> list[tuple[str, bool]]:
    """The parts of a pattern: (text, True) for literal text, (header, False) for a column."""
    parts: list[tuple[str, bool]] = []
    for literal, header, stray in re.findall(r"((?:[^{}]|\{\{|\}\})+)|\{([^{}]+)\}|([{}])", text):
        if stray and name:
            raise BookError(
                f"map: {name} = {text!r}: a brace that is not a pair; write {{{{ for one"
            )
        if literal:
            parts.append((literal.replace("{{", "{").replace("}}", "}"), True))
        elif header:
            parts.append((header, False))
    return parts


def fill(parts: Sequence[str | int], cells: Sequence[str]) -> str:
    """The text for one row; empty if all columns of the pattern are empty."""
    taken = [cells[part] for part in parts if isinstance(part, int)]
    if taken and not any(taken):
        return ""
    return "".join(cells[part] if isinstance(part, int) else part for part in parts)
