"""Lists in pages: ``items`` and the ``next_cursor``, which is opaque and stays valid."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from db.errors import Invalid

Row = TypeVar("Row")

Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
Cursor = Annotated[
    str | None, Query(max_length=1000, description="`next_cursor` of the page before.")
]


class Page(BaseModel):
    next_cursor: str | None = Field(None, description="Ask with it for the next page; null: last.")


def write(place: str | int) -> str:
    return base64.urlsafe_b64encode(str(place).encode()).decode().rstrip("=")


def read(cursor: str | None) -> str | None:
    """The place in a cursor. Raises Invalid for one that we did not give out."""
    if cursor is None:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        place = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (UnicodeError, binascii.Error, ValueError):
        raise _not_ours() from None
    if not place or "\x00" in place:
        raise _not_ours()
    return place


def read_number(cursor: str | None) -> int | None:
    place = read(cursor)
    if place is None:
        return None
    if not (place.isascii() and place.isdecimal() and len(place) <= 18):
        raise _not_ours()
    return int(place)


def _not_ours() -> Invalid:
    return Invalid.at("query cursor", "is not a cursor of ours; begin without one")


def cut(
    rows: Sequence[Row], limit: int, place: Callable[[Row], str | int | None]
) -> tuple[list[Row], str | None]:
    """Of ``limit + 1`` rows the page and the cursor of the next, None when there is none."""
    kept = list(rows[:limit])
    last = place(kept[-1]) if kept and len(rows) > limit else None
    return kept, write(last) if last is not None else None
