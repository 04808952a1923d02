"""The relay with a real Temporal server."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine

from activities.relay import Relay
from activities.services import serving
from activities.temporal import connect_temporal
from local.standalone import Embedded, TemporalOptions
from store import tables as t
from tests.cast.nudged import sequence_of, tell, town_of, waiting
from tests.cast.real_sequences import Run, living, monday
from tests.cast.scripted import Clerk, rest, until, working
from tests.cast.skipping import Skipping

pytestmark = pytest.mark.services


async def test_after_several_nudges_the_number_of_the_last_is_handled(
    skipping: Skipping, engine: Engine, database_url: str
) -> None:
    """A rehearsal waits for the number of the last nudge. The run gets all of them in one
    signal."""
    town = town_of(engine, "acme")
    town.invoice("INV-1", monday())
    tell(town, "acme", "payment", who="Ben")
    tell(town, "acme", "pause", who="Ben")
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


@contextmanager
def temporal_with(**dynamic: object) -> Iterator[str]:
    """The address of a Temporal server for this test alone, with these dynamic settings."""
    options = TemporalOptions(in_memory=True, dynamic=dynamic)
    with (
        tempfile.TemporaryDirectory(prefix="dunning-", ignore_cleanup_errors=True) as folder,
        Embedded(Path(folder), postgres=False, durable=False, temporal=options) as services,
    ):
        yield services.temporal_address


async def test_a_run_at_its_signal_limit_continues_as_new_and_gets_the_rest(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This Temporal accepts 6 signals for a run (10,000 by default). Acme's review hangs while
    signals come in, so that its run cannot continue as new. Refused nudges wait and delay no other
    customer. When the review ends, the run reads its signals and continues as new."""
    monkeypatch.setattr("workflows.contracts.ROLL_AT_SIGNALS", 4)
    town = town_of(engine, "acme", "berg")
    clerk = Clerk(rest())
    clerk.busy = asyncio.Event()
    with temporal_with(**{"history.maximumSignalsPerExecution": 6}) as address:
        client = await connect_temporal(address)
        skipping: Any = SimpleNamespace(client=client)
        async with working(skipping, clerk) as sequence, serving() as services:
            services.start("the relay", Relay(database_url, client, sequence.queue).run())
            run = client.get_workflow_handle(sequence_of(town, "acme"))
            for number in range(6):
                tell(town, "acme", "payment", who=str(number))
                await until(lambda: not town.nudges())
            first = (await run.describe()).run_id
            tell(town, "acme", "complete")
            await until(lambda: [row.tries for row in town.nudges()] == [1])
            assert "exceeded" in town.nudges()[0].error
            tell(town, "berg", "payment")
            await until(lambda: waiting(town, "berg") == [])
            clerk.busy.set()

            async def rolled() -> bool:
                return (await run.describe()).run_id != first

            await until(rolled)
            tell(town, "acme", "pause")  # also delivers the refused one
            await until(lambda: not town.nudges())
            await until(lambda: "complete" in [m for call in clerk.calls for m in call.signals])
    read = [m for call in clerk.calls for m in call.messages if m.nudge]
    assert [m.signal for m in read if m.signal != "payment"] == ["complete", "pause"]
    assert len({m.nudge for m in read}) == len(read) == 6 + 1 + 1 + 1
