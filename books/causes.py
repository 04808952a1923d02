"""Bad rows of a book, grouped by cause: count, first lines, and what to put into the map."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from books.errors import RowError
from books.formats import all_whole_floats, amount_forms, date_formats, is_nothing
from dunning.excerpt import shorten
from dunning.ids import OURS, PREFIX

_FIRST_LINES = 3
_MOST_VALUES = 200
_MOST_CAUSES = 200
_NUMBERS = ("terms_days", "phone")


@dataclass(slots=True)
class Cause:
    """Rows that are bad for the same reason. ``column`` is our field, empty for the whole row;
    ``header`` is the file's column. ``first``: the first three errors. ``values``: different cells,
    as examples and for ``hint``."""

    column: str
    reason: str
    header: str = ""
    count: int = 0
    first: list[RowError] = field(default_factory=list)
    values: list[str] = field(default_factory=list)

    @property
    def hint(self) -> str:
        """The line of TOML for the map that fixes the cause; empty if no map can."""
        return _hint(self)

    @property
    def lines(self) -> list[int]:
        return [error.line for error in self.first]

    def __str__(self) -> str:
        rows = "1 row" if self.count == 1 else f"{self.count:,} rows"
        place = "line" if self.count == 1 else "lines"
        lines = ", ".join(map(str, self.lines)) + (", …" if self.count > len(self.lines) else "")
        text = f"{self.column} {self.reason}".strip() + f": {rows} ({place} {lines})"
        if self.values:
            text += f", such as {shorten(self.values[0])!r}"
        return f"{text}; put into the map: {self.hint}" if self.hint else text


class Causes:
    """Counts bad rows by cause while a file is read; memory does not grow with the file."""

    def __init__(self, errors: Iterable[RowError] = ()) -> None:
        self._found: dict[tuple[str, str], Cause] = {}
        for error in errors:
            self.add(error)

    def add(self, error: RowError) -> None:
        """Count one bad row."""
        cause = self.add_all(error.column, error.cause or error.reason, [error], 1)
        cause.header = cause.header or error.header
        if error.value and error.value not in cause.values and len(cause.values) < _MOST_VALUES:
            cause.values.append(error.value)

    def add_all(self, column: str, reason: str, first: list[RowError], count: int) -> Cause:
        """Counts ``count`` rows that are bad for one reason; ``first``: the first three of them."""
        key = (column, reason)
        if key not in self._found and len(self._found) >= _MOST_CAUSES:
            key = ("", "are wrong for yet other reasons")
        cause = self._found.setdefault(key, Cause(*key))
        cause.count += count
        cause.first = sorted([*cause.first, *first], key=lambda e: e.line)[:_FIRST_LINES]
        return cause

    def listed(self) -> list[Cause]:
        """The most frequent first."""
        return sorted(self._found.values(), key=lambda c: (-c.count, c.column, c.reason))


def by_cause(causes: Causes, name: str) -> list[str]:
    """For a terminal: each cause with its first rows. ``name`` is the file's."""
    lines: list[str] = []
    for cause in causes.listed():
        if cause.count > 1 or cause.hint:
            lines.append(f"{name}: {cause}")
        lines += [f"{name}, {error}" for error in cause.first]
    return lines


def _hint(cause: Cause) -> str:
    nothing = sorted({value for value in cause.values if is_nothing(value)})
    if nothing:
        return f"empty = {json.dumps(nothing, ensure_ascii=False)}"
    if cause.reason == OURS:
        pattern = json.dumps(f"{PREFIX}{{{cause.header}}}", ensure_ascii=False)
        return f"{cause.column} = {{pattern = {pattern}}}" if cause.header else ""
    if cause.reason.startswith("has more decimals"):
        return "round = true"
    if cause.reason.startswith("is not a date"):
        forms = date_formats(cause.values)
        column = json.dumps(cause.header, ensure_ascii=False)
        each = [f'{{column = {column}, date_format = "{form}"}}' for form in forms[:2]]
        return f"{cause.column} = {' or '.join(each)}" if each and cause.header else ""
    if cause.reason.startswith("is not a plain amount"):
        return _amount_hint(cause.values)
    if cause.column in _NUMBERS and cause.header and all_whole_floats(cause.values):
        return f"whole_numbers = {json.dumps([cause.header], ensure_ascii=False)}"
    if cause.column == "currency":
        return 'currency = {constant = "EUR"}, where all rows are in one currency'
    return ""


def _amount_hint(values: list[str]) -> str:
    forms = amount_forms(values)
    if not forms:
        return ""
    form = forms[0]
    settings = {"decimal": form.decimal, "thousands": form.thousands, "strip": form.strip}
    plain = {"decimal": ".", "thousands": "", "strip": ""}
    return ", ".join(
        f"{name} = {json.dumps(text, ensure_ascii=False)}"
        for name, text in settings.items()
        if text != plain[name]
    )
