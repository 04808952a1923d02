"""Around every request: refuses bad headers, adds those for browsers, and answers with 500 what
nobody inside has answered."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import crashed, problem
from api.http.receiving import CLOSE

_log = logging.getLogger(__name__)

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
# /docs loads its own files and has a few lines of script in it.
_DOCS = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'"
)


#: The most headers of a request, and their bytes altogether.
_MOST_HEADERS = 100
_HEADER_BYTES = 32_000


class Guard:
    """``https``: browsers are told to come back with HTTPS alone."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._headers = dict(_HEADERS)
        if https:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, exchange = Request(scope), _Exchange(scope, receive, send, self._headers)
        refused = _refused(request.headers)
        if refused is not None:
            status, detail = refused
            answer = problem(request, status, detail, headers=CLOSE)
            await answer(scope, receive, exchange.send)
            return
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            _log.info("a client went away in the middle of its request to %s", scope["path"])
        except Exception as error:  # nothing outside of this one answers
            if exchange.started:
                raise
            await crashed(request, error)(scope, receive, exchange.send)


class _Exchange:
    """One request and its answer. ``started``: the head of the answer has been sent."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, headers: Mapping[str, str]
    ) -> None:
        self._receive, self._send, self._headers = receive, send, dict(headers)
        self._docs = scope["path"] == "/docs"
        given = Headers(scope=scope)
        self._unread = given.get("content-length", "0") != "0" or "transfer-encoding" in given
        self.started = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._unread = self._unread and bool(message.get("more_body"))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in self._headers.items():
                headers.setdefault(name, value)
            if self._docs:
                headers["Content-Security-Policy"] = _DOCS
            if self._unread:  # else the server would read and discard the rest of the body
                headers["Connection"] = "close"
        await self._send(message)


def _refused(headers: Headers) -> tuple[int, str] | None:
    """Status and words, for headers that only an attack or a broken client sends."""
    size = sum(len(name) + len(value) for name, value in headers.raw)
    if len(headers.raw) > _MOST_HEADERS or size > _HEADER_BYTES:
        most = f"{_MOST_HEADERS} headers, of {_HEADER_BYTES:,} bytes together"
        return 431, f"send at most {most}"
    if "content-length" in headers and "transfer-encoding" in headers:
        # Request smuggling (RFC 9112, 6.3): a proxy could see another end of the request.
        return 400, "send Content-Length or Transfer-Encoding, not both"
    return None
