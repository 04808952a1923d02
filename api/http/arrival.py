"""The client's address and the id of each request.

``X-Forwarded-For``, ``X-Forwarded-Proto`` and ``X-Request-Id`` are taken over from trusted proxies
only: anybody else could write there what they like.
"""

from __future__ import annotations

import re
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from logs import REQUEST_ID

_GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
NAME = "X-Request-Id"


class Arrival:
    """The outermost middleware: every answer has a request id, and so has every log line of its
    request."""

    def __init__(self, app: ASGIApp, trusted_proxies: list[str]) -> None:
        behind = ProxyHeadersMiddleware(app, trusted_proxies)  # type: ignore[arg-type]
        self._app: ASGIApp = behind  # type: ignore[assignment]
        self._trusted = behind.trusted_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        given = Headers(scope=scope).get(NAME, "")
        believed = (client[0] if client else None) in self._trusted and _GIVEN.fullmatch(given)
        number = given if believed else secrets.token_hex(8)

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[NAME] = number
            await send(message)

        token = REQUEST_ID.set(number)
        try:
            await self._app(scope, receive, send_on)
        finally:
            REQUEST_ID.reset(token)
