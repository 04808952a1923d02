"""Authentication before everything else: without a valid key neither body nor address is looked at.

One statement finds the principal, whom ``api.http.auth.principal`` hands to the endpoints. Its
connection is free again while the client sends the body. There is no lock-out: a key has 256 random
bits, and a wrong key costs one look-up by primary key. Keys that were valid before have places of
their own, so that a flood of wrong keys does not delay them.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request
from sqlmodel import Session
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.auth import PRINCIPAL, unauthorized
from api.http.database import KNOWN_KEYS, OTHER_KEYS
from api.http.handlers import answer_to
from backoffice.people.keys import Principal, authenticate, may_be_key
from store.engine import in_time

#: So many keys that were valid before are remembered, as hashes.
_REMEMBERED = 10_000


class Gate:
    """``prefix``: what needs a key; ``open_paths`` are spared."""

    def __init__(self, app: ASGIApp, prefix: str, open_paths: set[str]) -> None:
        self._app = app
        self._prefix, self._open = prefix, open_paths
        self._good: OrderedDict[bytes, None] = OrderedDict()
        self._known, self._others = CapacityLimiter(KNOWN_KEYS), CapacityLimiter(OTHER_KEYS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._closed(scope):
            await self._app(scope, receive, send)
            return
        try:
            who = await self._principal(scope)
        except Exception as error:  # noqa: BLE001 - FastAPI's handlers do not cover middleware
            answer = await answer_to(Request(scope), error)
            await answer(scope, receive, send)
            return
        scope[PRINCIPAL] = who
        await self._app(scope, receive, send)

    def _closed(self, scope: Scope) -> bool:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        return f"{path}/".startswith(self._prefix) and path not in self._open

    async def _principal(self, scope: Scope) -> Principal:
        scheme, _, key = Headers(scope=scope).get("authorization", "").partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer" or not key:
            raise unauthorized("send a key as 'Authorization: Bearer dun_live_…'")
        who = None
        if may_be_key(key):
            mark = hashlib.sha256(key.encode()).digest()
            limiter = self._known if mark in self._good else self._others
            who = await to_thread.run_sync(_look_up, scope["app"], key, limiter=limiter)
            self._remember(mark, good=who is not None)
        if who is None:
            raise unauthorized("this key is unknown, revoked or expired", "invalid_token")
        return who

    def _remember(self, mark: bytes, *, good: bool) -> None:
        self._good.pop(mark, None)
        if good:
            self._good[mark] = None
            if len(self._good) > _REMEMBERED:
                self._good.popitem(last=False)


def _look_up(app: FastAPI, key: str) -> Principal | None:
    """One statement, with autocommit."""
    in_time()  # raises after the deadline: the request has been answered
    engine = app.state.engine.execution_options(isolation_level="AUTOCOMMIT")
    with Session(engine, expire_on_commit=False) as session:
        return authenticate(session, key)
