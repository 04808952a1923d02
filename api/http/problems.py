"""Problem documents (RFC 9457): everything that goes wrong says what, where and how to mend it.

``errors`` name the places: a JSON pointer into the body ("/contacts/0/email"), "query limit",
"path customer", "line 12, total" of a file or "step call-1" of a plan. An internal
error shows no traceback, only the id under which it is in the log.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from api.http.rules import RuleLink, cited
from logs import REQUEST_ID
from store.errors import DunningError, Mistake

_log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 1000

#: By status the end of the `type`, and the title.
_KINDS = {
    400: ("bad-request", "Bad request"),
    401: ("unauthorized", "A key is needed"),
    403: ("forbidden", "This key may not do that"),
    404: ("not-found", "Not found"),
    408: ("too-slow", "The body came too slowly"),
    405: ("method-not-allowed", "Method not allowed"),
    409: ("conflict", "Conflict"),
    413: ("too-large", "The body is too large"),
    415: ("unsupported-media-type", "Unsupported media type"),
    422: ("invalid", "Invalid content"),
    429: ("too-many-requests", "Too much at a time"),
    431: ("headers-too-large", "The headers are too large"),
    500: ("internal-error", "An error of ours"),
    503: ("unavailable", "Not available at the moment"),
}


class Wrong(BaseModel):
    """One thing wrong at one place."""

    where: str = Field(examples=["/total"])
    reason: str = Field(examples=["write an amount as a text such as '1250.00'"])


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(examples=["urn:dunning:problem:invalid"])
    title: str = Field(examples=["Invalid content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["/total: write an amount as a text such as '1250.00'"])
    instance: str = Field(examples=["/v1/invoices/INV-1042"])
    errors: list[Wrong] = []
    rules: list[RuleLink] = Field(
        [], description="The rules that `detail` and `errors` cite; absent when they cite none."
    )
    request_id: str = Field("", description="Of an error of ours: by it the log is searched.")


class ProblemResponse(JSONResponse):
    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        """Lone surrogates cannot be encoded as UTF-8: they are shown as their code."""
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")


def problem(
    request: Request,
    status: int,
    detail: str,
    errors: Sequence[Mistake] = (),
    headers: Mapping[str, str] | None = None,
) -> ProblemResponse:
    kind = _KINDS.get(status, ("error", "Error"))
    return ProblemResponse(_document(request, status, kind, detail, errors, {}), status, headers)


def refused(request: Request, error: DunningError) -> ProblemResponse:
    kind = (error.slug, error.title)
    document = _document(request, error.status, kind, error.detail, error.errors, error.more)
    return ProblemResponse(document, error.status)


def _document(
    request: Request,
    status: int,
    kind: tuple[str, str],
    detail: str,
    errors: Sequence[Mistake],
    more: Mapping[str, Any],
) -> dict[str, Any]:
    slug, title = kind
    content = {
        "type": f"urn:dunning:problem:{slug}",
        "title": title,
        "status": status,
        "detail": detail[:2000],
        "instance": request.url.path[:500],
        "errors": [
            {"where": e.where[:500], "reason": e.reason[:1000]} for e in errors[:MAX_ERRORS]
        ],
        **more,
    }
    rules = cited(" ".join([detail, *(e.reason for e in errors[:MAX_ERRORS])]))
    if rules:
        content["rules"] = [rule.model_dump() for rule in rules]
    if status >= 500 and (number := REQUEST_ID.get()):
        content["request_id"] = number
    return content


def crashed(request: Request, error: BaseException) -> ProblemResponse:
    """500 without details, with the request's id, under which the log has the traceback."""
    number = REQUEST_ID.get() or secrets.token_hex(8)
    _log.error("error %s in %s %s", number, request.method, request.url.path, exc_info=error)
    return problem(request, 500, f"this is our fault, not yours; it is in the log as {number}")


def declared(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of an endpoint that are problems, for OpenAPI."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {s: {"description": _KINDS[s][1], "content": content} for s in statuses}


def later(request: Request, detail: str, seconds: int) -> ProblemResponse:
    return problem(request, 503, detail, headers={"Retry-After": str(seconds)})


def pointer(*parts: int | str) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join(f"/{str(p).replace('~', '~0').replace('/', '~1')}" for p in parts)
