"""Bodies of JSON and TOML are read on threads, within the limits of ``books.reading``.

FastAPI would read JSON on the event loop, where everybody else waits for it. All our routers
use ``BodyRoute``.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import HTTPException, Request, Response
from starlette import exceptions

from api.http.problems import pointer
from api.http.queries import QueryRoute
from books.reading import JSON_VALUES, Twice, Unreadable, read_json, read_toml
from store.errors import DunningError, Invalid

Read = TypeVar("Read")

#: Bodies that are parsed at a time: parsing is CPU-bound.
_READERS = CapacityLimiter(2)
#: The most JSON values of a batch: 5,000 items, each with its fields.
_BATCH_VALUES = 300_000


async def json_of(data: bytes, *, values: int = JSON_VALUES) -> Any:
    """Raises HTTPException 400, Invalid for a name that is in one object twice."""
    return await _on_a_thread(lambda: read_json(data, values=values))


async def toml_of(data: bytes) -> dict[str, Any]:
    """Raises HTTPException 400."""
    return await _on_a_thread(lambda: read_toml(data))


async def _on_a_thread(read: Callable[[], Read]) -> Read:
    try:
        return await to_thread.run_sync(read, limiter=_READERS)
    except Twice as error:
        raise Invalid.at(pointer(*error.place), "is there twice") from None
    except Unreadable as error:
        raise HTTPException(400, f"the body {error}") from None


class BodyRoute(QueryRoute):
    """``values``: the most JSON values of a body."""

    values = JSON_VALUES

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle, values = super().get_route_handler(), self.values

        class Read(Request):
            async def json(self) -> Any:
                if not hasattr(self, "_json"):
                    self._json = await json_of(await self.body(), values=values)
                return self._json

        async def read(request: Request) -> Response:
            try:
                return await handle(Read(request.scope, request.receive, request._send))
            except exceptions.HTTPException as error:
                # FastAPI makes 400 of whatever is raised while a body is read.
                if isinstance(error.__cause__, DunningError):
                    raise error.__cause__ from None
                raise

        return read


class BatchRoute(BodyRoute):
    values = _BATCH_VALUES
