"""Checks of every address before routing.

An id that is not UTF-8 is refused: with replacement characters `M%FCller` and `M%E4ller` would be
the same id. HEAD is answered wherever GET is, with the same status and headers.
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import problem

#: Exceptions. Nobody reads the queries of callbacks. The endpoint of short links has to see HEAD,
#: because only GET counts as a click.
CALLBACKS, LINKS = "/webhooks/", "/l/"


class Addresses:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wrong = _not_utf_8(scope)
        if wrong:
            await problem(Request(scope), 400, wrong)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class Heads:
    """Answers HEAD as GET without the body, errors too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            if not scope["path"].startswith(LINKS):
                scope = {**scope, "method": "GET"}
            send = _without_body(send)
        await self._app(scope, receive, send)


def _not_utf_8(scope: Scope) -> str:
    """What is wrong with the address as it was sent; empty = nothing."""
    parts = {"address": scope.get("raw_path") or b""}
    if not scope["path"].startswith(CALLBACKS):
        parts["query"] = scope["query_string"]
    for name, raw in parts.items():
        try:
            unquote_to_bytes(raw).decode()
        except UnicodeDecodeError as error:
            bad = error.object[error.start]
            return f"the {name} is not UTF-8: it has the byte %{bad:02X}; write 'ü' as %C3%BC"
    return ""


def _without_body(send: Send) -> Send:
    async def send_on(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_on
