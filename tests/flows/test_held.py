"""A key that SendGrid refuses, on the real engine: one probe at a time, and then everything leaves
by itself, once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import select

from activities.options import Outside, WorkerOptions
from activities.running import running
from activities.temporal import connect_temporal
from settings import Settings
from stand_ins.fault_book import addressees, make_book
from stand_ins.fault_report import still_open
from stand_ins.providers import StandIns
from stand_ins.providers.accounts import settings
from store import tables as t
from store.engine import connect, transaction
from tests.cast.scripted import until
from tests.flows.test_faults import channels_of

pytestmark = [pytest.mark.services, pytest.mark.slow]

#: Twelve customers, four of each channel.
PEOPLE = 12
PROBE_AFTER = (timedelta(seconds=0.4), timedelta(seconds=0.8))


async def test_a_refused_key_is_probed_by_one_send_until_it_works_and_everything_leaves_once(
    database_url: str, temporal: str
) -> None:
    people = addressees(PEOPLE)
    public_url = "http://127.0.0.1:9"
    with StandIns() as on:
        on.refuses_account.add("sendgrid")
        configured = Settings(**settings(on, public_url))
        engine = connect(database_url, pool_size=10)
        make_book(engine, people)
        client = await connect_temporal(temporal)
        outside = Outside(public_url=public_url, probe_after=PROBE_AFTER)

        def hold() -> t.HeldAccount | None:
            with transaction(engine) as session:
                return session.exec(select(t.HeldAccount)).one_or_none()

        async def probed() -> bool:
            found = await asyncio.to_thread(hold)
            others = len(on.ledger.entries("twilio")) + len(on.ledger.entries("lob"))
            return found is not None and found.probes >= 2 and others == 2 * PEOPLE / 3

        async def quiet() -> bool:
            found = await asyncio.to_thread(still_open, database_url)
            return found is not None and found.nothing

        async with running(
            client, engine, database_url, channels_of(configured, public_url),
            WorkerOptions(task_queue="held", threads=8, outside=outside),
        ):  # fmt: skip
            await until(probed, within=20)  # the other channels go on meanwhile
            held = hold()
            assert held is not None
            first_refused = on.refusals("sendgrid") - held.probes
            assert 1 <= first_refused <= 4  # those who had not heard of it yet
            assert on.ledger.entries("sendgrid") == []
            on.refuses_account.clear()
            await until(quiet, within=20)
        found = hold()
        assert found is not None
        assert found.ended_by == "a message was taken"
        engine.dispose()
    sent = on.ledger.counts()
    assert len(sent) == PEOPLE
    assert set(sent.values()) == {1}
