"""Nudges: signals that are to reach a customer's sequence, written with the fact they tell of."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from store import tables as t
from store.bulk import batch_of

CHANNEL = "dunning_nudge"


def nudge(
    session: Session,
    customer: t.Customer,
    signal: str = "account_changed",
    payload: dict[str, Any] | None = None,
) -> None:
    """Have the customer's sequence look again once this transaction commits.

    ``account_changed`` carries nothing of its own, so one of them in a transaction is enough; a
    batch says no more than that, once for each customer, at its end.
    """
    batch = batch_of(session)
    if batch is not None:
        batch.nudged[customer.id] = None
        return
    pending = session.info.setdefault("nudged", set())
    if signal == "account_changed" and not payload:
        if customer.id in pending:
            return
        pending.add(customer.id)
    session.add(
        t.Nudge(
            organisation_id=customer.organisation_id,
            customer_id=customer.id,
            signal=signal,
            payload=payload or {},
        )
    )
    if "notified" not in session.info:
        session.info["notified"] = True
        session.connection().execute(sa.text(f"NOTIFY {CHANNEL}"))


def nudge_many(session: Session, organisation_id: uuid.UUID, customer_ids: list[uuid.UUID]) -> None:
    """One ``account_changed`` for each customer: what a bulk import ends with."""
    for start in range(0, len(customer_ids), 5000):
        session.connection().execute(
            sa.insert(t.Nudge),
            [
                {"organisation_id": organisation_id, "customer_id": c, "signal": "account_changed",
                 "payload": {}}
                for c in customer_ids[start : start + 5000]
            ],
        )  # fmt: skip
    session.connection().execute(sa.text(f"NOTIFY {CHANNEL}"))
