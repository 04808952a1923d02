"""Chooses the best column for each field, by header and cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from books.column import Choice, Column
from books.fields import DATES, FIELDS, OPTIONAL
from books.header import normal
from books.synonyms import HEADERS

#: Fields that a map must have; for a file without ``paid_on`` a constant (docs/books.md).
NEEDED = ("customer", "invoice", "issued_on", "due_on", "total", "currency", "paid_on")


#: Not ``parent`` and ``plan``: in a foreign file these words mean something else.
_GUESSED = tuple(HEADERS)


_NEVER_EMPTY = frozenset({"customer", "invoice", "issued_on", "total", "currency"})
_WITH_GAPS = 50  # added to the rank of a column that has rows without a value
_WITHIN = 100  # a rank: the header contains a known one
_BY_CONTENT = 200  # a rank: chosen by the cells alone


def choose(columns: Sequence[Column]) -> dict[str, Choice]:
    """The best column for each field. Each column is used once, for the field that it fits best."""
    ranked = sorted(
        (rank, _GUESSED.index(name), column.header, name)
        for name in _GUESSED
        for column in columns
        if (rank := _rank(name, column)) is not None
    )
    by_header = {column.header: column for column in columns}
    choices: dict[str, Choice] = {}
    taken: set[str] = set()
    for rank, _, header, name in ranked:
        if name in choices or header in taken:
            continue
        taken.add(header)
        rivals = tuple(h for r, _, h, n in ranked if n == name and h != header and r < _BY_CONTENT)
        choices[name] = _choice(name, by_header[header], rivals, sure=rank < _BY_CONTENT)
    _same_dates(choices)
    for name in NEEDED:
        if name not in choices:
            fitting = tuple(c.header for c in columns if c.fits(name) and c.header not in taken)
            choices[name] = Choice(name, sure=False, others=fitting, why="no column is called so")
    return {name: choices[name] for name in (*FIELDS, *OPTIONAL) if name in choices}


def _same_dates(choices: dict[str, Choice]) -> None:
    """A program writes all dates in one form: an unambiguous column decides for the others."""
    clear = {c.date_format for c in choices.values() if c.date_format and not c.other_format}
    for name, choice in choices.items():
        both = {choice.date_format, choice.other_format} & clear
        if choice.other_format and len(both) == 1:
            form = both.pop()
            choices[name] = replace(
                choice, date_format=form, other_format="", why="", sure=choice.called
            )


def _rank(name: str, column: Column) -> int | None:
    """How well a column fits a field: 0 is best; None if it does not fit."""
    header, known = _words(column.header), HEADERS[name]
    if not column.fits(name):
        return None
    missing = _WITH_GAPS if column.gaps and name in _NEVER_EMPTY else 0
    if header in known:
        return known.index(header) + missing
    words = header.split("_")
    within = [i for i, k in enumerate(known) if k in words or (len(k) > 4 and k in header)]
    if within:
        return _WITHIN + min(within) + missing
    return _BY_CONTENT if name in ("email", "currency") else None


def _words(header: str) -> str:
    """``InvoiceDate``, ``invoice.date`` and ``Invoice date`` become ``invoice_date``."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[.]+", "_", header)
    return normal(apart).strip("_")


def _choice(name: str, column: Column, rivals: tuple[str, ...], *, sure: bool) -> Choice:
    choice = Choice(
        name,
        column.header,
        sure=sure,
        called=sure,
        others=rivals,
        samples=tuple(dict.fromkeys(column.cells))[:3],
        why="" if sure else "its cells look like it; its header does not say so",
    )
    if name not in DATES or not column.dates:
        return choice
    form, *more = column.dates
    if not more:
        return replace(choice, date_format=form)
    why = "day and month cannot be told apart in this file"
    return replace(choice, date_format=form, other_format=more[0], sure=False, why=why)
