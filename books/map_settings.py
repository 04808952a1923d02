"""The settings of MAP.toml: how dates, amounts and empty cells are written, encoding and delimiter.

Each function raises ``BookError`` for an invalid value.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from books.cells import parse_date
from books.errors import BookError
from books.fields import DATES
from books.formats import AmountForm
from dunning.excerpt import shorten

SETTINGS = frozenset(
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


def date_formats(raw: Mapping[str, Any]) -> dict[str, str]:
    """By field: one format for all dates, or one for each."""
    formats: dict[str, str] = {}
    if "date_format" in raw:
        formats = dict.fromkeys(DATES, date_format("", raw["date_format"]))
    special = raw.get("date_formats", {})
    if not isinstance(special, dict):
        raise BookError("map: date_formats is not a table of formats by field")
    for name, form in special.items():
        formats[name] = date_format(name, form)
    return formats


def date_format(name: str, form: Any) -> str:
    """A format of ``strptime`` that reads whole dates; empty for the ISO form."""
    where = f"map: date_format of {shorten(name)}" if name else "map: date_format"
    if name and name not in DATES:
        raise BookError(f"{where}: not a date; the dates are {', '.join(DATES)}")
    if not isinstance(form, str) or len(form) > 60:
        raise BookError(f"{where}: is not a short text")
    codes = re.findall("%(.?)", form.replace("%%", ""))
    try:
        if not all(code in tuple("dmYybBaAHIMSfpz") for code in codes):
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


def amount_form(raw: Mapping[str, Any]) -> AmountForm:
    decimal, thousands = _text(raw, "decimal", "."), _text(raw, "thousands")
    if decimal not in (".", ","):
        raise BookError(f'map: decimal is "." or ",", not {shorten(decimal)!r}')
    if thousands not in ("", ".", ",", " ", "'", "’", "_") or thousands == decimal:
        raise BookError("map: thousands is one of . , ' _ or a space, and not the decimal sign")
    strip = _text(raw, "strip")
    if re.search(r"[0-9.,+-]", strip):
        raise BookError("map: strip names signs to leave out of amounts, such as '$€'")
    return AmountForm(decimal, thousands, strip)


def texts(raw: Mapping[str, Any], name: str, wanted: str) -> tuple[str, ...]:
    found = raw.get(name, [])
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise BookError(f"map: {name} is {wanted}")
    return tuple(found)


def yes_or_no(raw: Mapping[str, Any], name: str) -> bool:
    found = raw.get(name, False)
    if not isinstance(found, bool):
        raise BookError(f"map: {name} is true or false")
    return found


def delimiter(raw: Mapping[str, Any]) -> str:
    """One character; empty if it is detected."""
    found = _text(raw, "delimiter")
    if found and not re.fullmatch(r"[^\w\s\"'.+-]|[\t ]", found):
        raise BookError(f'map: delimiter {shorten(found)!r} is not a sign such as ";" or "\\t"')
    return found


def encoding(raw: Mapping[str, Any]) -> str:
    """Python's name of a text encoding; empty if it is detected."""
    name = _text(raw, "encoding")
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


def _text(raw: Mapping[str, Any], name: str, default: str = "") -> str:
    value = raw.get(name, default)
    if not isinstance(value, str):
        raise BookError(f"map: {name} is not a text")
    return value
