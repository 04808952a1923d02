"""The codec endpoint: decrypts payloads for the Temporal UI and the `temporal` command, and
encrypts what they send (Temporal's remote codec protocol).

    POST /decode, /encode      {"payloads": [{"metadata": {"encoding": "…"}, "data": "…"}]}

It has no authentication: everybody who reaches it can read what Temporal stores. So it listens on
loopback. Any page in a browser reaches loopback, too; only requests of the UI's pages are answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import uvicorn
from google.protobuf.json_format import MessageToDict, Parse, ParseError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from temporalio.api.common.v1 import Payloads

from activities.payloads import CannotDecrypt, Encryption

#: Far more than a page of a history in the UI: Temporal takes 4 MB in one call.
_MOST_BYTES = 32_000_000


def codec_app(keys: Sequence[str], origins: Sequence[str]) -> Starlette:
    """``origins``: the addresses at which a browser opens the UI, as `http://127.0.0.1:8233`.
    Raises ValueError for a text that is no key."""
    encryption = Encryption(keys)

    async def apply(request: Request) -> Response:
        origin = request.headers.get("origin")
        if origin is not None and origin not in origins:
            return _refused(403, f"only pages of {' or '.join(origins)} are answered")
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_BYTES:
                return _refused(413, f"more than {_MOST_BYTES} bytes")
        try:
            read = Parse(bytes(body), Payloads(), ignore_unknown_fields=True)
        except (ParseError, ValueError, RecursionError):
            return _refused(400, 'send {"payloads": [{"metadata": {…}, "data": "…"}]}')
        change = encryption.decode if request.url.path.endswith("/decode") else encryption.encode
        try:
            changed = await change(list(read.payloads))
        except CannotDecrypt:
            return _refused(400, "none of DUNNING_TEMPORAL_KEYS opens this")
        return JSONResponse(MessageToDict(Payloads(payloads=changed)))

    cors = Middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["POST"],
        allow_headers=["*"],
        allow_private_network=True,
    )
    paths = [Route(path, apply, methods=["POST"]) for path in ("/encode", "/decode")]
    return Starlette(routes=paths, middleware=[cors])


def _refused(status: int, why: str) -> Response:
    return PlainTextResponse(f"{why}\n", status)


def origins_of(ui_url: str) -> tuple[str, ...]:
    """The origins of a UI in a browser: under 127.0.0.1 and under localhost."""
    base = "/".join(ui_url.split("/")[:3])
    named, numbered = "//localhost", "//127.0.0.1"
    every = (base, base.replace(numbered, named), base.replace(named, numbered))
    return tuple(dict.fromkeys(every))


@asynccontextmanager
async def answering(app: Starlette, host: str, port: int) -> AsyncIterator[None]:
    """Serve the app until the block ends."""
    server = uvicorn.Server(
        uvicorn.Config(app, host=host, port=port, log_config=None, access_log=False)
    )
    task = asyncio.create_task(server._serve())
    try:
        while not (server.started or task.done()):  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.02)
        yield
    finally:
        server.should_exit = True
        await task
