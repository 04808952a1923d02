"""The parts of the providers' own OpenAPI documents that we use: ``schemas/*.json``.

Each file names the document and the commit from which it was copied. The stand-ins check requests
by them; tests check the stand-ins' answers and callbacks, and our requests.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError

_FOLDER = Path(__file__).with_name("schemas")


@dataclass(frozen=True, slots=True)
class Violation:
    """``field`` as the providers name it, such as ``personalizations.0.to``; empty = the whole.
    ``rule`` is the violated keyword, such as ``maxLength``."""

    field: str
    rule: str
    message: str


def wrong(provider: str, name: str, value: Any) -> list[Violation]:
    """What of the value is not as the provider's document says, by field. ``name`` is one of the
    definitions in the provider's file. Raises KeyError for one that is not there."""
    found = [_violation(error) for error in _validator(provider, name).iter_errors(value)]
    return sorted(found, key=lambda one: (one.field, one.rule))


def document(provider: str) -> dict[str, Any]:
    """The provider's whole file."""
    found: dict[str, Any] = json.loads((_FOLDER / f"{provider}.json").read_text())
    return found


@cache
def _validator(provider: str, name: str) -> Draft202012Validator:
    whole = document(provider)
    if name not in whole["$defs"]:
        raise KeyError(f"{name} is not in the document of {provider}")
    schema = {"$ref": f"#/$defs/{name}", "$defs": whole["$defs"]}
    return Draft202012Validator(schema, validate_formats=True)


def _violation(error: ValidationError) -> Violation:
    """A missing or unknown field is named itself, and not the object around it."""
    kind, more = error.kind.as_dict(), []
    if error.kind.name == "required":
        more = [kind["property"]]
    elif error.kind.name == "additionalProperties":
        more = kind["unexpected"][:1]
    field = ".".join(str(part) for part in [*error.instance_path, *more])
    return Violation(field, str(error.kind.name), error.message)
