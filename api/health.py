"""For whoever watches the process."""

from __future__ import annotations

import sqlalchemy as sa
from fastapi import APIRouter, Request
from pydantic import BaseModel

router = APIRouter(tags=["health"])


class Health(BaseModel):
    status: str = "ok"


@router.get("/healthz", operation_id="get_health")
async def healthz() -> Health:
    """The process answers; says nothing of the database."""
    return Health()


@router.get("/readyz", operation_id="get_readiness")
def readyz(request: Request) -> Health:
    """The database answers too; 503 otherwise."""
    with request.app.state.engine.connect() as connection:
        connection.execute(sa.text("SELECT 1"))
    return Health()
