"""The rows of a letter: its subject, the lines of its text, and its tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from messages.body import Body
from messages.letter.characters import plain
from messages.letter.sheet import SIZE, Sheet
from messages.table import Table, grid

_SMALLEST = 5.0  # points
_GAP = 4.0  # millimetres between two columns of a table


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a page: pieces of text, each with its distance from the left margin. ``rule``:
    the length of a drawn line, instead of text."""

    pieces: tuple[tuple[float, str], ...] = ()
    size: float = SIZE
    bold: bool = False
    rule: float = 0


def rows_of(sheet: Sheet, measure: float, subject: str, body: Body) -> Iterator[Row]:
    """``measure`` is the width of a line. ``sheet`` can print all the characters."""
    if subject:
        for line in sheet.wrap(subject, measure - 5):  # bold is wider
            yield Row(((0, line),), bold=True)
        yield Row()
    for place, part in enumerate(body):
        if isinstance(part, Table):
            yield from _table(sheet, measure, part)
            continue
        lines = plain(part).split("\n")
        # A table starts and ends a line, so the empty rest of that line is no blank line.
        if place and not lines[0]:
            del lines[0]
        if lines and place < len(body) - 1 and not lines[-1]:
            del lines[-1]
        yield from _text(sheet, measure, lines)


def _text(sheet: Sheet, measure: float, lines: Iterable[str]) -> Iterator[Row]:
    for whole in lines:
        for line in sheet.wrap(whole, measure):
            yield Row(((0, line),) if line else ())


def _table(sheet: Sheet, measure: float, table: Table) -> Iterator[Row]:
    """The columns, then the totals and the notes, with a blank row before each."""
    blocks: list[list[Row]] = []
    if table.head:
        columns = _columns(sheet, measure, table)
        aligned = map(plain, grid(table))
        more = _text(sheet, measure, [plain(table.more)] if table.more else [])
        blocks.append([*(columns or _text(sheet, measure, aligned)), *more])
    totals = (plain(f"{label} {amount}") for label, amount in table.totals)
    blocks.append(list(_text(sheet, measure, totals)))
    blocks.append(list(_text(sheet, measure, map(plain, table.notes))))
    for number, block in enumerate(filter(None, blocks)):
        if number:
            yield Row()
        yield from block


def _columns(sheet: Sheet, measure: float, table: Table) -> list[Row]:
    """The header and the rows, in smaller type if they are too wide; empty if the type would be too
    small to read."""
    lines = [[plain(cell).strip() for cell in cells] for cells in (table.head, *table.rows)]
    widths = [max(map(sheet.width, column)) for column in zip(*lines, strict=True)]
    gaps = _GAP * (len(widths) - 1)
    scale = min(1.0, (measure - gaps) / sum(widths))
    if scale * SIZE < _SMALLEST:
        return []
    starts = [sum(widths[:i]) * scale + _GAP * i for i in range(len(widths))]
    rows = []
    for cells in lines:
        pieces = []
        for cell, side, start, width in zip(cells, table.sides, starts, widths, strict=True):
            space = (width - sheet.width(cell)) * scale if side == "end" else 0
            pieces.append((start + space, cell))
        rows.append(Row(tuple(pieces), size=SIZE * scale))
    rows.insert(1, Row(rule=sum(widths) * scale + gaps))
    return rows
