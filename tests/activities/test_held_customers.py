"""Somebody else holds the customer: nothing of the worker waits for it for long, and what only we
know is not lost."""

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
import activities.deciding
import activities.sending
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
    for module in (activities.deciding, activities.sending):
        monkeypatch.setattr(module, "LOCK_TIMEOUT", SHORT)
    monkeypatch.setattr(activities.callbacks, "_LOCK_TIMEOUT", SHORT)


@contextmanager
def held(town: Town, customer: str = "acme") -> Iterator[None]:
    """As an import holds it, for as long as the block lasts."""
    lock = sa.text("SELECT 1 FROM customer WHERE id = :id FOR UPDATE")
    with town.engine.connect() as connection, connection.begin():
        connection.execute(lock, {"id": town.key_of(customer)})
        yield


@contextmanager
def waits_in_vain(engine: Engine) -> Iterator[list[Any]]:
    """A lock time-out for each statement that waited for a lock and did not get it."""
    found: list[Any] = []

    def count(context: Any) -> None:
        if getattr(context.original_exception, "sqlstate", "") == "55P03":
            found.append(context)

    event.listen(engine, "handle_error", count)
    yield found
    event.remove(engine, "handle_error", count)


def due(engine: Engine, *customers: str, provider: Provider | None = None) -> Town:
    """The first reminder of each is due now."""
    town = Town(engine, provider)
    town.at("2025-03-03 10:00")
    for name in customers:
        town.customer(name)
        town.invoice(f"INV-{name}", "2025-03-03", customer=name)
        town.review(customer=name)
    town.at("2025-03-04 08:30")
    return town


def test_a_review_of_a_held_customer_gives_its_thread_back_and_is_tried_again(
    engine: Engine,
) -> None:
    town = due(engine, "acme")
    with held(town), pytest.raises(ApplicationError, match="somebody else holds") as error:
        town.review()
    assert error.value.type == "CustomerLocked"
    assert not error.value.non_retryable
    assert town.review().state == "send"


def test_a_send_to_a_held_customer_has_not_left_and_is_tried_again(engine: Engine) -> None:
    town = due(engine, "acme")
    with held(town), pytest.raises(ApplicationError, match="somebody else holds"):
        town.send()
    assert town.provider.tried == []
    town.send()
    assert town.actions() == [("one", "done")]


def test_an_outcome_outlives_whoever_holds_the_customer_longer_than_we_wait(
    engine: Engine,
) -> None:
    """An import begins while the provider has the message: only we know that it was accepted."""
    begun, end = threading.Event(), threading.Event()

    def import_begins(_: Any) -> Accepted:
        def hold() -> None:
            with held(town):
                begun.set()
                end.wait(10)

        threading.Thread(target=hold).start()
        assert begun.wait(10)
        threading.Timer(0.3, end.set).start()  # six times our patience for one lock
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
    """Acme and Berg have been written to; their deliveries."""
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


def test_callbacks_of_a_held_customer_let_the_others_go_first(engine: Engine) -> None:
    """Thirty of Acme's are older than Berg's. The batch waits for Acme once, not thirty times."""
    town, acme, berg = sent(engine)
    store(town, acme, times=30)
    store(town, berg)
    taking = Callbacks(engine, "", {"stand-in": (None, read)})
    with held(town), waits_in_vain(engine) as waits:
        assert taking.take_batch() == 31
        assert len(waits) == 1
        assert received(town) == {berg}
        assert outcomes(town) == [""] * 30 + ["done"]
        assert taking.take_batch() == 0  # put back: it is not their turn yet
    waiting = [row for row in town.rows(t.Callback) if not row.outcome]
    assert {(row.tries, row.error) for row in waiting} == {(0, "somebody else holds the customer")}
    assert all(row.next_try_at > row.received_at for row in waiting)
    town.change(t.Callback, next_try_at=None)
    taking.take_batch()
    assert received(town) == {acme, berg}
    assert set(outcomes(town)) == {"done"}


def test_a_callback_about_several_customers_is_taken_in_but_for_the_held_one(
    engine: Engine,
) -> None:
    """SendGrid puts the events of many messages into one call."""
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


def test_a_callback_of_a_held_customer_is_never_given_up_and_waits_a_minute_at_most(
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
