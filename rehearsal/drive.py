"""Drives a rehearsal: sets its clock to the next wake-up or event, nudges the customers concerned,
waits until their sequences are at rest, and goes on."""

from __future__ import annotations

import asyncio
import logging
import time as real_time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import partial
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from backoffice.delivery.completing import work_open_action
from backoffice.worklist.working import How
from dunning.calendar import Calendar, instant
from dunning.ids import CustomerId, OrganisationId
from dunning.model import ActionStatus
from logs import words_of
from rehearsal.apply import apply_all
from rehearsal.book import FACTS_BY, Event, moments
from store import tables as t
from store.calendars import calendar_of
from store.engine import ERRORS, is_outage, transaction
from store.load import load
from store.nudges import nudge
from store.races import repeated
from store.unit import Unit

_OWNERS_HOUR = time(10)
#: The first look at the answers, which take at least this long; then one at each interval.
_FIRST_LOOK_SECONDS, _LOOK_SECONDS = 0.03, 0.01
#: Longer than the time-out after which a send of a killed worker is retried.
_STUCK_SECONDS = 90.0
#: How long the database may be down, and how often it is tried.
_OUTAGE_SECONDS, _OUTAGE_LOOK_SECONDS = 600.0, 0.05

Result = TypeVar("Result")
_log = logging.getLogger(__name__)


_QUIET = sa.text(
    "SELECT customer_id, handled FROM sequence WHERE customer_id = ANY(:customers)"
    " AND state NOT IN ('send', 'assign') AND (wake_at IS NULL OR wake_at > :at)"
)


class StuckError(RuntimeError):
    """The sequences of a rehearsal did not come to rest in time."""


@dataclass
class Driven:
    """How many moments were lived through, and the facts that were refused."""

    moments: int = 0
    refused: list[str] = field(default_factory=list)


