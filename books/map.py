"""How a foreign file reads as a book: its headers, dates and numbers, with constants and patterns.

The form of MAP.toml is described in docs/books.md. Every mistake in it is a ``BookError``.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal

from books.cells import parse_date
from books.reading import Unreadable, read_toml
from dunning.currency import CURRENCIES
from dunning.excerpt import shorten


class BookError(ValueError):
    """The file, or its map, cannot be used at all; ``line`` is 0 where no line is to blame."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.line = line
        self.reason = reason


#: The columns of a book, in the order in which we write them.
FIELDS = (
    "customer", "customer_name", "email", "invoice", "issued_on", "due_on", "total", "currency",
    "paid_on",
)  # fmt: skip
#: Columns that a book may have besides.
OPTIONAL = ("phone", "language", "country", "terms_days", "parent", "plan")
#: What a map may leave out: a missing name or address harms nobody, a missing ``paid_on`` would.
_SPARED = frozenset({"customer_name", "email"})
_DATES = ("issued_on", "due_on", "paid_on")
_SETTINGS = frozenset(
    {
        "date_format",
        "date_formats",
        "decimal",
        "thousands",
        "strip",
        "empty",
        "delimiter",
        "encoding",
        "round",
        "whole_numbers",
    }
)
_SECTIONS: dict[str, Literal["plain", "constant", "pattern"]] = {
    "columns": "plain",
    "constants": "constant",
    "patterns": "pattern",
}


Getter = Callable[[Sequence[str]], str]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a field comes from. ``plain`` is judged against the header (``BookMap.bind``)."""

    kind: Literal["plain", "column", "pattern", "constant"]
    text: str


@dataclass(frozen=True, slots=True)
class Bound:
    """A field of a file: ``label`` says in words where it comes from, ``get`` takes it from a row,
    ``header`` is its column, empty for a constant or a pattern."""

    label: str
    get: Getter
    header: str = ""


@dataclass(frozen=True, slots=True)
class BookMap:
    """A read MAP.toml. The empty one fits a file in our own form."""

    sources: Mapping[str, Source] = field(default_factory=dict)
    date_formats: Mapping[str, str] = field(default_factory=dict)  # by field; absent = ISO
    decimal: str = "."
    thousands: str = ""
    strip: str = ""  # characters left out of amounts
    round: bool = False  # amounts to the decimals of their currency
    whole_numbers: tuple[str, ...] = ()  # headers of columns in which 7.0 stands for 7
    empty: frozenset[str] = frozenset()  # what stands for an empty cell
    delimiter: str = ""  # empty: found from the header
    encoding: str = ""  # empty: found from the file

    def names(self) -> set[str]:
        """The headers this map would know, normalised: how the delimiter is recognised."""
        names = {normal(name) for name in (*FIELDS, *OPTIONAL)}
        names.update(normal(name) for name in self.whole_numbers)
        for source in self.sources.values():
            if source.kind in ("plain", "column"):
                names.add(normal(source.text))
            if source.kind in ("plain", "pattern"):
                names.update(normal(name) for name, literal in _pattern(source.text) if not literal)
        return names

    def bind(self, header: Sequence[str]) -> dict[str, Bound]:
        """For each field that the file has: where it comes from and how to get it.

        Raises BookError for a column that is missing or twice there, naming it.
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
            elif name in FIELDS and not (self.sources and name in _SPARED):
                missing.append(name)
        if missing:
            hint = "; a map can name other columns, or constants" if not self.sources else ""
            raise BookError(f"no column for {', '.join(missing)}; the file has {columns}{hint}")
        return bound

    def whole_number_places(self, header: Sequence[str]) -> list[tuple[int, str]]:
        """Where ``whole_numbers`` stand, with their headers. Raises BookError for a missing one."""
        columns = Header(header)
        places = [columns.place(name, "whole_numbers: ") for name in self.whole_numbers]
        return [(place, columns.names[place]) for place in places]

    def _get(self, name: str, source: Source, columns: Header) -> Bound:
        text, kind = source.text, source.kind
        if kind == "plain" and columns.has(text):
            if _speaks_for_itself(name, text):
                raise BookError(
                    f"map: {name} = {text!r} is a column of the file and could be a constant too; "
                    f"write it under [constants], or as {{column = {text!r}}}"
                )
            kind = "column"
        elif kind == "plain" and "{" in text:
            kind = "pattern"
        elif kind == "plain" and _speaks_for_itself(name, text):
            kind = "constant"
        if kind == "constant":
            return Bound(f"{name}, a constant", lambda _cells: text)
        if kind == "pattern":
            parts = [
                part if literal else columns.place(part, f"{name} = {text!r}: ")
                for part, literal in _pattern(text, name)
            ]
            return Bound(f"{name} = {text!r}", lambda cells: _fill(parts, cells))
        place = columns.place(text, f"{name} = {text!r}: ")
        label = name if normal(text) == name else f"{name} = {columns.names[place]!r}"
        return Bound(label, _column(place), columns.names[place])


