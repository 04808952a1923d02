"""Reads MAP.toml (docs/books.md). Every mistake in it is a ``BookError``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Literal

from books.errors import BookError
from books.fields import FIELDS, OPTIONAL
from books.map import BookMap, Source
from books.map_settings import (
    SETTINGS,
    amount_form,
    date_format,
    date_formats,
    delimiter,
    encoding,
    texts,
    yes_or_no,
)
from books.pattern import parts_of
from books.reading import Unreadable, read_toml
from dunning.excerpt import shorten

Kind = Literal["plain", "constant", "pattern"]
_SECTIONS: dict[str, Kind] = {
    "columns": "plain",
    "constants": "constant",
    "patterns": "pattern",
}


def read_map(data: bytes | str) -> BookMap:
    """A map from TOML. Raises BookError with the place and the reason."""
    if len(data) > 100_000:
        raise BookError("map: is larger than 100,000 characters")
    try:
        raw = read_toml(data)
    except Unreadable as error:
        raise BookError(f"map: {shorten(str(error), 220)}") from None
    entries = list(_entries(raw))
    formats = date_formats(raw)
    sources = _sources(entries, formats)
    amounts = amount_form(raw)
    return BookMap(
        sources=sources,
        date_formats=formats,
        decimal=amounts.decimal,
        thousands=amounts.thousands,
        strip=amounts.strip,
        empty=frozenset(texts(raw, "empty", 'a list of texts, such as ["NULL", "-"]')),
        round=yes_or_no(raw, "round"),
        whole_numbers=texts(raw, "whole_numbers", 'a list of headers, such as ["doc_id"]'),
        delimiter=delimiter(raw),
        encoding=encoding(raw),
    )


def _entries(raw: Mapping[str, Any]) -> Iterator[tuple[str, Kind, Any]]:
    """The fields of the map, inside and outside its sections."""
    for key, value in raw.items():
        if key in _SECTIONS:
            if not isinstance(value, dict):
                raise BookError(f"map: {key} is not a table; write [{key}] above its fields")
            yield from ((name, _SECTIONS[key], entry) for name, entry in value.items())
        elif key not in SETTINGS:
            yield key, "plain", value


def _sources(entries: list[tuple[str, Kind, Any]], formats: dict[str, str]) -> dict[str, Source]:
    """Adds date formats that are written with their field to ``formats``."""
    sources: dict[str, Source] = {}
    for name, kind, value in entries:
        if name not in FIELDS and name not in OPTIONAL:
            raise BookError(
                f'map: unknown field {shorten(name)!r}; a map says field = "Header of the file", '
                f"and the fields are {', '.join((*FIELDS, *OPTIONAL))}"
            )
        if name in sources:
            raise BookError(f"map: {name} is there twice")
        if isinstance(value, dict):
            sources[name] = _source_of_table(name, dict(value), formats)
        else:
            sources[name] = _source(name, kind, value)
    return sources


def _source_of_table(name: str, table: dict[str, Any], formats: dict[str, str]) -> Source:
    if "date_format" in table:
        formats[name] = date_format(name, table.pop("date_format"))
    match list(table.items()):
        case [("column", str(text))]:
            return Source("column", text)
        case [("pattern", str(text))]:
            parts_of(text, name)
            return Source("pattern", text)
        case [("constant", constant)] if not isinstance(constant, dict):
            return _source(name, "constant", constant)
        case _:
            raise BookError(f"map: {name} is {{column = …}}, {{pattern = …}} or {{constant = …}}")


def _source(name: str, kind: Kind, value: Any) -> Source:
    if isinstance(value, int | date) and not isinstance(value, bool | datetime):
        value, kind = str(value), "constant"  # terms_days = 30
    if not isinstance(value, str):
        raise BookError(f"map: {name} is not a text: {shorten(str(value))}")
    if re.search("[\0\ud800-\udfff]", value):
        raise BookError(f"map: {name} has a character that cannot be stored")
    if kind == "pattern":
        parts_of(value, name)
    return Source(kind, value)
