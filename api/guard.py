"""Around every request: the size of its body, headers for browsers, and the last net for errors."""

from __future__ import annotations

import logging
import re

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import crashed, problem

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


#: With an answer to a request whose body is not read: else the server reads it to throw it away.
CLOSE = {"Connection": "close"}


class Guard:
    """``limits``: the largest body of a path, in bytes; a `*` in it is any one part of a path. One
    that ends in a slash is that of all other paths that begin so, "" that of every other path."""

    def __init__(self, app: ASGIApp, limits: dict[str, int], *, https: bool) -> None:
        self._app = app
        self._limits = limits
        self._patterns = [
            (re.compile(re.escape(path).replace(r"\*", "[^/]+")), limit)
            for path, limit in limits.items()
            if "*" in path
        ]
        self._headers = dict(_HEADERS)
        if https:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        limit = self._limit(path)
        started, size = False, 0

        async def send_on(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if path == "/docs":
                    headers["Content-Security-Policy"] = _DOCS
            await send(message)

        async def receive_on() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > limit:
                raise HTTPException(413, _too_large(limit), CLOSE)
            return message

        request = Request(scope)
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length[:30]) > limit:
            await problem(request, 413, _too_large(limit), headers=CLOSE)(scope, receive, send_on)
            return
        try:
            await self._app(scope, receive_on, send_on)
        except ClientDisconnect:
            _log.info("a client went away in the middle of its request to %s", path)
        except Exception as error:  # the last net: nothing behind it answers
            if started:
                raise
            await crashed(request, error)(scope, receive, send_on)

    def _limit(self, path: str) -> int:
        if path in self._limits:
            return self._limits[path]
        begins = self._limits.get(f"/{path[1:].partition('/')[0]}/", self._limits[""])
        matches = (limit for pattern, limit in self._patterns if pattern.fullmatch(path))
        return next(matches, begins)


def _too_large(limit: int) -> str:
    return f"the body has more than {limit:,} bytes; send it in smaller parts"
