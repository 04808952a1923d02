"""What a migration does to the rows that are there: a database goes back before it, and forward."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from dunning.model import ActionStatus
from store import closures
from store import tables as t
from store.engine import alembic_config, transaction
from store.unit import Unit

NOW = datetime(2025, 3, 4, 9, tzinfo=UTC)


@contextmanager
def migrated_from_before(engine: Engine, title: str) -> Iterator[Session]:
    """The database as the migration of that title makes it from one that did not have it yet."""
    with engine.connect() as connection:
        database = connection.connection.dbapi_connection.info.dbname  # type: ignore[union-attr]
    url = engine.url.set(database=database).render_as_string(hide_password=False)
    config = alembic_config(url)
    (found,) = (
        script for script in ScriptDirectory.from_config(config).walk_revisions()
        if script.doc.startswith(title)
    )  # fmt: skip
    engine.dispose()
    command.downgrade(config, f"{found.down_revision}")
    command.upgrade(config, "head")
    with transaction(engine) as session:
        yield session


def acme(session: Session, **organisation: Any) -> tuple[t.Organisation, t.Customer, t.Invoice]:
    house = t.Organisation(name="Amber & Sons", **organisation)
    session.add(house)
    session.flush()
    customer = t.Customer(organisation_id=house.id, external_id="C-1", name="Acme")
    session.add(customer)
    session.flush()
    invoice = t.Invoice(
        organisation_id=house.id, customer_id=customer.id, external_id="INV-1", number="1",
        issued_on=date(2025, 2, 1), total=Decimal(100), balance=Decimal(80), currency="EUR",
    )  # fmt: skip
    session.add(invoice)
    session.flush()
    return house, customer, invoice


def test_the_last_decision_was_made_with_the_plan_that_the_customer_has(engine: Engine) -> None:
    with transaction(engine) as session:
        house, customer, _ = acme(session)
        plan = t.Plan(organisation_id=house.id, name="Standard")
        session.add(plan)
        session.flush()
        house.default_plan_id = plan.id
        session.add(t.Sequence(customer_id=customer.id, organisation_id=house.id, state="rest"))
    with migrated_from_before(engine, "plan of the last decision") as session:
        assert session.exec(select(t.Sequence.plan_id)).one() == plan.id


def test_a_running_promise_knows_what_was_paid_before_it(engine: Engine) -> None:
    with transaction(engine) as session:
        house, customer, invoice = acme(session)
        whose: dict[str, Any] = {
            "organisation_id": house.id, "customer_id": customer.id, "currency": "EUR",
            "on_date": date(2025, 3, 1), "amount": Decimal(20),
        }  # fmt: skip
        paid, noted, later = (
            t.Credit(**whose, kind=kind, external_id=key, created_at=NOW.replace(hour=hour))
            for kind, key, hour in (
                ("payment", "P-1", 8), ("credit_note", "CN-1", 8), ("payment", "P-2", 10)
            )
        )  # fmt: skip
        session.add_all([paid, noted, later])
        session.flush()
        for credit in (paid, noted, later):
            session.add(
                t.Application(credit_id=credit.id, invoice_id=invoice.id, amount=Decimal("20.50"))
            )
        session.add(t.Promise(
            customer_id=customer.id, invoice_id=invoice.id, promised_on=date(2025, 3, 12),
            balance_then=Decimal(80), created_at=NOW,
        ))  # fmt: skip
    with migrated_from_before(engine, "what was paid before a promise") as session:
        assert session.exec(select(t.Promise.paid_before)).one() == {str(paid.id): "20.5000"}


def test_a_correction_of_before_counts_for_every_address_of_the_contact(engine: Engine) -> None:
    with transaction(engine) as session:
        _, customer, _ = acme(session)
        whose: dict[str, Any] = {"customer_id": customer.id, "email": "x@acme.example"}
        times = {"email": [NOW.isoformat(), NOW.replace(hour=10).isoformat()]}
        session.add(t.Contact(**whose, external_id="eve", postal={"city": "Lyon"}, fixed=times))
        session.add(t.Contact(**whose, external_id="max"))
    with migrated_from_before(engine, "when each address of a contact") as session:
        found = {c.external_id: c.fixed for c in session.exec(select(t.Contact))}
    assert found["max"] == {}
    assert sorted(found["eve"]) == ["email", "postal"]
    for (at,) in found["eve"].values():
        assert datetime.fromisoformat(at) == NOW.replace(hour=10)


def test_customers_with_an_open_action_that_nobody_owns_look_again(engine: Engine) -> None:
    with transaction(engine) as session:
        house, customer, invoice = acme(session)
        ben, left = (
            t.Member(organisation_id=house.id, name=name, email=f"{name}@a.example", active=active)
            for name, active in (("Ben", True), ("Cleo", False))
        )
        session.add_all([ben, left])
        nobodys, former, bens = (
            t.Customer(organisation_id=house.id, external_id=key, name=key) for key in "NFB"
        )
        session.add_all([nobodys, former, bens])
        session.flush()
        for whose, owner in ((nobodys, None), (nobodys, None), (former, left.id), (bens, ben.id)):
            session.add(t.Action(
                organisation_id=house.id, customer_id=whose.id, invoice_id=invoice.id, name="Call",
                type="call", status="to_do", owner_id=owner,
            ))  # fmt: skip
        session.add(t.Action(
            organisation_id=house.id, customer_id=customer.id, invoice_id=invoice.id, name="Call",
            type="call", status="done",
        ))  # fmt: skip
        wanted = {nobodys.id, former.id}
    with migrated_from_before(engine, "open actions without owner") as session:
        nudged = session.exec(select(t.Nudge.customer_id)).all()
        assert (set(nudged), len(nudged)) == (wanted, 2)


def test_what_was_written_for_a_call_stands_apart_from_words_for_the_customer(
    engine: Engine,
) -> None:
    kinds: dict[str, dict[str, Any]] = {
        "call": {"type": "call", "edits": {"body": "Be firm.", "cc": ["x"]}},
        "made a call": {"type": "email", "executed_type": "call", "edits": {"subject": "S"}},
        "made an email": {"type": "call", "executed_type": "email", "edits": {"body": "Dear Eve"}},
        "untouched": {"type": "task", "edits": {}},
    }
    with transaction(engine) as session:
        house, customer, invoice = acme(session)
        for name, values in kinds.items():
            session.add(t.Action(
                organisation_id=house.id, customer_id=customer.id, invoice_id=invoice.id,
                name=name, status="done", **values,
            ))  # fmt: skip
    with migrated_from_before(engine, "scripts apart from messages") as session:
        edits = {a.name: a.edits for a in session.exec(select(t.Action))}
    assert edits == {
        "call": {"cc": ["x"], "script": {"body": "Be firm."}},
        "made a call": {"script": {"subject": "S"}},
        "made an email": {"body": "Dear Eve"},
        "untouched": {},
    }


def test_closed_channels_of_contacts_move_to_their_addresses(engine: Engine) -> None:
    """They go back to the contacts first, as far as the database can tell; then they are told
    apart by the words that were kept."""
    with transaction(engine) as session:
        house, customer, _ = acme(session)
        customer.country = "FR"
        whose: dict[str, Any] = {"customer_id": customer.id}
        session.add(t.Contact(**whose, external_id="eve", email="Eve@acme.example",
                              phone="06 12 34 56 78"))  # fmt: skip
        session.add(t.Contact(**whose, external_id="max", email="max@acme.example"))
        session.add(t.Contact(**whose, external_id="zoe", email="zoe@acme.example"))
        words = [
            ("email", "eve@acme.example", "complaint", "eve@acme.example complained"),
            ("phone", "+33612345678", "callback", "+33612345678 answered STOP"),
            ("email", "max@acme.example", "member", "asked on the phone"),
        ]
        for kind, address, source, reason in words:
            session.add(t.Closure(
                organisation_id=house.id, kind=kind, address=address, source=source, closed=True,
                cause="x", at=NOW, reason=reason,
            ))  # fmt: skip
        session.add(t.TimelineEntry(
            organisation_id=house.id, customer_id=customer.id, at=NOW, kind="channel_closed",
            text="sms to Eve is closed: +33612345678 answered STOP",
        ))  # fmt: skip
    with migrated_from_before(engine, "closures belong to addresses") as session:
        rows = session.exec(select(t.Closure)).all()
        assert sorted((r.kind, r.address, r.source, r.reason) for r in rows) == sorted(words)
        assert {r.cause for r in rows} == {"complaint", "stop", "member"}
        assert all(r.closed for r in rows)
        assert [r.at for r in rows if r.kind == "phone"] == [NOW]
        contacts = session.exec(select(t.Contact)).all()
        found = closures.read(
            Unit(session, session.exec(select(t.Customer)).one().organisation_id),
            session.exec(select(t.Customer)).one(),
        )
        assert {c.external_id: found.closed(c, "email") != "" for c in contacts} == {
            "eve": True, "max": True, "zoe": False,
        }  # fmt: skip


def test_external_ids_in_the_form_of_ours_get_a_prefix_and_keep_everything(engine: Engine) -> None:
    ours = "0F8FAD5B-D9CB-469F-A165-70867728950E"
    with transaction(engine) as session:
        house, customer, invoice = acme(session)
        impostor = t.Customer(
            organisation_id=house.id, external_id=str(customer.id), name="Impostor"
        )
        other = t.Invoice(
            organisation_id=house.id, customer_id=customer.id, external_id=ours, number="2",
            issued_on=date(2025, 2, 1), total=Decimal(100), balance=Decimal(100), currency="EUR",
        )  # fmt: skip
        taken = t.Customer(organisation_id=house.id, external_id="a" * 32, name="Taken")
        before = t.Customer(organisation_id=house.id, external_id="external:" + "a" * 32, name="x")
        whose: dict[str, Any] = {
            "organisation_id": house.id, "customer_id": customer.id, "currency": "EUR",
            "on_date": date(2025, 3, 1), "amount": Decimal(1), "kind": "payment",
        }  # fmt: skip
        keys = (ours, f"import/{ours}", "P-1", f"my/{ours}", "x" * 32)
        paid = [t.Credit(**whose, external_id=key) for key in keys]
        session.add_all([impostor, other, taken, before, *paid])
        session.flush()
        made: tuple[Any, ...] = (customer, impostor, invoice, other, taken, before, *paid)
        ids = [row.id for row in made]
    with migrated_from_before(engine, "external ids") as session:
        tables: tuple[Any, ...] = (t.Customer, t.Invoice, t.Credit)
        rows = {row.id: row.external_id for table in tables for row in session.exec(select(table))}
        assert [rows[key] for key in ids] == [
            "C-1", f"external:{ids[0]}", "INV-1", f"external:{ours}",
            "external:external:" + "a" * 32, "external:" + "a" * 32,
            f"external:{ours}", f"import/external:{ours}", "P-1",
            f"my/{ours}", "x" * 32,
        ]  # fmt: skip


def test_actions_keep_their_states_and_take_no_state_that_there_is_not(engine: Engine) -> None:
    with transaction(engine) as session:
        house, customer, invoice = acme(session)
        of: dict[str, Any] = {
            "organisation_id": house.id, "customer_id": customer.id, "invoice_id": invoice.id,
            "name": "Call", "type": "call", "created_at": NOW,
        }  # fmt: skip
        session.add_all([t.Action(**of, status=status) for status in ActionStatus])
    with migrated_from_before(engine, "states of an action") as session:
        assert set(session.exec(select(t.Action.status))) == set(ActionStatus)
        with pytest.raises(IntegrityError, match="ck_action_status"), session.begin_nested():
            session.connection().execute(sa.update(t.Action).values(status="lost"))


#: By status: claim, deadline and end of a delivery of before, and what is kept of them.
CLAIM, LATER = uuid.uuid4(), NOW.replace(hour=10)
STATES: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    "planned": ((CLAIM, None, None), (None, None, None)),
    "sending": ((CLAIM, LATER, None), (CLAIM, LATER, None)),
    "rejected": ((CLAIM, LATER, NOW), (None, None, NOW)),
    "unknown": ((None, LATER, None), (None, LATER, None)),
    "needs_review": ((None, LATER, None), (None, None, None)),
    "abandoned": ((None, None, None), (None, None, NOW)),  # it ended when it was claimed
    "accepted": ((None, None, LATER), (None, None, LATER)),
}


def test_a_delivery_of_before_keeps_what_its_state_requires(engine: Engine) -> None:
    with transaction(engine) as session:
        for name in ("status", "claim", "deadline", "settled_at"):
            drop = f"ALTER TABLE delivery DROP CONSTRAINT ck_delivery_{name}"
            session.connection().execute(sa.text(drop))
        house, customer, invoice = acme(session)
        whose: dict[str, Any] = {"organisation_id": house.id, "customer_id": customer.id}
        for status, (before, _) in STATES.items():
            row = t.Action(**whose, invoice_id=invoice.id, name=status, type="email", status="done")
            session.add(row)
            session.flush()
            values: dict[str, Any] = dict(
                zip(("claim", "deadline", "settled_at"), before, strict=True)
            )
            ids: dict[str, Any] = {**whose, "id": row.id, "action_id": row.id}
            values |= {"channel": "email", "provider": "lob", "claimed_at": NOW, "status": status}
            session.add(t.Delivery(**ids, **values))
    with migrated_from_before(engine, "states of a delivery") as session:
        rows = session.exec(select(t.Delivery))
        found = {row.status: (row.claim, row.deadline, row.settled_at) for row in rows}
        assert found == {status: kept for status, (_, kept) in STATES.items()}
