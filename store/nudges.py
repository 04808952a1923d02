"""Nudges: signals to a customer's sequence, stored in the transaction of the fact they are
about."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from dunning.ids import CustomerId
from store import tables as t
from store.unit import Unit

CHANNEL = "dunning_nudge"
_AT_ONCE = 5000


def nudge(
    unit: Unit,
    customer: t.Customer,
    signal: str = "account_changed",
    payload: dict[str, Any] | None = None,
) -> None:
    """Signal the customer's sequence after this transaction has committed.

    ``account_changed`` without a payload is written once for each customer and transaction. In a
    batch with ``Batch.nudged`` every nudge becomes such a one, written at its end.
    """
    batch = unit.progress.batch
    if batch is not None and batch.nudged is not None:
        batch.nudged[customer.id] = None
        return
    if signal == "account_changed" and not payload:
        if customer.id in unit.progress.nudged:
            return
        unit.progress.nudged.add(customer.id)
    unit.session.add(
        t.Nudge(
            organisation_id=customer.organisation_id,
            customer_id=customer.id,
            signal=signal,
            payload=payload or {},
        )
    )
    if not unit.progress.notified:
        unit.progress.notified = True
        unit.session.connection().execute(sa.text(f"NOTIFY {CHANNEL}"))


def nudge_many(unit: Unit, customer_ids: list[CustomerId]) -> None:
    """One ``account_changed`` for each customer, at the end of a bulk import."""
    signal = {"organisation_id": unit.organisation_id, "signal": "account_changed", "payload": {}}
    for start in range(0, len(customer_ids), _AT_ONCE):
        some = [{**signal, "customer_id": c} for c in customer_ids[start : start + _AT_ONCE]]
        unit.session.connection().execute(sa.insert(t.Nudge), some)
    unit.session.connection().execute(sa.text(f"NOTIFY {CHANNEL}"))
