"""The kinds of field that a plan has: texts, days, selectors. Each checks one value by itself.

``None`` (null in JSON) means the same as a missing field, except for flags and choices.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

MAX_DAYS = 3650
KEY = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
_SELECTOR = re.compile(r"main|others|position:.+|member:.+|[^@\s]+@[^@\s]+")


@dataclass(frozen=True, slots=True)
class Absent:
    """Describes in words the default of a field that has no plain default."""

    means: str


def short(value: Any) -> str:
    """A refused value, cut to 200 characters."""
    shown = repr(value)
    return shown if len(shown) <= 200 else f"{shown[:200]}…"


def _or_empty(value: Any) -> Any:
    return "" if value is None else value


def _or_zero(value: Any) -> Any:
    return 0 if value is None else value


def _or_none_listed(value: Any) -> Any:
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


def _given(value: Any, info: ValidationInfo) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise ValueError(f"has no {info.field_name}")
    return value


def _storable(value: str, info: ValidationInfo) -> str:
    """PostgreSQL stores neither NUL nor half of a surrogate pair."""
    try:
        value.encode()
    except UnicodeEncodeError:
        value = "\x00"
    if "\x00" in value:
        raise ValueError(f"{info.field_name} has a character that cannot be stored")
    return value


def _one_line(value: str, info: ValidationInfo) -> str:
    if "\n" in value or "\r" in value:
        raise ValueError(f"{info.field_name} has a line break")
    return value


def _key(value: str) -> str:
    if not re.fullmatch(KEY, value):
        raise ValueError(f"key {value!r}: use letters, digits, '_', '-' and '.', at most 64")
    return value


def _group_named(value: str) -> str:
    if value.startswith("group:") and not value.removeprefix("group:").split(":")[0].strip():
        raise ValueError("owner: name the group, as in 'group:account managers'")
    return value


def _selectors(value: list[str], info: ValidationInfo) -> list[str]:
    for selector in value:
        if not _SELECTOR.fullmatch(selector):
            forms = "'main', 'others', 'position:NAME', 'member:EMAIL' or an address"
            raise ValueError(f"{info.field_name}: {short(selector)} is not {forms}")
    return value


EmptyForNone, ZeroForNone = BeforeValidator(_or_empty), BeforeValidator(_or_zero)
Required = BeforeValidator(_given)
Storable, InOneLine = AfterValidator(_storable), AfterValidator(_one_line)
Name = Annotated[str, Field(max_length=200), EmptyForNone, Storable, InOneLine]
StepKey = Annotated[
    Name, Required, AfterValidator(_key), Field(json_schema_extra={"pattern": f"^{KEY}$"})
]
Owner = Annotated[Name, AfterValidator(_group_named)]
Selectors = Annotated[list[str], BeforeValidator(_or_none_listed), AfterValidator(_selectors)]
