"""Pydantic's first error as a PlanError: the step, by its key or its place, and the reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dunning.plan import ActionType, PlanError
from plans.fields import KEY, short
from plans.form import NO_TRIGGER, PlanForm, StepForm, TranslationForm, TriggerForm


def refusal(error: ValidationError, data: Mapping[str, Any]) -> PlanError:
    """The first mistake in ``data``, by the order of steps; in a step the key's mistakes come
    first, then unknown fields."""
    first = min(error.errors(include_url=False), key=_rank)
    place = first["loc"]
    if len(place) < 2:
        return PlanError("", _reason(first))
    number = int(place[1])
    step = data["steps"][number]
    key = step.get("key") if isinstance(step, Mapping) else None
    named = isinstance(key, str) and re.fullmatch(KEY, key) is not None
    return PlanError(str(key) if named else f"number {number + 1}", _reason(first))


def _rank(error: ErrorDetails) -> tuple[int, bool, bool, str]:
    place, unknown = error["loc"], error["type"] in ("extra_forbidden", "invalid_key")
    step = int(place[1]) if len(place) > 1 else -1
    return step, place[2:] != ("key",), not unknown, str(place[-1]) if unknown else ""


def _reason(error: ErrorDetails) -> str:
    place = [str(part) for part in error["loc"]]
    language = f"texts.{place[3]}: " if len(place) > 3 and place[2] == "texts" else ""
    field = next((str(part) for part in reversed(error["loc"]) if isinstance(part, str)), "")
    words = _WORDS.get(error["type"], _own_words)
    return f"{language}{words(field, error)}"


def _own_words(field: str, error: ErrorDetails) -> str:
    """The text of one of our own checks, which names its field itself."""
    cause = error.get("ctx", {}).get("error")
    return str(cause) if cause is not None else f"{field}: {error['msg']}"


def _missing(field: str, error: ErrorDetails) -> str:
    if field == "type":
        return f"type None is not one of {', '.join(ActionType)}"
    if field == "steps":
        return "has no steps; add at least one [[steps]]"
    return NO_TRIGGER if field == "trigger" else f"has no {field}"


def _unknown(field: str, error: ErrorDetails) -> str:
    what, form = _FORMS[min(len(error["loc"]) // 2, 2)]
    return f"unknown field {short(error['loc'][-1])}; {what} has {sorted(form.model_fields)}"


def _text(field: str, error: ErrorDetails) -> str:
    if isinstance(error["loc"][-1], int):
        return f"{field} is not a list of texts"
    return f"{field} is not a text: {short(error['input'])}"


def _between(field: str, error: ErrorDetails) -> str:
    forms: dict[int, type[BaseModel]] = {1: PlanForm, 3: StepForm}
    form = forms.get(len(error["loc"]), TriggerForm)
    bounds: dict[str, Any] = {}
    for one in form.model_fields[field].metadata:
        bounds |= {name: getattr(one, name) for name in ("ge", "le") if hasattr(one, name)}
    return f"{field} = {error['input']} is not between {bounds['ge']} and {bounds['le']}"


def _choice(field: str, error: ErrorDetails) -> str:
    choices = error["ctx"]["expected"].replace(" or ", ", ").replace("'", "")
    return f"{field} {short(error['input'])} is not one of {choices}"


_FORMS: list[tuple[str, type[BaseModel]]] = [
    ("a plan", PlanForm),
    ("a step", StepForm),
    ("a text", TranslationForm),
]
_WORDS: dict[str, Callable[[str, ErrorDetails], str]] = {
    "missing": _missing,
    "extra_forbidden": _unknown,
    "invalid_key": _unknown,
    "model_type": lambda field, error: "is not a table of fields",
    "string_type": _text,
    "string_unicode": lambda field, error: f"{field} has a character that cannot be stored",
    "string_too_long": lambda field, error: (
        f"{field} is longer than {error['ctx']['max_length']} characters"
    ),
    "list_type": lambda field, error: f"{field} is not a list of texts",
    "int_type": lambda field, error: f"{field} is not a whole number: {short(error['input'])}",
    "greater_than_equal": _between,
    "less_than_equal": _between,
    "bool_type": lambda field, error: f"{field} is not true or false: {short(error['input'])}",
    "enum": _choice,
}
