"""A customer that is locked by another transaction: the worker waits for a short time only, and
every outcome is recorded."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine, event
from temporalio.exceptions import ApplicationError

import activities.callbacks
import activities.calling
import activities.deciding
import activities.look_up
from activities.callbacks import Callbacks
from backoffice.delivery import callbacks as inbox
from dunning.delivery import DeliveryFact
from dunning.learnt import CameIn, Report
from providers.callback import Callback
from providers.port import Accepted
from stand_ins.town import Provider, Town
from store import tables as t
from store.engine import transaction

pytestmark = pytest.mark.services

SHORT = timedelta(milliseconds=50)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (activities.deciding, activities.calling, activities.look_up):
        monkeypatch.setattr(module, "LOCK_TIMEOUT", SHORT)
    monkeypatch.setattr(activities.callbacks, "_LOCK_TIMEOUT", SHORT)


@contextmanager
def held(town: Town, customer: str = "acme") -> Iterator[None]:
    """Lock the customer during the block, as an import does."""
    lock = sa.text("SELECT 1 FROM customer WHERE id = :id FOR UPDATE")
    with town.engine.connect() as connection, connection.begin():
        connection.execute(lock, {"id": town.key_of(customer)})
        yield


@contextmanager
def lock_time_outs(engine: Engine) -> Iterator[list[Any]]:
    """Collects an error for each statement that timed out while it waited for a lock."""
    found: list[Any] = []

    def count(context: Any) -> None:
        if getattr(context.original_exception, "sqlstate", "") == "55P03":
            found.append(context)

    event.listen(engine, "handle_error", count)
    yield found
    event.remove(engine, "handle_error", count)


def due(engine: Engine, *customers: str, provider: Provider | None = None) -> Town:
    """Customers whose first reminder is due now."""
    town = Town(engine, provider)
    town.at("2025-03-03 10:00")
    for name in customers:
        town.customer(name)
        town.invoice(f"INV-{name}", "2025-03-03", customer=name)
        town.review(customer=name)
    town.at("2025-03-04 08:30")
    return town


def test_a_review_of_a_locked_customer_fails_and_can_be_retried(
    engine: Engine,
) -> None:
    town = due(engine, "acme")
    with held(town), pytest.raises(ApplicationError, match="somebody else holds") as error:
        town.review()
    assert error.value.type == "CustomerLocked"
    assert not error.value.non_retryable
    assert town.review().state == "send"


def test_a_send_to_a_locked_customer_sends_nothing_and_can_be_retried(engine: Engine) -> None:
    town = due(engine, "acme")
    with held(town), pytest.raises(ApplicationError, match="somebody else holds"):
        town.send()
    assert town.provider.tried == []
    town.send()
    assert town.actions() == [("one", "done")]


def test_an_outcome_is_recorded_after_a_lock_longer_than_one_wait(
    engine: Engine,
) -> None:
    """An import locks the customer while the provider accepts the message."""
    begun, end = threading.Event(), threading.Event()

    def import_begins(_: Any) -> Accepted:
        def hold() -> None:
            with held(town):
                begun.set()
                end.wait(10)

        threading.Thread(target=hold).start()
        assert begun.wait(10)
        threading.Timer(0.3, end.set).start()  # six times the lock time-out
        return Accepted("id-7")

    town = due(engine, "acme", provider=Provider(import_begins))
    town.send()
    (delivery,) = town.rows_of(t.Delivery)
    assert (delivery.status, delivery.provider_id) == ("accepted", "id-7")
    assert town.actions() == [("one", "done")]


# Callbacks.


def read(callback: Callback, now: Any) -> list[Any]:
    return [
        Report(fact=DeliveryFact.RECEIVED, at=now, delivery_id=delivery)
        for delivery in json.loads(callback.body)
    ]


def store(town: Town, *deliveries: str, times: int = 1) -> None:
    with transaction(town.engine) as session:
        for _ in range(times):
            body = json.dumps(deliveries).encode()
            inbox.store(session, CameIn(provider="stand-in"), "https://we.example/x", {}, body)


def sent(engine: Engine) -> tuple[Town, str, str]:
    """Acme and Berg with a sent email each; the ids of their deliveries."""
    town = due(engine, "acme", "berg")
    town.send(customer="acme")
    acme = town.newest()
    town.send(customer="berg")
    (berg,) = [str(row.id) for row in town.rows_of(t.Delivery) if str(row.id) != acme]
    return town, acme, berg


def received(town: Town) -> set[str]:
    return {str(r.delivery_id) for r in town.rows_of(t.DeliveryRecipient) if r.received_at}


def outcomes(town: Town) -> list[str]:
    return [row.outcome for row in town.rows(t.Callback)]


def test_callbacks_of_a_locked_customer_do_not_delay_others(engine: Engine) -> None:
    """Acme's 30 callbacks are older than Berg's. A batch waits for Acme's lock once, not 30
    times."""
    town, acme, berg = sent(engine)
    store(town, acme, times=30)
    store(town, berg)
    taking = Callbacks(engine, "", {"stand-in": (None, read)})
    with held(town), lock_time_outs(engine) as waits:
        assert taking.take_batch() == 31
        assert len(waits) == 1
        assert received(town) == {berg}
        assert outcomes(town) == [""] * 30 + ["done"]
        assert taking.take_batch() == 0  # their next try is not due yet
    waiting = [row for row in town.rows(t.Callback) if not row.outcome]
    assert {(row.tries, row.error) for row in waiting} == {(0, "somebody else holds the customer")}
    assert all(row.next_try_at > row.received_at for row in waiting)
    town.change(t.Callback, next_try_at=None)
    taking.take_batch()
    assert received(town) == {acme, berg}
    assert set(outcomes(town)) == {"done"}


def test_events_of_a_callback_are_applied_except_those_of_a_locked_customer(
    engine: Engine,
) -> None:
    """SendGrid sends the events of many messages in one callback."""
    town, acme, berg = sent(engine)
    store(town, acme, berg)
    taking = Callbacks(engine, "", {"stand-in": (None, read)})
    with held(town):
        taking.take_batch()
        assert received(town) == {berg}
        assert outcomes(town) == [""]
    town.change(t.Callback, next_try_at=None)
    taking.take_batch()
    assert received(town) == {acme, berg}
    assert outcomes(town) == ["done"]
    assert len(town.timeline("message_received")) == 2


def test_a_callback_of_a_locked_customer_is_retried_at_least_every_minute(
    engine: Engine,
) -> None:
    town, acme, _ = sent(engine)
    store(town, acme)
    taking = Callbacks(engine, "", {"stand-in": (None, read)})
    pauses = []
    with held(town):
        for age in (0, 10, 40, 7200):
            (row,) = town.rows(t.Callback)
            before = row.received_at.now(row.received_at.tzinfo)
            town.change(t.Callback, next_try_at=None, received_at=before - timedelta(seconds=age))
            taking.take_batch()
            (row,) = town.rows(t.Callback)
            pauses.append(round((row.next_try_at - before).total_seconds()))
    assert pauses == [1, 5, 20, 60]
    assert outcomes(town) == [""]
