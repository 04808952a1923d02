"""Limits of bodies, after authentication: their size, their rate, and how many at a time."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.auth import PRINCIPAL
from api.http.problems import problem

#: For an answer before the body was read: without it the server would read and discard the rest.
CLOSE = {"Connection": "close"}
#: Bodies of one key that may come in at a time: those that may be large; all others.
_LARGE_AT_ONCE = 8
_SMALL_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Pace:
    """``seconds``: the longest wait for more of a body, and the time that a body has before its
    rate counts; ``least``: bytes for each second after that."""

    seconds: float
    least: float = 4096


class Receiving:
    """``limits``: the largest body of a path, in bytes; a `*` in it is any one part of a path. One
    that ends in a slash is that of all other paths that begin so, "" that of every other path."""

    def __init__(self, app: ASGIApp, limits: Mapping[str, int], pace: Pace) -> None:
        self._app = app
        self._limits, self._pace = limits, pace
        self._patterns = [
            (re.compile(re.escape(path).replace(r"\*", "[^/]+")), limit)
            for path, limit in limits.items()
            if "*" in path
        ]
        #: How many bodies are waited for, by key and whether they may be large.
        self._waiting: Counter[tuple[str, bool]] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit(scope["path"])
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length[:30]) > limit:
            refused = problem(Request(scope), 413, _too_large(limit), headers=CLOSE)
            await refused(scope, receive, send)
            return
        paced, size = _Paced(receive, self._pace), 0

        async def receive_on() -> Message:
            nonlocal size
            if paced.ended:  # from here on only the end of the connection can come
                return await receive()
            with self._one_more(scope, large=limit > self._limits[""]):
                message = await paced()
            size += len(message.get("body", b""))
            if size > limit:
                raise HTTPException(413, _too_large(limit), CLOSE)
            return message

        await self._app(scope, receive_on, send)

    @contextmanager
    def _one_more(self, scope: Scope, *, large: bool) -> Iterator[None]:
        """Counts a body while it is waited for. Raises HTTPException 429 at the limit."""
        if PRINCIPAL not in scope:
            yield
            return
        kind, most = (scope[PRINCIPAL].key_id, large), _LARGE_AT_ONCE if large else _SMALL_AT_ONCE
        if self._waiting[kind] >= most:
            detail = f"{most} bodies of this key are being received; send fewer at a time"
            raise HTTPException(429, detail, {"Retry-After": "2", **CLOSE})
        self._waiting[kind] += 1
        try:
            yield
        finally:
            self._waiting[kind] -= 1
            if not self._waiting[kind]:
                del self._waiting[kind]

    def _limit(self, path: str) -> int:
        if path in self._limits:
            return self._limits[path]
        begins = self._limits.get(f"/{path[1:].partition('/')[0]}/", self._limits[""])
        matches = (limit for pattern, limit in self._patterns if pattern.fullmatch(path))
        return next(matches, begins)


class _Paced:
    """Raises HTTPException 408 when more comes too slowly."""

    def __init__(self, receive: Receive, pace: Pace) -> None:
        self._receive, self._pace = receive, pace
        self._began: float | None = None
        self._size = 0
        #: The body is complete.
        self.ended = False

    async def __call__(self) -> Message:
        now = asyncio.get_running_loop().time()
        if self._began is None:
            self._began = now
        until = self._began + self._pace.seconds + self._size / self._pace.least
        try:
            async with asyncio.timeout_at(min(until, now + self._pace.seconds)):
                message = await self._receive()
        except TimeoutError:
            detail = (
                f"the body comes too slowly: send more of it at least every "
                f"{self._pace.seconds:g} s, and {self._pace.least:,g} bytes a second"
            )
            raise HTTPException(408, detail, CLOSE) from None
        self._size += len(message.get("body", b""))
        self.ended = not message.get("more_body")
        return message


def _too_large(limit: int) -> str:
    return f"the body has more than {limit:,} bytes; send it in smaller parts"
