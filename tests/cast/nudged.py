"""Customers with nudges, and a relay that delivers them one batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.rows import dict_row
from sqlalchemy import Engine

from activities.relay import Relay
from stand_ins.town import Town
from store import tables as t
from store.engine import transaction
from store.nudges import nudge
from store.unit import Unit
from workflows.contracts import workflow_id


async def batches(url: str, client: Any, most: int = 20) -> int:
    """Let a relay deliver until no nudge is due; returns how many batches that took."""
    relay = Relay(url, client, "q")
    async with await psycopg.AsyncConnection.connect(
        url.replace("+psycopg", ""), autocommit=True, row_factory=dict_row
    ) as connection:
        for number in range(1, most + 1):
            if not await relay._deliver(connection):
                return number
    raise AssertionError(f"{most} batches were not enough")


def tell(town: Town, customer: str, signal: str, times: int = 1, **payload: Any) -> None:
    """Nudge the sequence of a customer, as many times as asked."""
    with transaction(town.engine) as session:
        row = session.get_one(t.Customer, town.key_of(customer))
        nudge(Unit(session, row.organisation_id), row, signal, {"id": f"{signal}-1", **payload})
        session.flush()
        session.connection().execute(
            sa.text(
                "INSERT INTO nudge (organisation_id, customer_id, signal, payload, created_at)"
                " SELECT organisation_id, customer_id, signal, payload, created_at"
                " FROM nudge, generate_series(2, :times)"
                " WHERE id = (SELECT max(id) FROM nudge)"
            ),
            {"times": times},
        )


def forget(town: Town) -> None:
    """Delete all nudges, as if the relay had delivered them."""
    with transaction(town.engine) as session:
        for row in town.nudges():
            session.delete(session.get_one(t.Nudge, row.id))


def town_of(engine: Engine, *customers: str) -> Town:
    """An organisation with these customers and without nudges."""
    town = Town(engine)
    for name in customers:
        town.customer(name)
    forget(town)
    return town


def sequence_of(town: Town, customer: str) -> str:
    """The workflow id of a customer's sequence."""
    return workflow_id(str(town.id), str(town.key_of(customer)))


def waiting(town: Town, customer: str) -> Sequence[t.Nudge]:
    """The nudges of a customer, oldest first."""
    key = town.key_of(customer)
    return [row for row in town.nudges() if row.customer_id == key]
