"""Records the histories that the tests replay, from real runs on real services:

    PYTHONPATH=. python tests/histories/record.py

Run it after a change of the workflow that is meant to change its commands, and say so in the
commit. Old files stay for as long as runs of the old code may exist. Each function below is one
story; its file has the story's name. Names, days and amounts are invented.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client

from activities.temporal import connect_temporal
from local.standalone import Embedded, Services, TemporalOptions, create_database
from providers.port import Accepted, Ambiguous, Found, NotFound, NotSent
from stand_ins.town import Provider, Town, call, email, plan
from store import tables as t
from store.engine import connect, migrate, transaction
from store.nudges import nudge
from store.unit import Unit
from tests.cast.real_sequences import Run, living, monday, morning
from tests.cast.scripted import until
from tests.cast.skipping import Skipping

HERE = Path(__file__).parent
_TEMPORAL = TemporalOptions(in_memory=True, time_skipping=True)
PLAN = plan(email("one", 1), call("call", 8), email("two", 15))

Story = Callable[[Town, Run], Awaitable[None]]


async def reminders_call_and_end(town: Town, run: Run) -> None:
    """A reminder, a call that Ben makes, another reminder, the payment; then the run ends."""
    await run.asleep()
    await run.lives_until(morning(8, "10:00"))
    await until(lambda: ("call", "to_do") in town.actions())
    await run.handle.signal("complete", {"who": "Ben", "why": "will pay"})
    await until(lambda: ("call", "done") in town.actions())
    await run.asleep()
    await run.lives_until(morning(16))
    await until(lambda: ("two", "done") in town.actions())
    town.pay("INV-1")
    await run.says("no open invoice")
    await run.skipping.to_its_end(run.id)


async def two_invoices(town: Town, run: Run) -> None:
    """INV-1 is paid while the run waits: it goes on with INV-2."""
    town.invoice("INV-2", monday() + timedelta(days=2), "250")
    await run.asleep()
    await run.lives_until(morning(2))
    await run.asleep()
    town.pay("INV-1")
    await until(run.carried_on)
    await run.asleep()
    await run.lives_until(morning(8))
    await run.asleep()


async def paused_disputed_resumed(town: Town, run: Run) -> None:
    await run.asleep()
    until_day = (monday() + timedelta(days=10)).isoformat()
    await run.handle.signal("pause", {"who": "Ben", "until": until_day})
    await run.says("Waiting until")
    await run.handle.signal("resume", {"who": "Ben"})
    await run.says("step 1")
    await run.handle.signal("pause", {"invoice": "INV-1"})
    await run.says("Resting")
    await run.handle.signal("resume", {"invoice": "INV-1"})
    await run.asleep()
    await run.lives_until(morning(2))
    await run.asleep()


async def a_provider_that_is_busy(town: Town, run: Run) -> None:
    town.provider.script = [NotSent("429", timedelta(minutes=5)), NotSent("503"), Ambiguous("?")]
    await run.asleep()
    await run.lives_until(morning(2))
    await run.says("Waiting for its owner")
    await run.handle.signal("skip", "Eve had it")
    await run.asleep()


async def a_lost_answer_is_looked_up(town: Town, run: Run) -> None:
    """The provider finds the message at the second look-up."""
    town.provider.script = [Ambiguous("?"), Accepted("")]
    town.provider.knows = [NotFound(), Found("sg-1")]
    await run.asleep()
    await run.lives_until(morning(2))
    await until(lambda: ("one", "done") in town.actions())
    await run.asleep()


async def a_rehearsal(town: Town, run: Run) -> None:
    """The rehearsal's clock is moved; no timer is used."""
    await run.asleep()
    for days in (1, 8):
        with transaction(town.engine) as session:
            session.get_one(t.Organisation, town.id).rehearsal_now = morning(days)
            customer = session.get_one(t.Customer, town.key_of("acme"))
            unit = Unit(session, customer.organisation_id)
            nudge(unit, customer, "account_changed", {"clock": True})
        await run.says("Waiting until" if days == 1 else "Waiting for its owner")
        if days == 1:
            await until(lambda: ("one", "done") in town.actions())
            await run.asleep()


async def nonsense_by_hand(town: Town, run: Run) -> None:
    await run.asleep()
    await run.handle.signal("payment", args=["one", 2, {"three": 3}])
    await run.handle.signal("skip")
    await run.handle.signal("sing-a-song", 42)
    await run.handle.signal("complete", {"id": "\0", "nudge": -1, "amount": None})
    await run.handle.signal("payment", {"amount": "a lot"})
    await run.asleep()
    await run.lives_until(morning(2))
    await run.asleep()


STORIES: list[Story] = [
    reminders_call_and_end,
    two_invoices,
    paused_disputed_resumed,
    a_provider_that_is_busy,
    a_lost_answer_is_looked_up,
    a_rehearsal,
    nonsense_by_hand,
]


def plain(history: str) -> str:
    """The history without names of machines and stack traces, which differ at each recording."""
    data = json.loads(history)

    def strip(part: Any) -> None:
        for key, value in list(part.items()) if isinstance(part, dict) else enumerate(part):
            if key in ("identity", "stackTrace"):
                part[key] = "recorder" if key == "identity" else ""
            elif isinstance(value, dict | list):
                strip(value)

    strip(data)
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


async def record(services: Services, client: Client, story: Story, folder: Path) -> list[Path]:
    """Live through a story and write the history of each of its runs."""
    name = story.__name__.replace("_", "-")
    engine = connect(create_database(services, name, "template"))
    town = Town(engine, Provider(), PLAN)
    if story is a_rehearsal:
        town.change(t.Organisation, rehearsal_now=morning(0))
    town.customer()
    town.invoice("INV-1", monday())
    run = Run(Skipping(client), town, "acme")
    url = engine.url.render_as_string(hide_password=False)
    async with living(run.skipping, town, url):
        await story(town, run)
        written = []
        for number, one in enumerate(await run.runs()):
            path = folder / f"{name}{f'-{number + 1}' if number else ''}.json"
            path.write_text(plain((await one.fetch_history()).to_json()), "utf-8")
            written.append(path)
    engine.dispose()
    return written


async def record_all(services: Services, folder: Path) -> list[Path]:
    migrate(create_database(services, "template"))
    client = await connect_temporal(services.temporal_address)
    written = []
    for story in STORIES:
        written += await record(services, client, story, folder)
    return written


if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory(prefix="dunning-", ignore_cleanup_errors=True) as place,
        Embedded(Path(place), temporal=_TEMPORAL, durable=False) as found,
    ):
        asyncio.run(record_all(found, HERE))
