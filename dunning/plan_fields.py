"""The fields of a plan's data, read one by one and refused with the step and the reason."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

MAX_DAYS = 3650
_SELECTOR = re.compile(r"main|others|position:.+|member:.+|[^@\s]+@[^@\s]+")


class PlanError(ValueError):
    """A plan that makes no sense: which step (its key or place; empty = the plan) and why."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(f"step {step}: {reason}" if step else f"plan: {reason}")
        self.step = step
        self.reason = reason


def short(value: Any) -> str:
    """Of a value that is refused as much as a reason has room for."""
    told = repr(value)
    return told if len(told) <= 200 else f"{told[:200]}…"


def text(
    where: str,
    data: Mapping[str, Any],
    name: str,
    *,
    required: bool = False,
    limit: int = 200,
    lines: bool = False,
) -> str:
    value = data.get(name)
    if value is None:
        value = ""
    if not isinstance(value, str):
        raise PlanError(where, f"{name} is not a text: {short(value)}")
    if required and not value.strip():
        raise PlanError(where, f"has no {name}")
    if len(value) > limit:
        raise PlanError(where, f"{name} is longer than {limit} characters")
    if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise PlanError(where, f"{name} has a character that cannot be stored")
    if not lines and ("\n" in value or "\r" in value):
        raise PlanError(where, f"{name} has a line break")
    return value


def number(
    where: str, data: Mapping[str, Any], name: str, least: int, default: int | None
) -> int | None:
    value = data.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise PlanError(where, f"{name} is not a whole number: {short(value)}")
    if not least <= value <= MAX_DAYS:
        raise PlanError(where, f"{name} = {value} is not between {least} and {MAX_DAYS}")
    return value


def flag(where: str, data: Mapping[str, Any], name: str, default: bool) -> bool:
    value = data.get(name, default)
    if not isinstance(value, bool):
        raise PlanError(where, f"{name} is not true or false: {short(value)}")
    return value


_E = TypeVar("_E", bound=StrEnum)


def choice(
    where: str, data: Mapping[str, Any], name: str, kind: type[_E], default: _E | None
) -> _E:
    value = data.get(name, default)
    try:
        return kind(value)
    except ValueError:
        choices = ", ".join(member.value for member in kind)
        raise PlanError(where, f"{name} {short(value)} is not one of {choices}") from None


def selectors(where: str, data: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = data.get(name)
    if value is None:
        return ()
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise PlanError(where, f"{name} is not a list of texts")
    for selector in value:
        if not _SELECTOR.fullmatch(selector):
            forms = "'main', 'others', 'position:NAME', 'member:EMAIL' or an address"
            raise PlanError(where, f"{name}: {short(selector)} is not {forms}")
    return tuple(value)
