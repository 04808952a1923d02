"""uvicorn's HTTP protocol with a time limit for the head of a request: ``uvicorn --http
api.http.protocol:Protocol``.

uvicorn alone waits for ever for the rest of a head. And its answer to bytes that are not HTTP gets
a request id here, because no middleware sees them.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.http.problems import MEDIA_TYPE

_log = logging.getLogger(__name__)


class Protocol(H11Protocol):
    #: From the connection, or the first byte of a further request, to the end of the head.
    head_seconds = 10.0

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._expect_head()
        else:
            self._expect_nothing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(self.head_seconds, self.timeout_keep_alive_handler)

    def _expect_nothing(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def send_400_response(self, msg: str) -> None:
        number = secrets.token_hex(8)
        _log.warning("%s [%s]", msg, number)
        content = {
            "type": "urn:dunning:problem:bad-request",
            "title": "Bad request",
            "status": 400,
            "detail": "this is not HTTP, or its head is too large",
            "instance": "",
            "errors": [],
        }
        body = json.dumps(content).encode()
        headers = {
            "Content-Type": MEDIA_TYPE,
            "Content-Length": str(len(body)),
            "Connection": "close",
            "X-Request-Id": number,
        }
        for event in (
            h11.Response(status_code=400, headers=list(headers.items()), reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
