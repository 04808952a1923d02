"""Query parameters: only those that an endpoint knows, each once.

A misspelt filter must not be ignored: `?statsu=open` would list everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from dunning.excerpt import shorten
from store.errors import Invalid, Mistake

_MOST_NAMED = 20


class QueryRoute(APIRoute):
    """A route that refuses unknown query parameters. All our routers use it, except those of
    callbacks and short links, whose callers may add any query."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle, known = super().get_route_handler(), sorted(set(_names(self.dependant)))

        async def read(request: Request) -> Response:
            if request.scope["query_string"]:
                _refuse(request, known)
            return await handle(request)

        return read


def _names(dependant: Dependant) -> Iterator[str]:
    for field in dependant.query_params:
        yield field.alias
    for inner in dependant.dependencies:
        yield from _names(inner)


def _refuse(request: Request, known: list[str]) -> None:
    there = f"known are {', '.join(known)}" if known else "this address has none"
    given = Counter(name for name, _ in request.query_params.multi_items())
    wrong = [
        Mistake(
            f"query {shorten(name)}",
            f"is not known here; {there}" if name not in known else "is there twice",
        )
        for name, count in given.items()
        if name not in known or count > 1
    ][:_MOST_NAMED]
    if wrong:
        raise Invalid(f"{wrong[0].where}: {wrong[0].reason}", wrong)
