"""Callbacks without effect: unreadable, or about no message of ours. For admins."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.http import pages
from api.http.auth import Admin
from api.http.bodies import BodyRoute
from api.http.work import Work
from backoffice.delivery import callbacks

router = APIRouter(route_class=BodyRoute, tags=["organisation"])


class CallbackOut(BaseModel):
    provider: str
    received_at: datetime
    outcome: str
    error: str = Field(description="What it is about that is not ours, or why it was unreadable.")


class Callbacks(pages.Page):
    items: list[CallbackOut]


@router.get("/callbacks", operation_id="list_callbacks")
def list_all(
    admin: Admin,
    unit: Work,
    page: pages.Asked,
    outcome: Annotated[
        Literal["unmatched", "refused"],
        Query(description="`unmatched`: about no message of ours. `refused`: could not be read."),
    ] = "unmatched",
) -> Callbacks:
    """What the organisation's own accounts at providers called back in vain, newest first."""
    rows = callbacks.read(unit, outcome, before=page.after_number, limit=page.limit + 1)
    kept, following = page.cut(rows, lambda row: row.id)
    names = set(CallbackOut.model_fields)
    return Callbacks(
        items=[CallbackOut(**row.model_dump(include=names)) for row in kept],
        next_cursor=following,
    )
