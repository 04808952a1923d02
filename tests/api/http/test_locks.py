"""Requests wait only for locks that they need, and take them in one order."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlmodel import select

from backoffice.people import organisation
from dunning.ids import MemberId
from stand_ins.office import PLAN, Office, acme_body, payment_body
from stand_ins.storm import CUSTOMERS, HEADER, Storm, prepare
from store import tables as t
from store.engine import transaction
from store.unit import Unit

MANY_STEPS = {**PLAN, "contact_delay_days": 9}


def test_a_plan_is_saved_and_settings_are_changed_while_an_import_is_open(
    office: Office, app: FastAPI
) -> None:
    office.acme()
    app.state.lock_timeout_ms = 100
    with transaction(office.engine) as importing:
        importing.add(t.Customer(organisation_id=office.id, external_id="X", name="X"))
        importing.flush()
        office.ada.does("PUT", "/plans/Standard", MANY_STEPS)
        office.ada.does("PATCH", "/organisation", {"spread_minutes": 5})


def test_payments_and_new_customers_come_in_while_settings_and_a_plan_are_being_saved(
    office: Office, app: FastAPI
) -> None:
    office.acme()
    app.state.lock_timeout_ms = 100
    with transaction(office.engine) as saving:
        organisation.change(Unit(saving, office.id, office.now, by="Ada"), {"spread_minutes": 5})
        office.billing.does("PUT", "/payments/PAY-1", payment_body("10.00"))
        office.billing.does("PUT", "/customers/C-2", acme_body())
        office.ada.does("POST", "/invoices/INV-1/dispute", {"reason": "no"})


def test_an_admin_changes_roles_while_an_action_is_given_to_another_admin(
    office: Office, app: FastAPI
) -> None:
    office.ada.does("PUT", "/members/ben@amber.example", {"name": "Ben", "role": "admin"})
    app.state.lock_timeout_ms = 100
    with transaction(office.engine) as giving:
        ada = MemberId(uuid.UUID(office.ids["Ada"]))
        giving.add(t.GroupMember(organisation_id=office.id, name="g", member_id=ada))
        giving.flush()
        office.ada.does("PUT", "/members/ben@amber.example", {"name": "Ben", "role": "member"})


@pytest.mark.parametrize("how", ["batch", "import"])
def test_customers_are_locked_in_the_order_of_their_ids(
    office: Office, app: FastAPI, how: str
) -> None:
    """Who waits for the first customer by id holds no lock of the others: no deadlock."""
    keys = [f"C-{n}" for n in range(8)]
    office.billing.does(
        "POST", "/batch", {"customers": [{"external_id": k, **acme_body()} for k in keys]}
    )
    with transaction(office.engine) as session:
        known = session.exec(select(t.Customer).where(t.Customer.organisation_id == office.id))
        first, *others = sorted(c.id for c in known)
    app.state.lock_timeout_ms = 5000
    rows = "".join(f"{k},,,B-{k},2025-02-01,2025-03-03,1.00,EUR,\n" for k in keys)

    def write() -> int:
        if how == "import":
            more = {"content": HEADER + rows, "headers": {"Content-Type": "text/csv"}}
            return office.billing("POST", "/imports", **more).status_code
        body = {"customers": [{"external_id": k, **acme_body()} for k in keys]}
        return office.billing("POST", "/batch", json=body).status_code

    with ThreadPoolExecutor(1) as pool:
        with transaction(office.engine) as holding:
            _lock(holding.connection(), [first])
            writing = pool.submit(write)
            _wait_until_somebody_waits(office.engine)
            with office.engine.begin() as other:
                _lock(other, others)  # raises when one of them is held
        assert writing.result() == 200


def _lock(connection: sa.Connection, ids: Sequence[object]) -> None:
    found = sa.text("SELECT id FROM customer WHERE id = ANY(:ids) FOR NO KEY UPDATE NOWAIT")
    connection.execute(found, {"ids": ids})


def _wait_until_somebody_waits(engine: Engine) -> None:
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    for _ in range(2000):
        with engine.begin() as connection:
            connection.execute(sa.text("SELECT pg_sleep(0.002)"))
            if connection.execute(waiting).scalar_one():
                return
    raise AssertionError("nobody waits")


def test_concurrent_writers_of_every_kind_all_succeed(office: Office) -> None:
    """For two seconds; `python -m bench.locks 60` runs for a minute."""
    prepare(office)
    storm = Storm(office, 2)
    storm.run()
    assert storm.broken == []
    asked = {what for what, _ in storm.answers}
    assert asked == {"plan", "settings", "import", "batch", "payment", "reply", "review"}
    with transaction(office.engine) as session:
        assert len(session.exec(select(t.Customer)).all()) > len(CUSTOMERS)
