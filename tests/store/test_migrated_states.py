"""Migrations of states: the rows are converted, and invalid states can no longer be stored."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from dunning.ids import DeliveryId
from dunning.model import ActionStatus
from store import tables as t
from store.engine import transaction
from tests.cast.migrated import NOW, acme, an_action, migrated_from_before


@pytest.mark.usefixtures("database_url")
def test_actions_keep_their_states_and_no_unknown_state_can_be_stored(engine: Engine) -> None:
    with transaction(engine) as session:
        _, customer, invoice = acme(session)
        session.add_all(
            an_action(customer, invoice, status=status, created_at=NOW) for status in ActionStatus
        )
    with migrated_from_before(engine, "states of an action") as session:
        assert set(session.exec(select(t.Action.status))) == set(ActionStatus)
        with pytest.raises(IntegrityError, match="ck_action_status"), session.begin_nested():
            session.connection().execute(sa.update(t.Action).values(status="lost"))


#: By status: claim, deadline and end of a delivery before the migration, and after it.
CLAIM, LATER = uuid.uuid4(), NOW.replace(hour=10)
STATES: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    "planned": ((CLAIM, None, None), (None, None, None)),
    "sending": ((CLAIM, LATER, None), (CLAIM, LATER, None)),
    "rejected": ((CLAIM, LATER, NOW), (None, None, NOW)),
    "unknown": ((None, LATER, None), (None, LATER, None)),
    "needs_review": ((None, LATER, None), (None, None, None)),
    "abandoned": ((None, None, None), (None, None, NOW)),  # settled at the time of its claim
    "accepted": ((None, None, LATER), (None, None, LATER)),
}


@pytest.mark.usefixtures("database_url")
def test_deliveries_keep_the_fields_that_their_state_requires(engine: Engine) -> None:
    with transaction(engine) as session:
        for name in ("status", "claim", "deadline", "settled_at"):
            drop = f"ALTER TABLE delivery DROP CONSTRAINT ck_delivery_{name}"
            session.connection().execute(sa.text(drop))
        _, customer, invoice = acme(session)
        for status, (before, _) in STATES.items():
            action = an_action(customer, invoice, name=status, type="email", status="done")
            session.add(action)
            session.flush()
            fields = dict(zip(("claim", "deadline", "settled_at"), before, strict=True))
            session.add(a_delivery(action, status=status, **fields))
    with migrated_from_before(engine, "states of a delivery") as session:
        rows = session.exec(select(t.Delivery))
        found = {row.status: (row.claim, row.deadline, row.settled_at) for row in rows}
        assert found == {status: kept for status, (_, kept) in STATES.items()}


def a_delivery(action: t.Action, **more: Any) -> t.Delivery:
    return t.Delivery(
        id=DeliveryId(action.id),
        organisation_id=action.organisation_id,
        customer_id=action.customer_id,
        action_id=action.id,
        channel="email",
        provider="lob",
        claimed_at=NOW,
        **more,
    )
