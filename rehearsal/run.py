"""Runs ``dunning rehearse``: with its own organisation and clock, and by default own services."""

from __future__ import annotations

import asyncio
import time as real_time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime, time
from pathlib import Path

from sqlalchemy import Engine
from temporalio.client import Client

from activities.options import WorkerOptions
from activities.outbox_channels import outbox_channels
from activities.running import connections_of, running
from backoffice.people.members import put_member
from backoffice.people.plans import put_plan
from dunning.calendar import instant
from dunning.ids import OrganisationId
from messages.check import check_texts
from rehearsal.book import events
from rehearsal.drive import Drive
from rehearsal.report import Summary, summarise, write_actions, write_summary
from rehearsal.script import Script
from store import tables as t
from store.calendars import (
    calendar_of,
)
from store.engine import connect, transaction
from store.unit import Unit

_OWNER = ("owner@example.com", "Owner")
#: Activities at the same time: each moment of a rehearsal ends with the last of them.
_THREADS = 12


def set_up(engine: Engine, script: Script) -> OrganisationId:
    """The rehearsal's own organisation, with its clock at the start and the plans loaded."""
    with transaction(engine) as session:
        organisation = t.Organisation(
            name=script.name,
            timezone=script.timezone,
            sending_time=script.sending_time,
            cut_off=max(time(17), script.sending_time),
            working_days=script.working_days,
            holidays=script.holidays,
        )
        organisation.rehearsal_now = calendar_of(organisation).start_of(script.start)
        session.add(organisation)
        session.flush()
        unit = Unit(session, organisation.id)
        put_member(unit, *_OWNER, "admin")
        for data in script.plans:
            put_plan(unit, data, check_texts, owners_must_exist=False)
        return organisation.id


async def rehearse(
    script: Script,
    database_url: str,
    client: Client,
    *,
    progress: Callable[[datetime], None] = lambda _: None,
    worker: bool = True,
) -> tuple[OrganisationId, Summary]:
    """Lives through the script on running services; returns the organisation and the figures.

    ``worker=False``: a worker with a relay runs already. It is needed if several rehearsals share a
    database, because a relay serves all of it.
    """
    # One more for the drive, which uses one connection at a time.
    engine = connect(database_url, pool_size=connections_of(_THREADS) + 1)
    began = real_time.monotonic()
    try:
        organisation_id = await asyncio.to_thread(set_up, engine, script)
        with transaction(engine) as session:
            calendar = calendar_of(session.get_one(t.Organisation, organisation_id))
        found = events(script.rows, script.facts, calendar, script.start, script.until)
        drive = Drive(engine, organisation_id, script.manual_days)
        until = instant(calendar.zone, script.until, time(23, 59, 59))
        options = WorkerOptions(
            task_queue=f"rehearsal-{organisation_id}", threads=_THREADS, sandboxed=False
        )
        channels = outbox_channels(engine, None)
        started = running(client, engine, database_url, channels, options)
        async with started if worker else nullcontext():
            driven = await drive.run(found, until, progress)
        summary = Summary(
            start=script.start.isoformat(),
            until=script.until.isoformat(),
            seconds=round(real_time.monotonic() - began, 2),
            moments=driven.moments,
            refused=driven.refused,
        )
        return organisation_id, summary
    finally:
        engine.dispose()


def write(
    database_url: str, organisation_id: OrganisationId, summary: Summary, folder: Path
) -> Summary:
    """Writes DIR/actions.csv and DIR/summary.json; returns the completed figures."""
    folder.mkdir(parents=True, exist_ok=True)
    engine = connect(database_url, pool_size=2)
    try:
        with transaction(engine) as session:
            summary.actions = write_actions(session, organisation_id, folder / "actions.csv")
            summarise(session, organisation_id, summary)
    finally:
        engine.dispose()
    write_summary(summary, folder / "summary.json")
    return summary
