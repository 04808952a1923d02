"""The relay: what waits for one customer is one place and one signal, and stops nobody else."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.rows import dict_row
from sqlalchemy import Engine
from temporalio.service import RPCError, RPCStatusCode

from activities.relay import Relay
from activities.temporal import connect_temporal
from local.standalone import Embedded, TemporalOptions
from stand_ins.town import Town
from store import tables as t
from store.engine import transaction
from store.nudges import nudge
from store.unit import Unit
from tests.cast.lived import Run, living, monday
from tests.cast.scripted import Clerk, rest, until, working
from tests.cast.skipping import Skipping
from workflows.contracts import Signal, workflow_id

pytestmark = pytest.mark.services


class TemporalStandIn:
    """Keeps every signal; refuses those of a customer as it is told."""

    def __init__(self, refuse: Callable[[str], Exception | None] = lambda _: None) -> None:
        self.refuse = refuse
        self.tried: list[str] = []
        self.taken: list[tuple[str, str, dict[str, Any]]] = []

    async def start_workflow(self, *_: Any, **more: Any) -> None:
        self.tried.append(more["id"])
        error = self.refuse(more["id"])
        if error is not None:
            raise error
        (payload,) = more["start_signal_args"]
        self.taken.append((more["id"], more["start_signal"], payload))


def full(_: str = "") -> RPCError:
    """As Temporal answers for a run that has had all its signals."""
    words = "exceeded workflow execution limit for signal events"
    return RPCError(words, RPCStatusCode.INVALID_ARGUMENT, b"")


def away(_: str = "") -> RPCError:
    return RPCError("connection refused", RPCStatusCode.UNAVAILABLE, b"")


async def batches(url: str, client: Any, most: int = 20) -> int:
    """Deliver until there is nothing more to take just now; how many batches that took."""
    relay = Relay(url, client, "q")
    async with await psycopg.AsyncConnection.connect(
        url.replace("+psycopg", ""), autocommit=True, row_factory=dict_row
    ) as connection:
        for number in range(1, most + 1):
            if not await relay._deliver(connection):
                return number
    raise AssertionError(f"{most} batches were not enough")


def told(town: Town, customer: str, signal: str, times: int = 1, **payload: Any) -> None:
    with transaction(town.engine) as session:
        row = session.get_one(t.Customer, town.key_of(customer))
        nudge(Unit(session, row.organisation_id), row, signal, {"id": f"{signal}-1", **payload})
        session.flush()
        session.connection().execute(
            sa.text(
                "INSERT INTO nudge (organisation_id, customer_id, signal, payload, created_at)"
                " SELECT organisation_id, customer_id, signal, payload, created_at"
                " FROM nudge, generate_series(2, :times)"
                " WHERE id = (SELECT max(id) FROM nudge)"
            ),
            {"times": times},
        )


def forget(town: Town) -> None:
    """What was nudged so far has been told."""
    with transaction(town.engine) as session:
        for row in town.nudges():
            session.delete(session.get_one(t.Nudge, row.id))


def towns(engine: Engine, *customers: str) -> Town:
    town = Town(engine)
    for name in customers:
        town.customer(name)
    forget(town)
    return town


def of(town: Town, customer: str) -> str:
    return workflow_id(str(town.id), str(town.key_of(customer)))


def waiting(town: Town, customer: str) -> Sequence[t.Nudge]:
    key = town.key_of(customer)
    return [row for row in town.nudges() if row.customer_id == key]


async def test_a_customer_whose_nudges_are_refused_does_not_stop_the_others(
    engine: Engine, database_url: str
) -> None:
    """300 of its nudges are older than the others'; a batch had 200 places, one for each nudge."""
    town = towns(engine, "acme", "berg", "cole")
    told(town, "acme", "payment", times=300)
    told(town, "berg", "payment")
    told(town, "cole", "payment")
    bad = of(town, "acme")
    client = TemporalStandIn(lambda who: full() if who == bad else None)
    await batches(database_url, client)
    assert [who for who, _, _ in client.taken] == [of(town, "berg"), of(town, "cole")]
    assert client.tried.count(bad) == 1
    left = town.nudges()
    assert len(left) == 300
    assert {(row.tries, row.error) for row in left} == {(1, str(full()))}
    # It is not tried again before its time, nor does it take a place.
    assert await batches(database_url, client) == 1
    assert client.tried.count(bad) == 1


