"""Reads the tables of letters that were stored as text alone, from their aligned columns.

Such a letter was claimed before messages had a ``body``. On a retry under its idempotency key it
must be the same PDF. A key holds for 23 hours: one day after an update nothing needs this module
(docs/decisions/0038).
"""

from __future__ import annotations

import re
from itertools import pairwise

from messages.body import Body, Part
from messages.letter.characters import plain
from messages.table import Row, Side, Table

_RULE = re.compile(r"-+(?:  -+)+")


def body_of(text: str) -> Body:
    """The text, with a table for each header above a line of dashes ("-----  ---") and the lines
    below it that have characters only in its columns."""
    lines = plain(text).strip("\n").split("\n")
    pieces: list[list[str] | Table] = []
    at = 0
    while at < len(lines):
        spans = _columns(lines, at)
        end = at
        while spans and end < len(lines) and _fits(lines[end], spans):
            end += 1
        if end > at + 1:
            pieces.append(_table(lines[at:end], spans))
            at = end
            continue
        if not pieces or isinstance(pieces[-1], Table):
            pieces.append([])
        pieces[-1].append(lines[at])  # type: ignore[union-attr]
        at += 1
    return tuple(_part(piece, place, len(pieces)) for place, piece in enumerate(pieces))


def _part(piece: list[str] | Table, place: int, count: int) -> Part:
    """A table starts and ends a line: the texts around it have the line breaks."""
    if isinstance(piece, Table):
        return piece
    before, after = "\n" if place else "", "\n" if place < count - 1 else ""
    return before + "\n".join(piece) + after


def _columns(lines: list[str], at: int) -> list[tuple[int, int]]:
    """Start and end of each column; empty if the next line is not a line of dashes."""
    if at + 1 == len(lines) or not _RULE.fullmatch(lines[at + 1]):
        return []
    return [match.span() for match in re.finditer("-+", lines[at + 1])]


def _fits(line: str, spans: list[tuple[int, int]]) -> bool:
    """Whether the line belongs to the table: it has characters only inside the columns."""
    between = [line[a[1] : b[0]] for a, b in pairwise(spans)]
    return bool(line.strip()) and not "".join(between).strip() and len(line) <= spans[-1][1]


def _table(lines: list[str], spans: list[tuple[int, int]]) -> Table:
    """A column is aligned right if one of its cells begins with a space."""
    padded = [line.ljust(spans[-1][1]) for line in lines]
    head, _, *rows = [tuple(line[a:b] for a, b in spans) for line in padded]
    sides: list[Side] = [
        "end" if any(cell.startswith(" ") for cell in column if cell.strip()) else "start"
        for column in zip(head, *rows, strict=True)
    ]
    return Table(_stripped(head), tuple(sides), tuple(map(_stripped, rows)))


def _stripped(cells: Row) -> Row:
    return tuple(cell.strip() for cell in cells)
