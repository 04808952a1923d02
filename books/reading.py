"""Reads JSON and TOML of users; size and depth are limited before parsing.

Python's parsers can be made slow: ``tomllib`` takes quadratic time for a dotted name (60 kB of
``a.a.a…`` take 11 s and 3.6 GB), ``json`` blocks every thread for a second with ten megabytes of
brackets.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from typing import Any

from dunning.excerpt import shorten

#: The most bytes of JSON, and its most values, counted by commas and brackets.
JSON_BYTES = 1_000_000
JSON_VALUES = 50_000
#: The most names in one object.
JSON_NAMES = 100
#: The most bytes of TOML: a plan in all its languages has tens of thousands.
TOML_BYTES = 300_000
#: How deep lists and objects may be nested.
DEPTH = 32
#: The most parts of a dotted name such as ``trigger.from``.
_PARTS = 10

_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
#: A dotted name with too many parts. Quoted text of that form is refused as well.
_LONG_NAME = re.compile(
    rf"""(?<![A-Za-z0-9_."'\\-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{_PARTS}}}"""
)


class Unreadable(ValueError):
    """The text is not JSON or TOML, or is too large or too deep. The message says which."""


class Twice(Unreadable):
    """An object has the same name twice, so one of the values would be lost. ``place``: the path to
    it, of names and indexes."""

    def __init__(self, place: tuple[str | int, ...]) -> None:
        super().__init__(f"has {shorten(str(place[-1]))!r} twice in one object")
        self.place = place


def read_json(data: bytes | str, *, values: int = JSON_VALUES) -> Any:
    """Raises Unreadable, with the character if it is known. Raises Twice."""
    comma, list_, object_ = (b",", b"[", b"{") if isinstance(data, bytes) else (",", "[", "{")
    signs = data.count(comma) + data.count(list_) + data.count(object_)  # type: ignore[arg-type]
    if signs > values:
        raise Unreadable(f"has more than {values:,} values; send it in smaller parts")
    twice: dict[int, tuple[dict[str, Any], str]] = {}  # by id(): the object, and its repeated name

    def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(pairs) > JSON_NAMES:  # each unknown name would become one error
            raise Unreadable(f"has an object of more than {JSON_NAMES} names")
        found = dict(pairs)
        if len(found) != len(pairs):
            counts = Counter(name for name, _ in pairs)
            twice[id(found)] = found, next(name for name in found if counts[name] > 1)
        return found

    try:
        found = json.loads(data, object_pairs_hook=object_of)
    except Unreadable:
        raise
    except json.JSONDecodeError as error:
        raise Unreadable(f"is not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise Unreadable(_deep()) from None
    except ValueError as error:  # not UTF-8, or a number with thousands of digits
        raise Unreadable(f"is not JSON: {str(error)[:200]}") from None
    _refuse_deep(found)
    if twice:
        raise Twice(_place(found, twice) or ("?",))
    return found


def _place(
    value: Any, twice: dict[int, tuple[dict[str, Any], str]]
) -> tuple[str | int, ...] | None:
    """The path to the first object with a repeated name, outer objects first."""
    if isinstance(value, dict) and id(value) in twice:
        return (twice[id(value)][1],)
    inner: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for key, one in inner:
        found = _place(one, twice)
        if found is not None:
            return (key, *found)
    return None


def read_toml(data: bytes | str) -> dict[str, Any]:
    """Raises Unreadable, with line and column if they are known."""
    if len(data) > TOML_BYTES:
        raise Unreadable(f"has more than {TOML_BYTES:,} characters")
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
        if _LONG_NAME.search(text):
            raise Unreadable(f"has a name of more than {_PARTS} parts joined by dots")
        found = tomllib.loads(text)
    except Unreadable:
        raise
    except RecursionError:
        raise Unreadable(_deep()) from None
    except ValueError as error:
        raise Unreadable(f"is not TOML: {str(error)[:200]}") from None
    _refuse_deep(found)
    return found


def _deep() -> str:
    return f"is nested more than {DEPTH} levels deep"


def _refuse_deep(value: Any) -> None:
    """Callers walk the value recursively: deep nesting would exhaust the stack."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return
    raise Unreadable(_deep())
