"""Keyset pagination: ``items`` and a ``next_cursor``, which is encrypted and does not expire.

A cursor is valid for one organisation, path and filters, with any limit. Its place cannot be read
(``store.cursors``): sequence numbers would tell how busy other organisations are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from pydantic import BaseModel, Field

from api.http.work import Work
from store import cursors
from store.errors import Invalid
from store.unit import Unit

Row = TypeVar("Row")

_Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
_Cursor = Annotated[
    str | None,
    Query(
        max_length=3000,
        description="`next_cursor` of the page before, with the same filters as there.",
    ),
]
_DIGITS = 19  # numbers are padded, so that a cursor's length does not reveal them


class Page(BaseModel):
    next_cursor: str | None = Field(None, description="Ask with it for the next page; null: last.")


@dataclass(frozen=True, slots=True)
class Part:
    """The page that is asked for: of at most ``limit`` rows, from behind ``after``."""

    limit: int
    after: str | None
    _unit: Unit
    _asked: str

    @property
    def after_number(self) -> int | None:
        """The place as it was given to ``cut``, where that was a number."""
        return int(self.after) if self.after is not None else None

    def cut(
        self, rows: Sequence[Row], place: Callable[[Row], str | int | None]
    ) -> tuple[list[Row], str | None]:
        """Of ``limit + 1`` rows the page and the cursor of the next, None when there is none."""
        kept = list(rows[: self.limit])
        last = place(kept[-1]) if kept and len(rows) > self.limit else None
        if last is None:
            return kept, None
        text = f"{last:0{_DIGITS}d}" if isinstance(last, int) else last
        return kept, cursors.seal(self._unit, self._asked, text)


def _part(request: Request, unit: Work, cursor: _Cursor = None, limit: _Limit = 50) -> Part:
    asked = _question(request)
    after = None
    if cursor is not None:
        after = cursors.unseal(unit, asked, cursor)
        if after is None:
            words = "is not a cursor of this list with these filters; begin without one"
            raise Invalid.at("query cursor", words)
    return Part(limit, after, unit, asked)


def _question(request: Request) -> str:
    given = request.query_params.multi_items()
    filters = sorted((name, value) for name, value in given if name not in ("cursor", "limit"))
    return f"{request.url.path}?{urlencode(filters)}"


Asked = Annotated[Part, Depends(_part)]
