"""A table of a message: cells and totals, and how they are written as text and as HTML.

A template places a table as one value (``messages.body``). It becomes text or HTML when the message
is made, and part of a letter when its PDF is made (``messages.letter.rows``).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

from babel import Locale

MAX_ROWS = 500
Row = tuple[str, ...]
#: Alignment of a column: "start" is left, in a right-to-left language right.
Side = Literal["start", "end"]


@dataclass(frozen=True, slots=True)
class Table:
    """``head`` is empty if nothing is listed: the table has only totals and notes. ``rows`` has at
    most MAX_ROWS, ``sides`` one entry for each column. ``more`` says how many rows are left out.
    ``totals`` are labels and amounts, ``notes`` sentences. ``brief`` replaces the table in an
    SMS."""

    head: Row
    sides: tuple[Side, ...]
    rows: tuple[Row, ...]
    more: str = ""
    totals: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    brief: str = ""


def as_text(table: Table) -> str:
    """The table in aligned columns, for a monospaced font."""
    blocks = []
    if table.head:
        blocks.append([*grid(table), table.more] if table.more else grid(table))
    blocks.append([f"{label} {amount}" for label, amount in table.totals])
    blocks.append(list(table.notes))
    return "\n\n".join("\n".join(block) for block in blocks if block)


def grid(table: Table) -> list[str]:
    """The lines of the header, the line of dashes below it, and the rows."""
    columns = zip(table.head, *table.rows, strict=True)
    widths = [max(map(_width, column)) for column in columns]
    lines = [_line(cells, widths, table.sides) for cells in (table.head, *table.rows)]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return lines


def as_html(table: Table, locale: Locale) -> str:
    """The table as HTML, with its cells escaped."""
    blocks = []
    if table.head:
        blocks += _html_grid(table, locale)
        if table.more:
            blocks.append(f"<p>{escape(table.more)}</p>")
    if table.totals:
        totals = (f"{escape(label)} <b>{escape(amount)}</b>" for label, amount in table.totals)
        blocks.append("<p>" + "<br>\n".join(totals) + "</p>")
    if table.notes:
        blocks.append("<p>" + "<br>".join(map(escape, table.notes)) + "</p>")
    return "\n".join(blocks)


def from_json(data: Mapping[str, Any]) -> Table:
    """A table from its JSON: ``dataclasses.asdict``, with tuples as lists."""
    return Table(
        head=tuple(data["head"]),
        sides=tuple(data["sides"]),
        rows=tuple(map(tuple, data["rows"])),
        more=data["more"],
        totals=tuple((label, amount) for label, amount in data["totals"]),
        notes=tuple(data["notes"]),
        brief=data["brief"],
    )


def _html_grid(table: Table, locale: Locale) -> list[str]:
    right_to_left = locale.text_direction == "rtl"
    start, end = ("right", "left") if right_to_left else ("left", "right")
    sides = [start if side == "start" else end for side in table.sides]
    style = "border-collapse: collapse; border-color: #ccc; white-space: nowrap"
    return [
        f'<table border="1" cellpadding="6" style="{style}">',
        f"<thead>{_tr('th', table.head, sides)}</thead>\n<tbody>",
        *(_tr("td", row, sides) for row in table.rows),
        "</tbody></table>",
    ]


def _tr(tag: str, cells: Row, sides: Sequence[str]) -> str:
    """With short attributes instead of styles: mail programs cut a message off at about 100 kB."""
    inside = (
        f'<{tag} align="{side}">{escape(cell)}</{tag}>'
        for cell, side in zip(cells, sides, strict=True)
    )
    return f"<tr>{''.join(inside)}</tr>"


def _line(cells: Row, widths: Sequence[int], sides: Sequence[Side]) -> str:
    padded = []
    for cell, width, side in zip(cells, widths, sides, strict=True):
        space = " " * (width - _width(cell))
        padded.append(cell + space if side == "start" else space + cell)
    return "  ".join(padded).rstrip()


def _width(text: str) -> int:
    """Columns on a screen: an East Asian character takes two, a combining mark none."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    none = sum(unicodedata.category(c) in ("Mn", "Cf") for c in text)
    return len(text) + wide - none
