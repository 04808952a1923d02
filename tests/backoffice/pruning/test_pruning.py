"""Pruning deletes old rows, keeps those that are still referred to, and blocks no other work."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from sqlmodel import SQLModel, col, select
from typer.testing import CliRunner

import backoffice.pruning.daily
from backoffice.ledger import files
from backoffice.pruning.daily import Ages, prune
from backoffice.pruning.rehearsals import _deletes, old_rehearsals, remove_rehearsal
from cli import app
from dunning.delivery_status import CLAIMED, SETTLED, WITH_DEADLINE
from dunning.ids import DeliveryId
from stand_ins.town import Town
from store import tables as t
from store.engine import transaction
from store.unit import Unit

NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=400)
PDF = b"%PDF-1.7 "


def count(engine: Engine, table: Any) -> int:
    with transaction(engine) as session:
        return (
            session.connection().execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        )


def pruned(engine: Engine, folder: Path | None = None, **more: Any) -> dict[str, int]:
    """How many rows of each kind were deleted, without the zeros."""
    return {k: v for k, v in prune(engine, Ages(), NOW, folder, **more).items() if v}


@pytest.fixture
def town(engine: Engine) -> Town:
    return Town(engine)


def sent(town: Town, invoice_status: str, delivery_status: str = "accepted") -> DeliveryId:
    """Create a delivery about an invoice of a new customer; returns its id."""
    with transaction(town.engine) as session:
        key = uuid.uuid4().hex
        customer = t.Customer(organisation_id=town.id, external_id=key, name=key)
        session.add(customer)
        session.flush()
        ids: dict[str, Any] = {"organisation_id": town.id, "customer_id": customer.id}
        invoice = t.Invoice(
            **ids,
            external_id=key,
            number=key,
            issued_on=NOW.date(),
            total=Decimal(1),
            balance=Decimal(1),
            currency="EUR",
            status=invoice_status,
        )
        session.add(invoice)
        session.flush()
        action = t.Action(**ids, invoice_id=invoice.id, name="SMS", type="sms", status="done")
        session.add(action)
        session.flush()
        delivery = t.Delivery(
            **ids,
            id=DeliveryId(uuid.uuid4()),
            action_id=action.id,
            channel="sms",
            provider="outbox",
            status=delivery_status,
            claim=uuid.uuid4() if delivery_status in CLAIMED else None,
            deadline=NOW if delivery_status in WITH_DEADLINE else None,
            settled_at=NOW if delivery_status in SETTLED else None,
        )
        session.add(delivery)
        return delivery.id


def test_callbacks_are_deleted_at_the_age_set_for_their_outcome(engine: Engine) -> None:
    def callback(outcome: str, days: int) -> t.Callback:
        ended = NOW - timedelta(days=days) if outcome else None
        received = NOW - timedelta(days=days)
        return t.Callback(
            provider="lob", url="/", body=b"", outcome=outcome, ended_at=ended, received_at=received
        )

    kept = [("", 4000), ("done", 89), ("unmatched", 364), ("refused", 364)]
    with transaction(engine) as session:
        for outcome, days in (*kept, ("done", 91), ("unmatched", 366), ("refused", 366)):
            session.add(callback(outcome, days))
    gone = ("callbacks", "unmatched callbacks", "refused callbacks")
    assert pruned(engine) == dict.fromkeys(gone, 1)
    with transaction(engine) as session:
        assert {row.outcome for row in session.exec(select(t.Callback))} == {o for o, _ in kept}
    assert pruned(engine) == {}


def test_the_link_of_an_open_invoice_is_kept(engine: Engine, town: Town) -> None:
    wanted = [sent(town, "open"), sent(town, "paid", "unknown"), sent(town, "paid")]
    gone = [sent(town, "paid"), sent(town, "written_off"), DeliveryId(uuid.uuid4())]
    with transaction(engine) as session:
        for number, delivery in enumerate([*wanted, *gone]):
            made = NOW if number == 2 else LONG_AGO
            session.add(
                t.Link(token=str(number), delivery_id=delivery, target="/", created_at=made)
            )
    assert pruned(engine) == {"links": 3}
    with transaction(engine) as session:
        assert {row.delivery_id for row in session.exec(select(t.Link))} == set(wanted)


def test_a_file_is_deleted_when_nothing_refers_to_it(engine: Engine, town: Town) -> None:
    deliveries = [sent(town, "paid"), sent(town, "open"), sent(town, "open")]
    with transaction(engine) as session:
        kept = {
            name: files.keep(
                Unit(session, town.id, by="Ada"), name, "application/pdf", PDF + name.encode()
            )
            for name in ("sent", "edited", "of the invoice", "young", "nobody's")
        }
        for name, file in kept.items():
            file.created_at = NOW if name == "young" else LONG_AGO
        rows = [session.get_one(t.Delivery, one) for one in deliveries]
        rows[0].message = {"attachments": [{"file_id": str(kept["sent"].id), "name": "x"}]}
        actions = [session.get_one(t.Action, row.action_id) for row in rows]
        actions[1].edits = {"attachments": ["other", str(kept["edited"].id)]}
        invoice = session.get_one(t.Invoice, actions[2].invoice_id)
        invoice.pdf_id = kept["of the invoice"].id
    assert pruned(engine, dry_run=True) == {"files": 1}
    assert pruned(engine) == {"files": 1}
    with transaction(engine) as session:
        left = {row.name for row in session.exec(select(t.File))}
    assert left == {"sent.pdf", "edited.pdf", "of the invoice.pdf", "young.pdf"}


def test_a_file_that_is_being_attached_again_is_kept(engine: Engine, town: Town) -> None:
    with transaction(engine) as session:
        old = files.keep(Unit(session, town.id, by="Ada"), "a", "application/pdf", PDF)
        old.created_at = LONG_AGO
    with transaction(engine) as attaching:
        assert (
            files.keep(Unit(attaching, town.id, by="Ada"), "a", "application/pdf", PDF).id == old.id
        )
        assert pruned(engine) == {}
    assert pruned(engine) == {"files": 1}


def test_old_messages_of_the_outbox_are_deleted_with_their_files_on_disk(
    engine: Engine, town: Town, tmp_path: Path
) -> None:
    old, unknown, young = sent(town, "paid"), sent(town, "paid", "unknown"), sent(town, "open")
    place = tmp_path / str(town.id)
    place.mkdir()
    with transaction(engine) as session:
        for delivery in (old, unknown, young):
            at = NOW if delivery == young else LONG_AGO
            ids: dict[str, Any] = {"delivery_id": delivery, "organisation_id": town.id}
            session.add(t.OutboxMessage(**ids, channel="sms", sender="A", at=at))
    orphan, draft = f"{uuid.uuid4()}.eml", f".{uuid.uuid4()}.7.9"
    for name in (f"{old}.txt", f"{unknown}.txt", f"{young}.txt", orphan, draft, "notes of mine"):
        (place / name).write_text("x")
        os.utime(place / name, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))
    expected = {"messages in the outbox": 1, "files of the outbox": 3}
    assert pruned(engine, tmp_path, dry_run=True) == expected
    assert len(list(place.iterdir())) == 6
    assert pruned(engine, tmp_path) == expected
    left = {path.name for path in place.iterdir()}
    assert left == {f"{unknown}.txt", f"{young}.txt", "notes of mine"}


def test_applied_signals_are_deleted_when_they_are_old(engine: Engine, town: Town) -> None:
    sent(town, "open")
    with transaction(engine) as session:
        customer = session.exec(select(col(t.Customer.id))).one()
        session.add(t.AppliedSignal(customer_id=customer, id="old", at=LONG_AGO))
        session.add(t.AppliedSignal(customer_id=customer, id="new", at=NOW))
    assert pruned(engine) == {"applied signals": 1}
    assert prune(engine, Ages(signals=0), NOW + timedelta(days=999))["applied signals"] == 0


def test_rows_are_deleted_in_batches_and_locked_rows_are_left(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoffice.pruning.daily, "_AT_ONCE", 10)
    beats: list[int] = []
    with transaction(engine) as session:
        for number in range(35):
            ended = LONG_AGO + timedelta(minutes=number // 2)
            session.add(
                t.Callback(provider="lob", url="/", body=b"", outcome="done", ended_at=ended)
            )
    with transaction(engine) as holding:
        holding.connection().execute(
            sa.text("SELECT 1 FROM callback ORDER BY id LIMIT 1 FOR UPDATE")
        )
        assert pruned(engine, beat=lambda: beats.append(1)) == {"callbacks": 34}
    assert len(beats) == 4
    assert pruned(engine) == {"callbacks": 1}


def a_rehearsal(engine: Engine, made: datetime) -> Town:
    """A customer with a child, an invoice, a sent email, a payment and a reply."""
    town = Town(engine, created_at=made)
    town.at("2025-03-03 10:00")
    town.customer()
    town.invoice("INV-1", "2025-03-03")
    town.review()
    town.at("2025-03-04 08:30")
    town.send()
    with transaction(engine) as session:
        organisation = session.get_one(t.Organisation, town.id)
        organisation.rehearsal_now = town.now
        customer = session.exec(
            select(t.Customer).where(t.Customer.organisation_id == town.id)
        ).one()
        child = t.Customer(
            organisation_id=town.id, external_id="child", name="c", parent_id=customer.id
        )
        session.add(child)
        session.add(t.AppliedSignal(customer_id=customer.id, id="x", at=LONG_AGO))
        session.add(t.Pause(customer_id=customer.id))
        delivery = session.exec(
            select(t.Delivery).where(t.Delivery.customer_id == customer.id)
        ).one()
        session.add(t.Link(token=str(town.id), delivery_id=delivery.id, target="/"))
        ids: dict[str, Any] = {"organisation_id": town.id, "customer_id": customer.id}
        session.add(
            t.Reply(**ids, delivery_id=delivery.id, key="k", channel="email", sender="s", text="t")
        )
    town.pay("INV-1", "5.00")
    return town


def everything(engine: Engine) -> dict[str, int]:
    return {x.name: n for x in SQLModel.metadata.sorted_tables if (n := count(engine, x))}


def test_an_old_rehearsal_is_deleted_with_its_data_alone(engine: Engine) -> None:
    young, real = a_rehearsal(engine, NOW), a_rehearsal(engine, LONG_AGO)
    with transaction(engine) as session:
        session.get_one(t.Organisation, real.id).rehearsal_now = None
        session.exec(sa.update(t.AppliedSignal).values(at=NOW))
        session.exec(sa.update(t.OutboxMessage).values(at=NOW))
    before = everything(engine)
    old = a_rehearsal(engine, LONG_AGO)
    assert old_rehearsals(engine, NOW - timedelta(days=30)) == [old.id]
    assert pruned(engine, dry_run=True) == {"rehearsals": 1}
    assert everything(engine) != before
    assert pruned(engine) == {"rehearsals": 1}
    assert everything(engine) == before
    assert young.id != real.id
    with pytest.raises(ValueError, match="is no rehearsal"):
        remove_rehearsal(engine, real.id)
    assert everything(engine) == before


def test_deleting_a_rehearsal_covers_every_table() -> None:
    statements = [*_deletes("customer"), *_deletes("organisation")]
    known = {statement.split()[2] for statement in statements}
    of_the_installation = {"cursor_key"}
    assert {x.name for x in SQLModel.metadata.sorted_tables} - known == of_the_installation


def test_the_command_prunes_by_its_settings_or_only_counts(
    engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction(engine) as session:
        row = t.Callback(provider="lob", url="/", body=b"", outcome="done", ended_at=LONG_AGO)
        session.add(row)
    monkeypatch.setenv("DUNNING_DATABASE_URL", database_url)
    monkeypatch.setenv("DUNNING_STATE_DIR", str(tmp_path))
    said = CliRunner().invoke(app, ["prune", "--dry-run"])
    assert (said.exit_code, count(engine, t.Callback)) == (0, 1), said.output
    monkeypatch.setenv("DUNNING_PRUNE_CALLBACKS_DAYS", "500")
    CliRunner().invoke(app, ["prune"])
    assert count(engine, t.Callback) == 1
    monkeypatch.delenv("DUNNING_PRUNE_CALLBACKS_DAYS")
    said = CliRunner().invoke(app, ["prune"])
    assert (said.exit_code, count(engine, t.Callback)) == (0, 0), said.output