async def test_the_pause_of_a_refused_nudge_grows_to_a_minute(
    engine: Engine, database_url: str
) -> None:
    town = towns(engine, "acme", "berg")
    told(town, "acme", "payment")
    pauses = []
    for _ in range(8):
        before = town.now.now(town.now.tzinfo)
        await batches(database_url, TemporalStandIn(full))
        (row,) = town.nudges()
        assert row.next_try_at is not None
        pauses.append(round((row.next_try_at - before).total_seconds()))
        town.change(t.Nudge, next_try_at=None)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_a_new_nudge_takes_those_that_were_refused_with_it(
    engine: Engine, database_url: str
) -> None:
    """What is told of a customer is told in order, and there may be a reason to try again."""
    town = towns(engine, "acme")
    told(town, "acme", "payment")
    await batches(database_url, TemporalStandIn(full))
    told(town, "acme", "complete")
    client = TemporalStandIn()
    await batches(database_url, client)
    ((_, name, payload),) = client.taken
    assert [m.signal for m in Signal.read_all(name, payload, "")] == ["payment", "complete"]
    assert town.nudges() == []


async def test_what_waits_for_one_customer_is_one_signal(engine: Engine, database_url: str) -> None:
    town = towns(engine, "acme", "berg")
    for _ in range(3):
        told(town, "berg", "pause", who="Ben")
    with transaction(engine) as session:
        row = session.get_one(t.Customer, town.key_of("acme"))
        for number in range(4):
            nudge(Unit(session, row.organisation_id), row)
            if number == 1:
                nudge(
                    Unit(session, row.organisation_id),
                    row,
                    "payment",
                    {"id": "P-7", "amount": "5.00 EUR"},
                )
                nudge(Unit(session, row.organisation_id), row, "complete", {"id": "A-1"})
    numbers = [row.id for row in waiting(town, "acme")]
    client = TemporalStandIn()
    await batches(database_url, client)
    signals = {who: (name, payload) for who, name, payload in client.taken}
    assert len(client.taken) == 2
    name, payload = signals[of(town, "acme")]
    assert name == "payment"
    assert payload["nudge"] == numbers[-1]
    # "Look again" is said once, with its last number, and the messages are in order.
    assert payload["messages"] == [
        {"signal": "payment", "id": "P-7", "amount": "5.00 EUR", "nudge": numbers[2]},
        {"signal": "complete", "id": "A-1", "nudge": numbers[3]},
        {"signal": "account_changed", "nudge": numbers[5]},
    ]
    assert town.nudges() == []


async def test_thousands_of_nudges_of_one_customer_are_told_in_signals_of_fifty(
    engine: Engine, database_url: str
) -> None:
    """A payload of Temporal has at most 2 MB."""
    town = towns(engine, "acme", "berg")
    told(town, "acme", "complete", times=1_120, why="x" * 500)
    told(town, "berg", "complete")
    numbers = [row.id for row in town.nudges()]
    client = TemporalStandIn()
    await batches(database_url, client, most=40)
    read = [(who, Signal.read_all(name, payload, "")) for who, name, payload in client.taken]
    acme = [messages for who, messages in read if who == of(town, "acme")]
    assert [len(messages) for messages in acme] == [50] * 22 + [20]
    assert [m.nudge for messages in acme for m in messages] == numbers[:-1]
    assert town.nudges() == []


async def test_while_temporal_is_away_nothing_counts_as_refused(
    engine: Engine, database_url: str
) -> None:
    """Else everybody would wait out a pause when it is back."""
    town = towns(engine, "acme", "berg")
    told(town, "acme", "payment")
    told(town, "berg", "payment")
    with pytest.raises(RPCError, match="connection refused"):
        await batches(database_url, TemporalStandIn(away))
    assert {(row.tries, row.next_try_at) for row in town.nudges()} == {(0, None)}


async def test_one_run_that_is_busy_is_no_outage(engine: Engine, database_url: str) -> None:
    """Temporal says so of one run with the same status as of a namespace that is over its rate."""
    busy = RPCError("Workflow is busy.", RPCStatusCode.RESOURCE_EXHAUSTED, b"")
    town = towns(engine, "acme")
    told(town, "acme", "payment")
    await batches(database_url, TemporalStandIn(lambda _: busy))
    assert [row.tries for row in town.nudges()] == [1]


