"""A deadline for every request: at the latest then it is answered, with 503.

Each wait for the database ends by itself at the deadline (``store.patience``), which frees its
thread and its connection. A request that waits for something else by then, such as a place among
the requests, is answered here. The time in which a client sends its body does not count.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import later
from logs import words_of
from store import patience

_log = logging.getLogger(__name__)

#: Seconds after the deadline: an endpoint that ends by itself has a better message.
_GRACE = 0.2
#: The clock stands still while a client sends its body; it is checked at this interval.
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Time:
    """Seconds for the whole request, and for one answer of the database."""

    request: float
    answer: float


class Deadline:
    """``usual`` is the time of every request; ``others`` that of a path, in which a `*` is any one
    part."""

    def __init__(self, app: ASGIApp, usual: Time, others: Mapping[str, Time]) -> None:
        self._app = app
        self._usual = usual
        self._others = [
            (re.compile(re.escape(path).replace(r"\*", "[^/]+")), given)
            for path, given in others.items()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = self._of(scope["path"])
        clock = patience.Clock(given.request, given.answer)
        began = over = False

        async def receive_on() -> Message:
            with clock.stopped():
                return await receive()

        async def send_on(message: Message) -> None:
            nonlocal began
            if not over:  # else it has been answered
                began = True
                await send(message)

        with patience.on(clock):
            work = asyncio.ensure_future(self._app(scope, receive_on, send_on))
        try:
            while not (work.done() or began) and (left := clock.left() + _GRACE) > 0:
                await asyncio.wait([work], timeout=max(left, _LOOK_SECONDS))
            if not (work.done() or began):
                over = True
                _log.warning("%s %s took too long", scope["method"], scope["path"])
                told = later(Request(scope), "the database does not answer; try again", 5)
                await told(scope, receive, send)
                # Not cancelled: its thread may be in the middle of a statement. It ends by itself,
                # because after the deadline no transaction begins or commits.
                await asyncio.wait([work])
                if not work.cancelled() and (error := work.exception()) is not None:
                    _log.warning("what came after its answer: %s", words_of(error))
                return
            await work
        finally:
            if not work.done():  # the client has gone, or the server ends
                work.cancel()
                await asyncio.wait([work])

    def _of(self, path: str) -> Time:
        found = (given for pattern, given in self._others if pattern.fullmatch(path))
        return next(found, self._usual)
