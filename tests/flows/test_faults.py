"""Thirty messages through providers that fail in every way: none is sent twice, none is lost.
``python -m bench.faults`` does the same with thousands, while every process is killed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import cycle
from typing import Any

import pytest
import uvicorn
from sqlalchemy import Engine

from activities.options import Outside, WorkerOptions
from activities.running import connections_of, running
from activities.temporal import connect_temporal
from api.app import create_app
from api.http.database import CONNECTIONS
from dunning.plan import ActionType
from local.embedded.ports import take_port
from providers.lob.send import Lob
from providers.port import Channel
from providers.registry import installed
from providers.sendgrid.send import SendGrid
from providers.twilio.send import Twilio
from settings import Settings
from stand_ins.fault_book import CHANNELS, Addressee, addressees, make_book
from stand_ins.fault_report import Report, Tally, evidence, report, still_open
from stand_ins.providers import Fault, Faults, Habits, StandIns
from stand_ins.providers.accounts import settings
from store.engine import connect
from tests.cast.scripted import until

pytestmark = [pytest.mark.services, pytest.mark.slow]

EACH = 10
PATIENCE = timedelta(seconds=1)  # of our channels
LOOK_UP_AFTER = tuple(timedelta(seconds=s) for s in (0.3, 0.9, 1.8, 3, 4.5))
#: The message did not leave, and from the answer nobody can tell.
SILENT_BEFORE = {Fault.DROP_BEFORE, Fault.HANG_BEFORE, Fault.ERROR_BEFORE, Fault.GARBAGE_BEFORE}


@dataclass(frozen=True)
class EachInTurn(Faults):
    """Ten sends and the retry after a 429 meet every kind of fault once, at each provider."""

    turns: dict[random.Random, Iterator[Fault]] = field(default_factory=dict)

    def pick(self, chance: random.Random, *, look_up: bool) -> Fault:
        if look_up:
            return super().pick(chance, look_up=True)
        return next(self.turns.setdefault(chance, cycle(Fault)))


def channels_of(configured: Settings, public_url: str) -> dict[ActionType, Channel]:
    """As the worker makes them, with a shorter time-out."""
    accounts: dict[str, Any] = installed(configured.of_provider)
    return {
        ActionType.EMAIL: SendGrid(accounts["sendgrid"], timeout=PATIENCE),
        ActionType.SMS: Twilio(accounts["twilio"], public_url, timeout=PATIENCE),
        ActionType.LETTER: Lob(accounts["lob"], timeout=PATIENCE),
    }


@asynccontextmanager
async def serving(configured: Settings, engine: Engine, port: int) -> AsyncIterator[None]:
    """The API, which takes the callbacks."""
    app = create_app(configured, engine)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False))
    task = asyncio.create_task(server._serve())
    await until(lambda: server.started)
    yield
    server.should_exit = True
    await task


async def send_all(
    people: list[Addressee], stand_ins: StandIns, url: str, temporal: str, port: int
) -> Report:
    """Run the worker and the API in this process until no delivery is open."""
    public_url = f"http://127.0.0.1:{port}"
    configured = Settings(**settings(stand_ins, public_url))
    engine = connect(url, pool_size=connections_of(30) + CONNECTIONS)
    make_book(engine, people)
    client = await connect_temporal(temporal)
    async with (
        serving(configured, engine, port),
        running(
            client,
            engine,
            url,
            channels_of(configured, public_url),
            WorkerOptions(
                task_queue="faults",
                threads=30,
                outside=Outside(public_url=public_url, look_up_after=LOOK_UP_AFTER),
            ),
        ),
    ):
        for _ in range(2):  # quiet twice: what moves between two tables may be missed once

            async def quiet() -> bool:
                found = await asyncio.to_thread(still_open, url)
                return found is not None and found.nothing and stand_ins.wait_until_quiet(0)

            await until(quiet, within=40, every=0.2)
    engine.dispose()
    return report(url, stand_ins.ledger, people)


def missing(played: Mapping[str, Mapping[Fault, int]]) -> dict[str, set[Fault]]:
    return {provider: set(Fault) - set(faults) for provider, faults in played.items()}


async def test_no_message_is_sent_twice_or_lost_whatever_the_providers_do(
    database_url: str, temporal: str
) -> None:
    people = addressees(EACH * len(CHANNELS))
    port = take_port(0, "")
    unsure = {Fault.OK: 0.8, Fault.ERROR_BEFORE: 0.1, Fault.LIMITED: 0.1}
    # A hang is longer than our time-out; SendGrid's log of emails lags behind every look-up.
    faults = EachInTurn(look_up=unsure, hang=1.5, wait=1, lag=60)
    habits = Habits(delay=3, twice=0.3, early=0.1)
    with StandIns(
        faults=faults, habits=habits, callbacks_to=f"http://127.0.0.1:{port}", seed=1
    ) as stand_ins:
        found = await send_all(people, stand_ins, database_url, temporal, port)
        wrong = [
            line for one in found.wrong for line in evidence(database_url, stand_ins.ledger, one)
        ]
        assert missing(stand_ins.played()) == {"sendgrid": set(), "twilio": set(), "lob": set()}
        assert stand_ins.counts().abandoned == 0
    assert wrong == []
    assert found.good
    asked = len(SILENT_BEFORE)  # needs review: only a person can decide to send it again
    assert found.by_channel == {
        "email": Tally(actions=EACH, once=EACH - asked, review_unsent=asked),
        "sms": Tally(actions=EACH, once=EACH - asked, review_unsent=asked),
        "letter": Tally(actions=EACH, once=EACH),  # retried under Lob's idempotency key
    }
    assert found.by_callback > 0
    assert found.by_look_up > 0
    assert set(found.callbacks) == {"done"}
