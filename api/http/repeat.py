"""Runs a request again when its transaction lost a race, before the client is told.

PostgreSQL ends one of two transactions after a deadlock or a serialization failure, and refuses a
second row with the same key. Nothing of that transaction remains. Run again, it waits for the other
one, or finds its row and updates it. The whole request is run again, with the body that was read.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from store.races import times

_ATTEMPT = "dunning.attempt"
#: Bytes. A longer body is not kept: the client is told to try again.
_MOST_KEPT = 16_000_000
#: Seconds. The pause is random, so that two losers do not collide again.
_LONGEST_PAUSE = 0.05


@dataclass
class _Attempt:
    number: int
    repeatable: bool = True
    again: bool = False


def run_again(scope: Scope, error: BaseException) -> bool:
    """Whether the request that ``error`` ended is run again; its answer is then discarded."""
    attempt: _Attempt | None = scope.get(_ATTEMPT)
    if attempt is None:
        return False
    attempt.again = attempt.repeatable and attempt.number < times(error)
    return attempt.again


class Repeat:
    """``store.races`` says which errors, and how often."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kept: list[Message] = []
        size, number = 0, 0
        while True:
            attempt = _Attempt(number, size <= _MOST_KEPT)
            unread = iter(kept[:])

            async def receive_on(unread: object = unread, attempt: _Attempt = attempt) -> Message:
                nonlocal size
                message: Message | None = next(unread, None)  # type: ignore[call-overload]
                if message is not None:
                    return message
                message = await receive()
                if message["type"] == "http.request":
                    size += len(message.get("body", b""))
                    if size > _MOST_KEPT:
                        kept.clear()
                        attempt.repeatable = False
                    else:
                        kept.append(message)
                return message

            async def send_on(message: Message, attempt: _Attempt = attempt) -> None:
                if not attempt.again:
                    await send(message)

            await self._app({**scope, _ATTEMPT: attempt}, receive_on, send_on)
            if not attempt.again:
                return
            number += 1
            await asyncio.sleep(random.uniform(0, _LONGEST_PAUSE))