class Header:
    """The header of a file: its columns by name, whatever their case and spaces."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = [name.strip() for name in names]
        self._places: dict[str, list[int]] = {}
        for i, name in enumerate(self.names):
            if name:
                self._places.setdefault(normal(name), []).append(i)

    def has(self, name: str) -> bool:
        return normal(name) in self._places

    def place(self, name: str, where: str = "") -> int:
        """The one column of this name. Raises BookError: none, or several."""
        places = self._places.get(normal(name), [])
        if len(places) > 1 and where:  # a map says "Total", not "TOTAL": its spelling decides
            places = [i for i in places if self.names[i] == name.strip()] or places
        if len(places) > 1:
            raise BookError(f"{where}the column {name!r} is there {len(places)} times")
        if not places:
            raise BookError(f"{where}no column {name!r}; the file has {self}")
        return places[0]

    def __str__(self) -> str:
        shown = [shorten(name) for name in self.names if name]
        return ", ".join(shown[:30]) + (", …" if len(shown) > 30 else "") or "no columns"


def normal(name: str) -> str:
    """A header without its case and spaces: ``Issued On`` is ``issued_on``."""
    return re.sub(r"[\s_-]+", "_", name.strip().casefold())


def read_map(data: bytes | str) -> BookMap:
    """A map from TOML. Raises BookError with the place and the reason."""
    if len(data) > 100_000:
        raise BookError("map: is larger than 100,000 characters")
    try:
        raw = read_toml(data)
    except Unreadable as error:
        raise BookError(f"map: {shorten(str(error), 220)}") from None
    entries: list[tuple[str, Literal["plain", "constant", "pattern"], Any]] = []
    for key, value in raw.items():
        if key in _SECTIONS:
            if not isinstance(value, dict):
                raise BookError(f"map: {key} is not a table; write [{key}] above its fields")
            entries += [(name, _SECTIONS[key], entry) for name, entry in value.items()]
        elif key not in _SETTINGS:
            entries.append((key, "plain", value))
    sources: dict[str, Source] = {}
    formats = _date_formats(raw)
    for name, kind, value in entries:
        if name not in FIELDS and name not in OPTIONAL:
            raise BookError(
                f'map: unknown field {shorten(name)!r}; a map says field = "Header of the file", '
                f"and the fields are {', '.join((*FIELDS, *OPTIONAL))}"
            )
        if name in sources:
            raise BookError(f"map: {name} is there twice")
        sources[name] = _source(name, kind, value, formats)
    decimal = _setting(raw, "decimal", ".")
    thousands = _setting(raw, "thousands", "")
    if decimal not in (".", ","):
        raise BookError(f'map: decimal is "." or ",", not {shorten(decimal)!r}')
    if thousands not in ("", ".", ",", " ", "'", "’", "_") or thousands == decimal:
        raise BookError("map: thousands is one of . , ' _ or a space, and not the decimal sign")
    strip = _setting(raw, "strip", "")
    if re.search(r"[0-9.,+-]", strip):
        raise BookError("map: strip names signs to leave out of amounts, such as '$€'")
    empty = raw.get("empty", [])
    if not isinstance(empty, list) or not all(isinstance(text, str) for text in empty):
        raise BookError('map: empty is a list of texts, such as ["NULL", "-"]')
    rounds, whole = raw.get("round", False), raw.get("whole_numbers", [])
    if not isinstance(rounds, bool):
        raise BookError("map: round is true or false")
    if not isinstance(whole, list) or not all(isinstance(text, str) for text in whole):
        raise BookError('map: whole_numbers is a list of headers, such as ["doc_id"]')
    delimiter = _setting(raw, "delimiter", "")
    if delimiter and not re.fullmatch(r"[^\w\s\"'.+-]|[\t ]", delimiter):
        raise BookError(f'map: delimiter {shorten(delimiter)!r} is not a sign such as ";" or "\\t"')
    return BookMap(
        sources=sources,
        date_formats=formats,
        decimal=decimal,
        thousands=thousands,
        strip=strip,
        round=rounds,
        whole_numbers=tuple(whole),
        empty=frozenset(empty),
        delimiter=delimiter,
        encoding=_encoding(_setting(raw, "encoding", "")),
    )


def _source(
    name: str,
    kind: Literal["plain", "constant", "pattern"],
    value: Any,
    formats: dict[str, str],
) -> Source:
    """One field of the map; a date format in its table joins ``formats``."""
    if isinstance(value, dict):
        table = dict(value)
        if "date_format" in table:
            formats[name] = _date_format(name, table.pop("date_format"))
        match list(table.items()):
            case [("column", str(text))]:
                return Source("column", text)
            case [("pattern", str(text))]:
                _pattern(text, name)
                return Source("pattern", text)
            case [("constant", constant)] if not isinstance(constant, dict):
                return _source(name, "constant", constant, formats)
            case _:
                raise BookError(
                    f"map: {name} is {{column = …}}, {{pattern = …}} or {{constant = …}}"
                )
    if isinstance(value, int | date) and not isinstance(value, bool | datetime):
        value, kind = str(value), "constant"  # terms_days = 30
    if not isinstance(value, str):
        raise BookError(f"map: {name} is not a text: {shorten(str(value))}")
    if re.search("[\0\ud800-\udfff]", value):
        raise BookError(f"map: {name} has a character that cannot be stored")
    if kind == "pattern":
        _pattern(value, name)
    return Source(kind, value)


def _speaks_for_itself(name: str, text: str) -> bool:
    """Whether a text that stands alone can only be meant as a value of this field."""
    if text == "":
        return name in ("due_on", "paid_on", *_SPARED, *OPTIONAL)
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


def _pattern(text: str, name: str = "") -> list[tuple[str, bool]]:
    """The parts of a pattern: (text, True) as it stands, (header, False) from the row."""
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


def _fill(parts: Sequence[str | int], cells: Sequence[str]) -> str:
    """The pattern filled; empty where every column it takes from is empty."""
    taken = [cells[part] for part in parts if isinstance(part, int)]
    if taken and not any(taken):
        return ""
    return "".join(cells[part] if isinstance(part, int) else part for part in parts)


def _column(place: int) -> Getter:
    return lambda cells: cells[place]


def _setting(raw: Mapping[str, Any], name: str, default: str) -> str:
    value = raw.get(name, default)
    if not isinstance(value, str):
        raise BookError(f"map: {name} is not a text")
    return value


def _date_formats(raw: Mapping[str, Any]) -> dict[str, str]:
    formats: dict[str, str] = {}
    if "date_format" in raw:
        formats = dict.fromkeys(_DATES, _date_format("", raw["date_format"]))
    special = raw.get("date_formats", {})
    if not isinstance(special, dict):
        raise BookError("map: date_formats is not a table of formats by field")
    for name, form in special.items():
        formats[name] = _date_format(name, form)
    return formats


def _date_format(name: str, form: Any) -> str:
    where = f"map: date_format of {shorten(name)}" if name else "map: date_format"
    if name and name not in _DATES:
        raise BookError(f"{where}: not a date; the dates are {', '.join(_DATES)}")
    if not isinstance(form, str) or len(form) > 60:
        raise BookError(f"{where}: is not a short text")
    known: Iterable[str] = re.findall("%(.?)", form.replace("%%", ""))
    try:
        if not all(code in tuple("dmYybBaAHIMSfpz") for code in known):
            raise ValueError
        example = datetime(2019, 11, 23, tzinfo=UTC).strftime(form)
        if not example.isascii() or parse_date(example, form) != date(2019, 11, 23):
            raise ValueError
    except (ValueError, re.error):  # re.error: the same part twice
        raise BookError(
            f'{where}: {form!r} does not give a day, month and year; "%m/%d/%Y" reads 3/31/2025, '
            '"%d.%m.%Y" reads 31.03.2025'
        ) from None
    return "" if form == "%Y-%m-%d" else form


def _encoding(name: str) -> str:
    if not name:
        return ""
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        found = ""
    if not re.fullmatch(
        r"utf-(8|8-sig|16|32|16-[lb]e)|ascii|(iso8859|mac|koi8|euc|big5|gb|cp).*|shift_jis.*", found
    ):
        raise BookError(
            f"map: encoding {shorten(name)!r} is not known; try utf-8, cp1252 or utf-16"
        )
    return "utf-8-sig" if found == "utf-8" else found
