"""Liveness and readiness, for monitoring."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.http.database import OneLook
from api.http.queries import QueryRoute
from store.backlog import backlogs
from store.engine import transaction

router = APIRouter(route_class=QueryRoute, tags=["health"])


class Health(BaseModel):
    status: str = "ok"


class Behind(BaseModel):
    """What a service of the workers has still to do."""

    waiting: int = Field(description="How many wait.")
    oldest_seconds: float = Field(description="The age of the oldest, 0 when none waits.")


class Readiness(Health):
    relay: Behind = Field(description="Nudges: facts that a sequence has not been told of yet.")
    callbacks: Behind = Field(description="Reports and replies that are not taken in yet.")


@router.get("/healthz", operation_id="get_health")
async def healthz() -> Health:
    """The process answers; says nothing of the database."""
    return Health()


@router.get("/readyz", operation_id="get_readiness")
def readyz(engine: OneLook) -> Readiness:
    """The database answers too; 503 otherwise. Says how far behind the workers are, and does not
    fail on it: the API takes facts all the same."""
    with transaction(engine) as session:
        found = backlogs(session)
    relay, callbacks = found["relay"], found["callbacks"]
    return Readiness(
        relay=Behind(waiting=relay.waiting, oldest_seconds=relay.oldest_seconds),
        callbacks=Behind(waiting=callbacks.waiting, oldest_seconds=callbacks.oldest_seconds),
    )
