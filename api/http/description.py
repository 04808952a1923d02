"""What generated clients need in the OpenAPI document beyond what FastAPI writes: the headers of
answers, the scopes of keys, and the model of problems.

``tests/api/http/test_description.py`` checks every operation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from api.http.arrival import NAME as REQUEST_ID_HEADER
from api.http.problems import Problem
from api.http.rules import linked
from backoffice.people.keys import BILLING, MEMBER


def _header(description: str, *, always: bool, example: str) -> dict[str, Any]:
    return {
        "description": description,
        "required": always,
        "schema": {"type": "string"},
        "example": example,
    }


_REQUEST_ID = _header(
    "Of this request; by it the log is searched.", always=True, example="5f0c7c6e1d3a4b29"
)
_CHALLENGE = "Which key is needed (RFC 6750)."
_AGAIN = "Seconds after which the same request may work."
_SCOPE = 'Bearer realm="dunning", error="insufficient_scope", scope="billing"'
#: The headers of an answer by its status; every answer has the id of its request.
_HEADERS: dict[str, dict[str, Any]] = {
    "401": {"WWW-Authenticate": _header(_CHALLENGE, always=True, example='Bearer realm="dunning"')},
    "403": {"WWW-Authenticate": _header(_CHALLENGE, always=False, example=_SCOPE)},
    "405": {"Allow": _header("What is possible here.", always=True, example="GET, HEAD")},
    "429": {"Retry-After": _header(_AGAIN, always=True, example="2")},
    "503": {"Retry-After": _header(_AGAIN, always=True, example="5")},
}


def describe(app: FastAPI) -> None:
    """Extends ``app.openapi``."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        made = app.openapi_schema is not None
        document = plain()
        if not made:
            _problem_model(document)
            _link_rules(document)
            for operation in _operations(document):
                _name_headers(operation)
                _name_scopes(operation)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        yield from methods.values()


def _problem_model(document: dict[str, Any]) -> None:
    """The schema that every declared problem refers to."""
    own = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    models = document.setdefault("components", {}).setdefault("schemas", {})
    models.update(own.pop("$defs"))
    models["Problem"] = own


def _link_rules(part: Any) -> None:
    """Descriptions are Markdown: the rules that they cite become links."""
    for value in part.values() if isinstance(part, dict) else part:
        if isinstance(value, dict | list):
            _link_rules(value)
    if isinstance(part, dict) and isinstance(part.get("description"), str):
        part["description"] = linked(part["description"])


def _name_headers(operation: dict[str, Any]) -> None:
    for status, answer in operation["responses"].items():
        known = {**_HEADERS.get(status, {}), REQUEST_ID_HEADER: _REQUEST_ID}
        answer["headers"] = {**answer.get("headers", {}), **known}


def _name_scopes(operation: dict[str, Any]) -> None:
    """FastAPI names the scopes that the dependencies ask for (``api.http.auth``). One that asks
    for none takes a key of either."""
    if operation.get("security") == [{"key": []}]:
        operation["security"] = [{"key": [MEMBER]}, {"key": [BILLING]}]
    for need in operation.get("security", ()):
        need["key"].sort(reverse=True)  # member before admin