class Drive:
    """``manual_days``: the owner completes a manual action at 10:00 that many days after it is
    shown; None leaves it open. An action that a pause hides at that time is completed at the next
    10:00."""

    def __init__(
        self, engine: Engine, organisation_id: OrganisationId, manual_days: int | None
    ) -> None:
        self._engine = engine
        self._id = organisation_id
        self._manual_days = manual_days
        #: The last moment whose transaction is known to be committed; how often the database was
        #: down.
        self._lived: datetime | None = None
        self._outages = 0
        self._look = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def _do(self, work: Callable[[], Result]) -> Result:
        """``work``, one transaction, in a thread; repeated while the database is down. A restart of
        it must not end a long rehearsal."""
        return await asyncio.to_thread(self._until_done, work)

    def _until_done(self, work: Callable[[], Result]) -> Result:
        give_up = real_time.monotonic() + _OUTAGE_SECONDS
        while True:
            try:
                return repeated(work)
            except ERRORS as error:
                if not is_outage(error) or real_time.monotonic() > give_up:
                    raise
                _log.warning("the rehearsal waits for the database: %s", words_of(error))
            self._outages += 1
            real_time.sleep(_OUTAGE_LOOK_SECONDS)

    async def run(
        self, found: list[Event], until: datetime, progress: Callable[[datetime], None]
    ) -> Driven:
        """Live through the events and everything that falls due, up to the instant ``until``."""
        driven = Driven()
        groups = moments(found)
        upcoming = next(groups, None)
        wake, work = await self._do(lambda: self._horizon(None))
        while True:
            at = min((a for a in (wake, work, upcoming and upcoming[0]) if a), default=None)
            if at is None or at > until:
                break
            group: list[Event] = []
            if upcoming is not None and upcoming[0] <= at:
                group = upcoming[1]
                upcoming = next(groups, None)
            wake, work = await self._live_through(at, group, driven)
            progress(at)
        await self._do(lambda: self._set_clock(until))
        return driven

    async def _live_through(
        self, at: datetime, group: list[Event], driven: Driven
    ) -> tuple[datetime | None, datetime | None]:
        """One moment: its events, then the manual actions that owners complete at it. Returns the
        next wake-up and the next such action."""
        driven.moments += 1
        awaited, refused = await self._do(lambda: self._apply_events(at, group))
        self._lived = at
        driven.refused += refused
        await self._quiet(awaited, at)
        wake, work = await self._do(lambda: self._horizon(at))
        while work is not None and work <= at:
            awaited = await self._do(lambda: self._owners_work(at))
            await self._quiet(awaited, at)
            wake, work = await self._do(lambda: self._horizon(at))
        return wake, work

    def _set_clock(self, at: datetime) -> None:
        with transaction(self._engine) as session:
            session.get_one(t.Organisation, self._id).rehearsal_now = at

    def _horizon(self, at: datetime | None) -> tuple[datetime | None, datetime | None]:
        """The next wake-up of a sequence after ``at``, and the next manual action to complete."""
        with Session(self._look) as session:
            wake = session.exec(
                select(sa.func.min(t.Sequence.wake_at)).where(
                    t.Sequence.organisation_id == self._id,
                    sa.true() if at is None else col(t.Sequence.wake_at) > at,
                )
            ).one()
            due = [] if at is None else [when for _, when in self._owners_list(session, at)]
            return wake, min(due, default=None)

    def _apply_events(
        self, at: datetime, group: list[Event]
    ) -> tuple[dict[CustomerId, int], list[str]]:
        """Apply the events of a moment; returns whose answer is awaited, and the facts that were
        refused. After a lost connection it may be called again for a moment that was committed;
        then it applies nothing."""
        with transaction(self._engine) as session:
            unit = Unit(session, self._id, at, by=FACTS_BY)
            organisation = unit.organisation
            if organisation.rehearsal_now == at != self._lived and self._lived is not None:
                return self._nudged(session), []
            organisation.rehearsal_now = at
            session.flush()
            refused = apply_all(unit, group)
            for customer in session.exec(
                select(t.Customer)
                .join(t.Sequence, col(t.Sequence.customer_id) == t.Customer.id)
                .where(t.Sequence.organisation_id == self._id, col(t.Sequence.wake_at) <= at)
            ):
                nudge(unit, customer, "account_changed", {"clock": True})
            return self._nudged(session), refused

    def _nudged(self, session: Session) -> dict[CustomerId, int]:
        """By customer: the last nudge, which its sequence has to answer."""
        session.flush()
        rows = session.exec(
            select(col(t.Nudge.customer_id), sa.func.max(t.Nudge.id))
            .where(t.Nudge.organisation_id == self._id)
            .group_by(col(t.Nudge.customer_id))
        )
        return {customer_id: number or 0 for customer_id, number in rows}

    def _owners_list(self, session: Session, at: datetime) -> list[tuple[t.Action, datetime]]:
        """The open manual actions that are not hidden, and when their owner completes them."""
        if self._manual_days is None:
            return []
        rows = session.exec(
            select(t.Action, t.Sequence.customer_id)
            .join(t.Sequence, col(t.Sequence.customer_id) == t.Action.customer_id)
            .where(
                t.Action.organisation_id == self._id,
                t.Action.status == ActionStatus.TO_DO,
                sa.not_(col(t.Action.automatic)),
                col(t.Action.step_key).is_not(None),
                col(t.Action.requested_at).is_(None),
                col(t.Action.cause).is_(None),  # e.g. failed: done again, it would fail again
                t.Sequence.state == "await_owner",
            )
        ).all()
        if not rows:
            return []
        calendar = calendar_of(session.get_one(t.Organisation, self._id))
        return [(row, self._completed(row, calendar, at)) for row, _ in rows]

    def _completed(self, row: t.Action, calendar: Calendar, at: datetime) -> datetime:
        assert row.shown_at is not None, "an action that is to do has been shown"
        day = calendar.today(row.shown_at) + timedelta(days=self._manual_days or 0)
        when = max(instant(calendar.zone, day, _OWNERS_HOUR), row.shown_at)
        day = calendar.today(at)
        while when < at:
            when = max(when, instant(calendar.zone, day, _OWNERS_HOUR))
            day += timedelta(days=1)
        return when

    def _owners_work(self, at: datetime) -> dict[CustomerId, int]:
        with transaction(self._engine) as session:
            unit = Unit(session, self._id, at, by="owner")
            due = [row for row, when in self._owners_list(session, at) if when <= at]
            for row in sorted(due, key=lambda a: a.seq or 0):
                loaded = load(unit, row.customer_id)
                if work_open_action(unit, loaded, How.COMPLETE, ""):
                    nudge(unit, loaded.customer, "complete", {"id": str(row.id), "who": "owner"})
            return self._nudged(session)

    async def _quiet(self, awaited: dict[CustomerId, int], at: datetime) -> None:
        """Wait until every sequence that was nudged has answered and none is about to act."""
        deadline = real_time.monotonic() + _STUCK_SECONDS
        if awaited:
            await asyncio.sleep(_FIRST_LOOK_SECONDS - _LOOK_SECONDS)
        while awaited:
            await asyncio.sleep(_LOOK_SECONDS)
            outages = self._outages
            awaited = await self._do(partial(self._unanswered, awaited, at))
            if self._outages > outages:
                deadline = real_time.monotonic() + _STUCK_SECONDS
            if awaited and real_time.monotonic() > deadline:
                raise StuckError(
                    f"{len(awaited)} sequences did not come to rest at {at:%Y-%m-%d %H:%M}"
                )

    def _unanswered(self, awaited: dict[CustomerId, int], at: datetime) -> dict[CustomerId, int]:
        with self._look.connect() as connection:
            rows = connection.execute(_QUIET, {"customers": list(awaited), "at": at})
            handled = {row.customer_id: row.handled for row in rows}
        return {c: number for c, number in awaited.items() if handled.get(c, -1) < number}
