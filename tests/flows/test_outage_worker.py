"""PostgreSQL is stopped or read-only: relay, callbacks and activities of a worker fail in time, go
on by themselves, and lose nothing."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from activities.callbacks import Callbacks
from activities.relay import Relay
from activities.services import serving
from backoffice.delivery import callbacks as inbox
from dunning.learnt import CameIn
from messages.message import Message
from providers.port import Accepted
from stand_ins.town import Provider, Town
from store.engine import connect, is_outage, transaction
from tests.cast.outages import ANSWER, MORE, Server, Trouble, read_only, stopped
from tests.cast.scripted import until
from tests.cast.temporal import TemporalStandIn

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.mark.parametrize("trouble", [stopped, read_only])
async def test_relay_and_callbacks_go_on_after_an_outage_and_lose_nothing(
    server: Server, hurried: Engine, watching: Engine, trouble: Trouble
) -> None:
    town = Town(watching)
    temporal: Any = TemporalStandIn()
    readers: Any = {"x": (None, lambda *_: [])}
    relay = Relay(server.url, temporal, "q", ANSWER)
    callbacks = Callbacks(hurried, server.url, readers, ANSWER)

    def told(number: int) -> None:
        town.customer(f"c-{number}")
        with transaction(watching) as session:
            inbox.store(session, CameIn(provider="x"), "https://we.example/x", {}, b"")

    async def all_taken(number: int) -> bool:
        return await asyncio.to_thread(waiting_and_done, watching) == (0, number)

    async with serving() as services:
        services.start("the relay", relay.run())
        services.start("the callbacks", callbacks.run())
        await asyncio.to_thread(told, 1)
        await until(lambda: all_taken(1))
        async with trouble(server, hurried):
            await asyncio.sleep(2 * ANSWER)
        await until(lambda: quietly(told, 2), within=10)
        await until(lambda: all_taken(2), within=10)
    assert len(set(temporal.told)) == 2


def waiting_and_done(engine: Engine) -> tuple[int, int]:
    """How many nudges wait, and how many callbacks are done."""
    waiting = "SELECT count(*) FROM nudge"
    done = "SELECT count(*) FROM callback WHERE outcome = 'done'"
    with engine.connect() as connection:
        return (
            connection.execute(sa.text(waiting)).scalar_one(),
            connection.execute(sa.text(done)).scalar_one(),
        )


async def quietly(work: Callable[[int], None], number: int) -> bool:
    """Whether it could be done: the server may still be recovering."""
    try:
        await asyncio.to_thread(work, number)
    except sa.exc.OperationalError:
        return False
    return True


@contextmanager
def stopped_for(server: Server, seconds: float) -> Iterator[None]:
    server.stop()
    timer = threading.Timer(seconds, server.go_on)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def test_an_activity_fails_in_time_and_an_accepted_message_is_recorded(
    server: Server, watching: Engine
) -> None:
    hung: list[Any] = []

    def accept(_: Message) -> Accepted:
        """While the provider takes it, the database begins to hang."""
        hung.append(stopped_for(server, 3 * ANSWER))
        hung[-1].__enter__()
        return Accepted("id-1")

    # As a worker has it: connections are used without a ping.
    working = connect(server.url, pool_size=2, answer_within=ANSWER)
    town = Town(working, Provider(accept))
    town.customer()
    town.invoice("INV-1", "2025-03-03")
    town.at("2025-03-04 08:30")
    with stopped_for(server, 3 * ANSWER):
        began = time.monotonic()
        with pytest.raises(sa.exc.DBAPIError) as caught:
            town.review()
        assert time.monotonic() - began < 2 * ANSWER + MORE
        assert is_outage(caught.value)  # Temporal tries it again
    assert town.review().state == "send"
    town.send()
    hung[-1].__exit__(None, None, None)
    assert len(town.provider.tried) == 1
    with watching.connect() as connection:
        rows = connection.execute(sa.text("SELECT status, provider_id FROM delivery")).all()
    assert [tuple(row) for row in rows] == [("accepted", "id-1")]
    working.dispose()
