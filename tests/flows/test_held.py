"""SendGrid refuses our key, on the real engine: one send at a time probes the account; when the
key works again everything leaves by itself, once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import Engine
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
    public_url = "http://127.0.0.1:9"
    engine = connect(database_url, pool_size=10)
    make_book(engine, addressees(PEOPLE))
    client = await connect_temporal(temporal)
    outside = Outside(public_url=public_url, probe_after=PROBE_AFTER)
    options = WorkerOptions(task_queue="held", threads=8, outside=outside)
    with StandIns() as on:
        on.refuses_account.add("sendgrid")
        channels = channels_of(Settings(**settings(on, public_url)), public_url)

        async def probed() -> bool:
            """And the other channels have sent everything meanwhile."""
            found = await asyncio.to_thread(hold, engine)
            others = len(on.ledger.entries("twilio")) + len(on.ledger.entries("lob"))
            return found is not None and found.probes >= 2 and others == 2 * PEOPLE / 3

        async def quiet() -> bool:
            found = await asyncio.to_thread(still_open, database_url)
            return found is not None and found.nothing

        async with running(client, engine, database_url, channels, options):
            await until(probed, within=20)
            held = hold(engine)
            assert held is not None
            first_refused = on.refusals("sendgrid") - held.probes
            assert 1 <= first_refused <= 4  # the sends that were under way before the hold
            assert on.ledger.entries("sendgrid") == []
            on.refuses_account.clear()
            await until(quiet, within=20)
    found = hold(engine)
    assert found is not None
    assert found.ended_by == "a message was taken"
    engine.dispose()
    sent = on.ledger.counts()
    assert len(sent) == PEOPLE
    assert set(sent.values()) == {1}


def hold(engine: Engine) -> t.HeldAccount | None:
    with transaction(engine) as session:
        return session.exec(select(t.HeldAccount)).one_or_none()
