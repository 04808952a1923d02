"""The relay: one signal for all nudges of a customer; a refused one delays no other customer."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine
from temporalio.service import RPCError, RPCStatusCode

from store import tables as t
from store.engine import transaction
from store.nudges import nudge
from store.unit import Unit
from tests.cast.nudged import batches, sequence_of, tell, town_of, waiting
from tests.cast.scripted import until
from tests.cast.temporal import TemporalStandIn
from workflows.contracts import Signal

pytestmark = pytest.mark.services


def at_signal_limit(_: str = "") -> RPCError:
    """The error of Temporal for a run that has reached its limit of signals."""
    words = "exceeded workflow execution limit for signal events"
    return RPCError(words, RPCStatusCode.INVALID_ARGUMENT, b"")


def unavailable(_: str = "") -> RPCError:
    return RPCError("connection refused", RPCStatusCode.UNAVAILABLE, b"")


async def test_refused_nudges_of_a_customer_do_not_delay_other_customers(
    engine: Engine, database_url: str
) -> None:
    """It has 300 nudges, older than those of the others; a batch holds 200 customers."""
    town = town_of(engine, "acme", "berg", "cole")
    tell(town, "acme", "payment", times=300)
    tell(town, "berg", "payment")
    tell(town, "cole", "payment")
    bad = sequence_of(town, "acme")
    client = TemporalStandIn(lambda who: at_signal_limit() if who == bad else None)
    await batches(database_url, client)
    assert [who for who, _, _ in client.taken] == [
        sequence_of(town, "berg"),
        sequence_of(town, "cole"),
    ]
    assert client.tried.count(bad) == 1
    left = town.nudges()
    assert len(left) == 300
    assert {(row.tries, row.error) for row in left} == {(1, str(at_signal_limit()))}
    # It takes no place in a batch before its next try is due.
    assert await batches(database_url, client) == 1
    assert client.tried.count(bad) == 1


async def test_pauses_between_tries_of_a_refused_nudge_grow_to_a_minute(
    engine: Engine, database_url: str
) -> None:
    town = town_of(engine, "acme", "berg")
    tell(town, "acme", "payment")
    pauses = []
    for _ in range(8):
        before = town.now.now(town.now.tzinfo)
        await batches(database_url, TemporalStandIn(at_signal_limit))
        (row,) = town.nudges()
        assert row.next_try_at is not None
        pauses.append(round((row.next_try_at - before).total_seconds()))
        town.change(t.Nudge, next_try_at=None)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_a_new_nudge_is_delivered_together_with_the_refused_ones(
    engine: Engine, database_url: str
) -> None:
    """Nudges of a customer are delivered in order, so a new one makes the refused ones due now."""
    town = town_of(engine, "acme")
    tell(town, "acme", "payment")
    await batches(database_url, TemporalStandIn(at_signal_limit))
    tell(town, "acme", "complete")
    client = TemporalStandIn()
    await batches(database_url, client)
    ((_, name, payload),) = client.taken
    assert [m.signal for m in Signal.read_all(name, payload, "")] == ["payment", "complete"]
    assert town.nudges() == []


async def test_all_nudges_of_a_customer_are_sent_in_one_signal(
    engine: Engine, database_url: str
) -> None:
    town = town_of(engine, "acme", "berg")
    for _ in range(3):
        tell(town, "berg", "pause", who="Ben")
    with transaction(engine) as session:
        row = session.get_one(t.Customer, town.key_of("acme"))

        def also(*told: Any) -> None:
            nudge(Unit(session, row.organisation_id), row, *told)

        also()
        also()
        also("payment", {"id": "P-7", "amount": "5.00 EUR"})
        also("complete", {"id": "A-1"})
        also()
        also()
    numbers = [row.id for row in waiting(town, "acme")]
    client = TemporalStandIn()
    await batches(database_url, client)
    signals = {who: (name, payload) for who, name, payload in client.taken}
    assert len(client.taken) == 2
    name, payload = signals[sequence_of(town, "acme")]
    assert name == "payment"
    assert payload["nudge"] == numbers[-1]
    # account_changed is sent once, with its last number; the messages are in order.
    assert payload["messages"] == [
        {"signal": "payment", "id": "P-7", "amount": "5.00 EUR", "nudge": numbers[2]},
        {"signal": "complete", "id": "A-1", "nudge": numbers[3]},
        {"signal": "account_changed", "nudge": numbers[5]},
    ]
    assert town.nudges() == []


async def test_one_signal_holds_at_most_fifty_messages(engine: Engine, database_url: str) -> None:
    """A payload of Temporal has at most 2 MB."""
    town = town_of(engine, "acme", "berg")
    tell(town, "acme", "complete", times=1_120, why="x" * 500)
    tell(town, "berg", "complete")
    numbers = [row.id for row in town.nudges()]
    client = TemporalStandIn()
    await batches(database_url, client, most=40)
    read = [(who, Signal.read_all(name, payload, "")) for who, name, payload in client.taken]
    acme = [messages for who, messages in read if who == sequence_of(town, "acme")]
    assert [len(messages) for messages in acme] == [50] * 22 + [20]
    assert [m.nudge for messages in acme for m in messages] == numbers[:-1]
    assert town.nudges() == []


async def test_while_temporal_is_unavailable_no_nudge_counts_as_refused(
    engine: Engine, database_url: str
) -> None:
    """Otherwise every customer would wait for its pause to end once Temporal is back."""
    town = town_of(engine, "acme", "berg")
    tell(town, "acme", "payment")
    tell(town, "berg", "payment")
    with pytest.raises(RPCError, match="connection refused"):
        await batches(database_url, TemporalStandIn(unavailable))
    assert {(row.tries, row.next_try_at) for row in town.nudges()} == {(0, None)}


async def test_resource_exhausted_for_one_customer_is_a_refusal_and_no_outage(
    engine: Engine, database_url: str
) -> None:
    """Temporal uses this status for one busy run and for a namespace over its rate limit."""
    busy = RPCError("Workflow is busy.", RPCStatusCode.RESOURCE_EXHAUSTED, b"")
    town = town_of(engine, "acme")
    tell(town, "acme", "payment")
    await batches(database_url, TemporalStandIn(lambda _: busy))
    assert [row.tries for row in town.nudges()] == [1]


async def test_the_stored_text_of_an_unexpected_error_quotes_no_data(
    engine: Engine, database_url: str
) -> None:
    town = town_of(engine, "acme")
    tell(town, "acme", "payment")
    await batches(database_url, TemporalStandIn(lambda _: ValueError("ada@acme.example")))
    (row,) = town.nudges()
    assert (row.tries, row.error.partition(":")[0]) == (1, "ValueError")
    assert "ada" not in row.error


async def test_two_relays_side_by_side_take_different_customers(
    engine: Engine, database_url: str
) -> None:
    names = [f"c-{n:03}" for n in range(6)]
    town = town_of(engine, *names)
    for name in names:
        tell(town, name, "payment")
    slow = asyncio.Event()

    class Slow(TemporalStandIn):
        async def start_workflow(self, *_: Any, **more: Any) -> None:
            await slow.wait()
            await super().start_workflow(*_, **more)

    first, second = Slow(), TemporalStandIn()
    one = asyncio.create_task(batches(database_url, first))
    await until(lambda: _all_locked(database_url))
    tell(town, "c-000", "complete")
    await batches(database_url, second)
    slow.set()
    await one
    assert sorted(who for who, _, _ in first.taken) == sorted(
        sequence_of(town, name) for name in names
    )
    assert [(who, name) for who, name, _ in second.taken] == [
        (sequence_of(town, "c-000"), "complete")
    ]
    assert town.nudges() == []


def _all_locked(url: str) -> bool:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        rows = connection.execute("SELECT id FROM nudge FOR UPDATE SKIP LOCKED").fetchall()
        return not rows
