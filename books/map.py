"""A map: which column, constant or pattern of a foreign file gives which field of a book."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from books.errors import BookError
from books.fields import FIELDS, OPTIONAL, SPARED
from books.header import Header, normal
from books.pattern import fill, parts_of
from dunning.currency import CURRENCIES

Getter = Callable[[Sequence[str]], str]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a field comes from. For ``plain`` text ``BookMap.bind`` decides it by the header."""

    kind: Literal["plain", "column", "pattern", "constant"]
    text: str


@dataclass(frozen=True, slots=True)
class Bound:
    """A field of a file: ``get`` takes it from a row; ``label`` names its origin in error messages;
    ``header`` is its column, empty for a constant or a pattern."""

    label: str
    get: Getter
    header: str = ""


@dataclass(frozen=True, slots=True)
class BookMap:
    """A parsed MAP.toml. The empty map fits a file in our own form."""

    sources: Mapping[str, Source] = field(default_factory=dict)
    date_formats: Mapping[str, str] = field(default_factory=dict)  # by field; absent = ISO
    decimal: str = "."
    thousands: str = ""
    strip: str = ""  # characters left out of amounts
    round: bool = False  # round amounts to the decimals of their currency
    whole_numbers: tuple[str, ...] = ()  # headers of columns in which 7.0 stands for 7
    empty: frozenset[str] = frozenset()  # texts that mean an empty cell
    delimiter: str = ""  # empty: detected from the header
    encoding: str = ""  # empty: detected from the file

    def names(self) -> set[str]:
        """The normalised headers that the map names; the right delimiter yields most of them."""
        names = {normal(name) for name in (*FIELDS, *OPTIONAL)}
        names.update(normal(name) for name in self.whole_numbers)
        for source in self.sources.values():
            if source.kind in ("plain", "column"):
                names.add(normal(source.text))
            if source.kind in ("plain", "pattern"):
                names.update(normal(name) for name, literal in parts_of(source.text) if not literal)
        return names

    def bind(self, header: Sequence[str]) -> dict[str, Bound]:
        """Each field of the file, and how to take it from a row.

        Raises BookError that names a column that is missing or occurs twice.
        """
        columns = Header(header)
        bound: dict[str, Bound] = {}
        missing: list[str] = []
        for name in (*FIELDS, *OPTIONAL):
            source = self.sources.get(name)
            if source is not None:
                bound[name] = self._get(name, source, columns)
            elif name in OPTIONAL and self.sources:
                continue  # a foreign file's "plan" or "country" means something else
            elif columns.has(name):
                place = columns.place(name)
                bound[name] = Bound(name, _column(place), columns.names[place])
            elif name in FIELDS and not (self.sources and name in SPARED):
                missing.append(name)
        if missing:
            hint = "; a map can name other columns, or constants" if not self.sources else ""
            raise BookError(f"no column for {', '.join(missing)}; the file has {columns}{hint}")
        return bound

    def whole_number_places(self, header: Sequence[str]) -> list[tuple[int, str]]:
        """The indexes of the columns in ``whole_numbers``, with their headers. Raises BookError for
        a missing one."""
        columns = Header(header)
        places = [columns.place(name, "whole_numbers: ") for name in self.whole_numbers]
        return [(place, columns.names[place]) for place in places]

    def _get(self, name: str, source: Source, columns: Header) -> Bound:
        text, kind = source.text, source.kind
        if kind == "plain" and columns.has(text):
            if _is_value(name, text):
                raise BookError(
                    f"map: {name} = {text!r} is a column of the file and could be a constant too; "
                    f"write it under [constants], or as {{column = {text!r}}}"
                )
            kind = "column"
        elif kind == "plain" and "{" in text:
            kind = "pattern"
        elif kind == "plain" and _is_value(name, text):
            kind = "constant"
        if kind == "constant":
            return Bound(f"{name}, a constant", lambda _cells: text)
        if kind == "pattern":
            parts = [
                part if literal else columns.place(part, f"{name} = {text!r}: ")
                for part, literal in parts_of(text, name)
            ]
            return Bound(f"{name} = {text!r}", lambda cells: fill(parts, cells))
        place = columns.place(text, f"{name} = {text!r}: ")
        label = name if normal(text) == name else f"{name} = {columns.names[place]!r}"
        return Bound(label, _column(place), columns.names[place])


def _is_value(name: str, text: str) -> bool:
    """Whether a plain text can only be a value of this field, as ``EUR`` for ``currency``."""
    if text == "":
        return name in ("due_on", "paid_on", *SPARED, *OPTIONAL)
    match name:
        case "currency":
            return text.upper() in CURRENCIES
        case "email":
            return "@" in text
        case "country":
            return bool(re.fullmatch(r"[A-Z]{2}", text))
        case "language":
            return bool(re.fullmatch(r"[a-z]{2}([-_][A-Z]{2})?", text))
        case "terms_days":
            return bool(re.fullmatch(r"[0-9]{1,4}", text))
    return False


def _column(place: int) -> Getter:
    return lambda cells: cells[place]
