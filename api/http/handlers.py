"""Each exception of an endpoint becomes a problem document (``api.http.problems``)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from fastapi.responses import Response
from fastapi.routing import iter_route_contexts
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from api.http.problems import MAX_ERRORS, ProblemResponse, crashed, later, pointer, problem, refused
from api.http.repeat import run_again
from store.collisions import collides
from store.engine import is_outage
from store.errors import DunningError, Mistake
from store.races import state_of, times

_log = logging.getLogger(__name__)

#: A lock that took too long: the same again may work.
_LOCKED = "55P03"
#: A statement that took too long, of itself or because the database is slow.
_SLOW = "57014"
_UNIQUE = "23505"


async def _dunning(request: Request, error: Any) -> ProblemResponse:
    assert isinstance(error, DunningError)
    return refused(request, error)


async def _http(request: Request, error: Any) -> ProblemResponse:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    detail = str(error.detail)
    if error.status_code == 404:
        detail = f"there is nothing at {request.url.path}"
    elif error.status_code == 405:
        headers["Allow"] = ", ".join(sorted(_methods(request)))
        detail = f"{request.method} is not possible here; {headers['Allow']} is"
    return problem(request, error.status_code, detail, headers=headers)


def _methods(request: Request) -> set[str]:
    """The methods of all routes of the path."""
    found: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.path and compile_path(route.path)[0].match(request.url.path):
            found |= route.methods or set()
    return found | {"HEAD"} if "GET" in found else found


async def _validation(request: Request, error: Any) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    wrong = [Mistake(_where(e["loc"]), _reason(e)) for e in found[:MAX_ERRORS]]
    content_type = request.headers.get("content-type", "")
    whole = {e["type"] for e in found if e["loc"] == ("body",)}
    if whole and not _is_json(content_type) and (content_type or "missing" not in whole):
        return problem(request, 415, "send the body as application/json")
    first = wrong[0] if wrong else Mistake("", "the content makes no sense")
    more = f" (and {len(found) - 1:,} more)" if len(found) > 1 else ""
    detail = f"{first.where}: {first.reason}{more}" if first.where else f"{first.reason}{more}"
    return problem(request, 422, detail, wrong)


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )


def _where(loc: Sequence[int | str]) -> str:
    """("body", "contacts", 0, "email") is "/contacts/0/email"; ("query", "limit") "query limit"."""
    place, rest = str(loc[0]), loc[1:]
    if place == "body":
        return pointer(*rest)
    return f"{place} {'.'.join(str(p) for p in rest)}"


def _reason(error: Mapping[str, Any]) -> str:
    if error["type"] == "missing":
        return "is missing"
    if error["type"] == "extra_forbidden":
        return "is not a field we know"
    words = str(error["msg"]).removeprefix("Value error, ")
    return words[:1].lower() + words[1:]


async def _database(request: Request, error: Any) -> ProblemResponse:
    """Bad content (409, 422), or a state that passes (503). A lost race is answered only when the
    request was run again and has lost again."""
    orig = getattr(error, "orig", None)
    state = state_of(error)
    if run_again(request.scope, error):
        _log.info("%s %s is run again: %s", request.method, request.url.path, state or "stale")
    if state == _UNIQUE:
        return problem(request, 409, collides(getattr(orig, "diag", None)))
    if state == _LOCKED or times(error):
        return later(request, "somebody else was writing the same; try again", 1)
    if state == _SLOW:
        return later(request, "it took too long; try again", 5)
    if isinstance(error, sa.exc.DataError | UnicodeEncodeError):
        return problem(request, 422, "a value has a character or a size that cannot be stored")
    if isinstance(error, sa.exc.IntegrityError):
        _log.warning("refused by the database: %s", orig)
        return problem(request, 409, "this contradicts what is stored")
    if is_outage(error):
        _log.warning("the database does not answer: %s", error)
        return later(request, "the database does not answer; try again", 5)
    return crashed(request, error)


async def _response(request: Request, error: Any) -> ProblemResponse:
    return crashed(request, error)


async def answer_to(request: Request, error: Exception) -> Response:
    """The answer of the app's handlers, for middleware, which they do not cover."""
    handlers = request.app.exception_handlers
    handle = next((handlers[kind] for kind in type(error).__mro__ if kind in handlers), None)
    if handle is None:
        return crashed(request, error)
    answer: Response = await handle(request, error)
    return answer


def add_handlers(app: FastAPI) -> None:
    app.add_exception_handler(DunningError, _dunning)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(ResponseValidationError, _response)
    for kind in (sa.exc.DBAPIError, sa.exc.TimeoutError, StaleDataError, UnicodeEncodeError):
        app.add_exception_handler(kind, _database)
