"""Around every request: what is plain from its headers, headers for browsers, and the last net for
errors."""

from __future__ import annotations

import logging

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
# The page of the API's documentation: its own files, and the few lines of script in it.
_DOCS = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'"
)


#: Of a request's headers: how many there may be, and their bytes altogether.
_MOST_HEADERS = 100
_HEADER_BYTES = 32_000


class Guard:
    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._headers = dict(_HEADERS)
        if https:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path, given = scope["path"], Headers(scope=scope)
        unread = given.get("content-length", "0") != "0" or "transfer-encoding" in given
        started = False

        async def send_on(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if path == "/docs":
                    headers["Content-Security-Policy"] = _DOCS
                if unread:  # else the server reads the rest of the body, to throw it away
                    headers["Connection"] = "close"
            await send(message)

        async def receive_on() -> Message:
            nonlocal unread
            message = await receive()
            unread = unread and bool(message.get("more_body"))
            return message

        request = Request(scope)
        refused = _refused(given)
        if refused is not None:
            status, detail = refused
            await problem(request, status, detail, headers=CLOSE)(scope, receive, send_on)
            return
        try:
            await self._app(scope, receive_on, send_on)
        except ClientDisconnect:
            _log.info("a client went away in the middle of its request to %s", path)
        except Exception as error:  # the last net: nothing behind it answers
            if started:
                raise
            await crashed(request, error)(scope, receive, send_on)


def _refused(headers: Headers) -> tuple[int, str] | None:
    """Status and words for what nobody sends who means well."""
    size = sum(len(name) + len(value) for name, value in headers.raw)
    if len(headers.raw) > _MOST_HEADERS or size > _HEADER_BYTES:
        most = f"{_MOST_HEADERS} headers, of {_HEADER_BYTES:,} bytes together"
        return 431, f"send at most {most}"
    if "content-length" in headers and "transfer-encoding" in headers:
        # Two who do not agree where a request ends can be made to see two different ones.
        return 400, "send Content-Length or Transfer-Encoding, not both"
    return None
