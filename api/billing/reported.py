"""What a billing system hears back about one thing it reported."""

from __future__ import annotations

import uuid
from typing import Any, Protocol

from fastapi import Response
from pydantic import BaseModel, Field

from backoffice.ledger.reports import Change


class Reported(BaseModel):
    """`unchanged`: the same as before. `stale`: older than what is stored; nothing was changed."""

    result: Change
    id: uuid.UUID = Field(description="Our own id, for addresses where yours has a slash.")
    external_id: str


#: The answer for what is new, in the OpenAPI document.
CREATED: dict[int | str, dict[str, Any]] = {201: {"model": Reported, "description": "Created"}}


class _Row(Protocol):
    @property
    def id(self) -> uuid.UUID: ...
    @property
    def external_id(self) -> str: ...


def reported(response: Response, row: _Row, change: Change) -> Reported:
    """With the status 201 for what is new."""
    if change is Change.CREATED:
        response.status_code = 201
    return Reported(result=change, id=row.id, external_id=row.external_id)
