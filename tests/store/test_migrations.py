"""Migrations convert existing rows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine
from sqlmodel import select

from store import closures
from store import tables as t
from store.contacts import persons_of
from store.engine import transaction
from store.unit import Unit
from tests.cast.migrated import (
    NOW,
    a_contact,
    a_credit,
    acme,
    an_action,
    an_invoice,
    migrated_from_before,
)


def test_migrated_sequences_take_their_last_plan_from_the_customer(
    engine: Engine,
) -> None:
    with transaction(engine) as session:
        house, customer, _ = acme(session)
        plan = t.Plan(organisation_id=house.id, name="Standard")
        session.add(plan)
        session.flush()
        house.default_plan_id = plan.id
        session.add(t.Sequence(customer_id=customer.id, organisation_id=house.id, state="rest"))
    with migrated_from_before(engine, "plan of the last decision") as session:
        assert session.exec(select(t.Sequence.plan_id)).one() == plan.id


def test_open_promises_get_the_payments_known_before_them(engine: Engine) -> None:
    with transaction(engine) as session:
        _, customer, invoice = acme(session)
        paid = a_credit(customer, "payment", "P-1", created_at=NOW.replace(hour=8))
        noted = a_credit(customer, "credit_note", "CN-1", created_at=NOW.replace(hour=8))
        later = a_credit(customer, "payment", "P-2", created_at=NOW.replace(hour=10))
        session.add_all([paid, noted, later])
        session.flush()
        for credit in (paid, noted, later):
            session.add(
                t.Application(credit_id=credit.id, invoice_id=invoice.id, amount=Decimal("20.50"))
            )
        promise = t.Promise(
            customer_id=customer.id,
            invoice_id=invoice.id,
            promised_on=date(2025, 3, 12),
            balance_then=Decimal(80),
            created_at=NOW,
        )
        session.add(promise)
    with migrated_from_before(engine, "what was paid before a promise") as session:
        assert session.exec(select(t.Promise.paid_before)).one() == {str(paid.id): "20.5000"}


def test_corrections_of_a_contact_are_kept_for_each_of_its_addresses(engine: Engine) -> None:
    with transaction(engine) as session:
        _, customer, _ = acme(session)
        times = [NOW, NOW.replace(hour=10)]
        eve = a_contact(session, customer, "eve", email="x@acme.example", fixed_at=times)
        lyon = {"city": "Lyon"}
        session.add(t.ContactAddress(contact_id=eve.id, kind="postal", postal=lyon))
        a_contact(session, customer, "max", email="x@acme.example")
    with migrated_from_before(engine, "when each address of a contact") as session:
        persons = persons_of(Unit(session, customer.organisation_id), customer.id)
        found = {
            one.row.external_id: {k: row.fixed_at for k, row in one.addresses.items()}
            for one in persons
        }
    assert found["max"] == {"email": []}
    assert found["eve"] == {"email": [times[1]], "postal": [times[1]]}


def test_customers_with_an_open_action_without_owner_are_nudged(engine: Engine) -> None:
    with transaction(engine) as session:
        house, customer, invoice = acme(session)
        ben, left = (
            t.Member(organisation_id=house.id, name=name, email=f"{name}@a.example", active=active)
            for name, active in (("Ben", True), ("Cleo", False))
        )
        session.add_all([ben, left])
        unowned, former, bens = (
            t.Customer(organisation_id=house.id, external_id=key, name=key) for key in "NFB"
        )
        session.add_all([unowned, former, bens])
        session.flush()
        for whose, owner in ((unowned, None), (unowned, None), (former, left.id), (bens, ben.id)):
            session.add(an_action(whose, invoice, status="to_do", owner_id=owner))
        session.add(an_action(customer, invoice, status="done"))
        wanted = {unowned.id, former.id}
    with migrated_from_before(engine, "open actions without owner") as session:
        nudged = session.exec(select(t.Nudge.customer_id)).all()
        assert (set(nudged), len(nudged)) == (wanted, 2)


def test_migrated_edits_of_a_call_become_its_script(engine: Engine) -> None:
    kinds: dict[str, dict[str, Any]] = {
        "call": {"type": "call", "edits": {"body": "Be firm.", "cc": ["x"]}},
        "made a call": {"type": "email", "executed_type": "call", "edits": {"subject": "S"}},
        "made an email": {"type": "call", "executed_type": "email", "edits": {"body": "Dear Eve"}},
        "untouched": {"type": "task", "edits": {}},
    }
    with transaction(engine) as session:
        _, customer, invoice = acme(session)
        for name, values in kinds.items():
            session.add(an_action(customer, invoice, name=name, status="done", **values))
    with migrated_from_before(engine, "scripts apart from messages") as session:
        edits = {a.name: a.edits for a in session.exec(select(t.Action))}
    assert edits == {
        "call": {"cc": ["x"], "script": {"body": "Be firm."}},
        "made a call": {"script": {"subject": "S"}},
        "made an email": {"body": "Dear Eve"},
        "untouched": {},
    }


CLOSED = [
    ("email", "eve@acme.example", "complaint", "eve@acme.example complained"),
    ("phone", "+33612345678", "callback", "+33612345678 answered STOP"),
    ("email", "max@acme.example", "member", "asked on the phone"),
]


def a_closure(
    house: t.Organisation, kind: str, address: str, source: str, reason: str
) -> t.Closure:
    return t.Closure(
        organisation_id=house.id,
        kind=kind,
        address=address,
        source=source,
        closed=True,
        cause="x",
        at=NOW,
        reason=reason,
    )


def test_closed_channels_of_contacts_move_to_their_addresses(engine: Engine) -> None:
    """The downgrade writes them to the contacts as far as possible; the upgrade reads the causes
    from the stored reasons."""
    with transaction(engine) as session:
        house, customer, _ = acme(session)
        customer.country = "FR"
        for name, phone in (("Eve", "06 12 34 56 78"), ("max", ""), ("zoe", "")):
            row = a_contact(session, customer, name.lower(), email=f"{name}@acme.example")
            session.add(t.ContactAddress(contact_id=row.id, kind="phone", address=phone))
        session.add_all(a_closure(house, *one) for one in CLOSED)
        entry = t.TimelineEntry(
            organisation_id=house.id,
            customer_id=customer.id,
            at=NOW,
            kind="channel_closed",
            text="sms to Eve is closed: +33612345678 answered STOP",
        )
        session.add(entry)
    with migrated_from_before(engine, "closures belong to addresses") as session:
        rows = session.exec(select(t.Closure)).all()
        assert sorted((r.kind, r.address, r.source, r.reason) for r in rows) == sorted(CLOSED)
        assert {r.cause for r in rows} == {"complaint", "stop", "member"}
        assert all(r.closed for r in rows)
        assert [r.at for r in rows if r.kind == "phone"] == [NOW]
        unit = Unit(session, house.id)
        found = closures.read(unit, session.exec(select(t.Customer)).one())
        closed = {
            one.row.external_id: found.closed("email", one.value("email")) != ""
            for one in persons_of(unit, customer.id)
        }
        assert closed == {"eve": True, "max": True, "zoe": False}


def test_external_ids_that_look_like_our_ids_get_a_prefix(engine: Engine) -> None:
    ours = "0F8FAD5B-D9CB-469F-A165-70867728950E"
    with transaction(engine) as session:
        house, customer, invoice = acme(session)
        impostor = t.Customer(
            organisation_id=house.id, external_id=str(customer.id), name="Impostor"
        )
        other = an_invoice(customer, ours, balance=100)
        taken = t.Customer(organisation_id=house.id, external_id="a" * 32, name="Taken")
        before = t.Customer(organisation_id=house.id, external_id="external:" + "a" * 32, name="x")
        keys = (ours, f"import/{ours}", "P-1", f"my/{ours}", "x" * 32)
        paid = [a_credit(customer, "payment", key, amount=Decimal(1)) for key in keys]
        session.add_all([impostor, other, taken, before, *paid])
        session.flush()
        made: tuple[Any, ...] = (customer, impostor, invoice, other, taken, before, *paid)
        ids = [row.id for row in made]
    with migrated_from_before(engine, "external ids") as session:
        tables: tuple[Any, ...] = (t.Customer, t.Invoice, t.Credit)
        rows = {row.id: row.external_id for table in tables for row in session.exec(select(table))}
        assert [rows[key] for key in ids] == [
            "C-1",
            f"external:{ids[0]}",
            "INV-1",
            f"external:{ours}",
            "external:external:" + "a" * 32,
            "external:" + "a" * 32,
            f"external:{ours}",
            f"import/external:{ours}",
            "P-1",
            f"my/{ours}",
            "x" * 32,
        ]