async def test_an_error_of_ours_is_kept_without_what_it_quotes(
    engine: Engine, database_url: str
) -> None:
    town = towns(engine, "acme")
    told(town, "acme", "payment")
    await batches(database_url, TemporalStandIn(lambda _: ValueError("ada@acme.example")))
    (row,) = town.nudges()
    assert (row.tries, row.error.partition(":")[0]) == (1, "ValueError")
    assert "ada" not in row.error


async def test_two_relays_side_by_side_take_different_customers(
    engine: Engine, database_url: str
) -> None:
    names = [f"c-{n:03}" for n in range(6)]
    town = towns(engine, *names)
    for name in names:
        told(town, name, "payment")
    slow = asyncio.Event()

    class Slow(TemporalStandIn):
        async def start_workflow(self, *_: Any, **more: Any) -> None:
            await slow.wait()
            await super().start_workflow(*_, **more)

    first, second = Slow(), TemporalStandIn()
    one = asyncio.create_task(batches(database_url, first))
    await until(lambda: _locked(database_url))
    told(town, "c-000", "complete")
    await batches(database_url, second)
    slow.set()
    await one
    assert sorted(who for who, _, _ in first.taken) == sorted(of(town, name) for name in names)
    assert [(who, name) for who, name, _ in second.taken] == [(of(town, "c-000"), "complete")]
    assert town.nudges() == []


def _locked(url: str) -> bool:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        rows = connection.execute("SELECT id FROM nudge FOR UPDATE SKIP LOCKED").fetchall()
        return not rows


async def test_the_last_of_several_nudges_counts_as_handled(
    skipping: Skipping, engine: Engine, database_url: str
) -> None:
    """What a rehearsal waits for; and the run tells them all in one signal."""
    town = towns(engine, "acme")
    town.invoice("INV-1", monday())
    told(town, "acme", "payment", who="Ben")
    told(town, "acme", "pause", who="Ben")
    last = town.nudges()[-1].id
    run = Run(skipping, town, "acme")
    async with living(skipping, town, database_url):
        await run.asleep()
    signals = [
        e for e in await run.events() if e.HasField("workflow_execution_signaled_event_attributes")
    ]
    assert len(signals) == 1
    (sequence,) = town.rows(t.Sequence)
    assert sequence.handled == last


# Temporal's limit of signals.


async def test_a_run_that_has_had_all_its_signals_is_told_the_rest_by_a_new_one(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Temporal takes 6 signals of a run here (10,000 by default). Acme's review hangs while facts
    come in, so that it cannot roll. The nudges that are refused wait and hold up nobody; when the
    review is back the run reads what it has, rolls, and is told the rest."""
    monkeypatch.setattr("workflows.contracts.ROLL_AT_SIGNALS", 4)
    town = towns(engine, "acme", "berg")
    clerk = Clerk(rest())
    clerk.busy = asyncio.Event()
    with (
        tempfile.TemporaryDirectory(prefix="dunning-", ignore_cleanup_errors=True) as folder,
        Embedded(
            Path(folder),
            postgres=False,
            durable=False,
            temporal=TemporalOptions(
                in_memory=True, dynamic={"history.maximumSignalsPerExecution": 6}
            ),
        ) as services,
    ):
        client = await connect_temporal(services.temporal_address)
        skipping: Any = type("Plain", (), {"client": client})()
        async with working(skipping, clerk) as sequence:
            relay = Relay(database_url, client, sequence.queue)
            task = asyncio.create_task(relay.run())
            run = client.get_workflow_handle(of(town, "acme"))
            for number in range(6):
                told(town, "acme", "payment", who=str(number))
                await until(lambda: not town.nudges())
            first = (await run.describe()).run_id
            told(town, "acme", "complete")
            await until(lambda: [row.tries for row in town.nudges()] == [1])
            (refused,) = town.nudges()
            assert "exceeded" in refused.error
            told(town, "berg", "payment")
            await until(lambda: waiting(town, "berg") == [])
            clerk.busy.set()

            async def rolled() -> bool:
                return (await run.describe()).run_id != first

            await until(rolled)
            told(town, "acme", "pause")  # takes the refused one with it
            await until(lambda: not town.nudges())
            await until(lambda: "complete" in [m for call in clerk.calls for m in call.signals])
            read = [m for call in clerk.calls for m in call.messages if m.nudge]
            assert [m.signal for m in read if m.signal != "payment"] == ["complete", "pause"]
            assert len({m.nudge for m in read}) == len(read) == 6 + 1 + 1 + 1
            task.cancel()
