"""Processes the callbacks that the API stored: any number of processes, each callback at least
once.

Woken by NOTIFY. Processing a callback twice changes nothing (``backoffice.delivery.outcomes``,
``backoffice.delivery.replies``), so after a crash it is processed again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from activities.listening import Connection, Listening
from backoffice.delivery import callbacks as inbox
from backoffice.delivery.outcomes import apply as apply_report
from backoffice.delivery.replies import take
from dunning.ids import CustomerId
from dunning.learnt import CameIn, Reply, Report
from dunning.plan import ActionType
from providers.callback import BadCallback, Callback
from providers.links import LINK
from store import tables as t
from store.engine import ERRORS, is_lock_timeout, is_outage, transaction
from store.locks import CustomerLocked
from store.patience import ANSWER_WITHIN

_log = logging.getLogger(__name__)

_BATCH = 50
#: A decision takes some milliseconds. If another transaction holds a customer for longer, the
#: callback is tried later.
_LOCK_TIMEOUT = timedelta(milliseconds=500)

#: ``Provider.read``: what a callback says.
Reader = Callable[[Callback, datetime], list[Report | Reply]]


class Callbacks:
    """``run`` until cancelled. ``readers``: by the provider's name, with its channel."""

    def __init__(
        self,
        engine: Engine,
        database_url: str,
        readers: Mapping[str, tuple[ActionType | None, Reader]],
        answer_within: float = ANSWER_WITHIN,
    ) -> None:
        self._engine = engine
        self._readers = readers
        #: Customers whose lock others hold: a batch waits once for each of them.
        self._held: dict[CustomerId, CustomerLocked] = {}
        self._inbox = Listening(
            "callbacks",
            database_url,
            inbox.CHANNEL,
            self._take_next,
            (psycopg.Error, OSError, *ERRORS),
            answer_within,
        )

    async def run(self) -> None:
        await self._inbox.run()

    async def _take_next(self, _: Connection) -> bool:
        return await asyncio.to_thread(self.take_batch) == _BATCH

    def take_batch(self) -> int:
        """Processes the callbacks that wait, at most a batch; returns how many there were."""
        self._held.clear()
        with transaction(self._engine, lock_timeout=_LOCK_TIMEOUT) as session:
            rows = inbox.waiting(session, _BATCH)
            for row in rows:
                self._take(row)
            return len(rows)

    def _take(self, row: t.Callback) -> None:
        kind, read = self._readers.get(row.provider, (None, None))
        if read is None:
            inbox.end(row, inbox.REFUSED, f"nobody reads callbacks of {row.provider!r}")
            return
        now = datetime.now(UTC)
        try:
            # An event without a time gets the time of the call, even if we process it late.
            found = read(Callback(row.url, row.body, row.headers), row.received_at)
            missed, held = self._apply_all(found, _came_in(row, kind), now)
        except BadCallback as e:
            inbox.end(row, inbox.REFUSED, str(e))
        except Exception as e:
            if is_outage(e):
                raise  # an outage is no callback's fault: all stay as they are
            _log.exception("callback %s of %s could not be taken in", row.id, row.provider)
            inbox.later(row, "it could not be taken in; the worker's log says why")
        else:
            if held:
                inbox.put_back(row, "somebody else holds the customer", now)
            elif missed:
                inbox.end(row, inbox.UNMATCHED, "; ".join(missed[:10]))
            else:
                inbox.end(row, inbox.DONE)

    def _apply_all(
        self, found: list[Report | Reply], came_in: CameIn, now: datetime
    ) -> tuple[list[str], bool]:
        """Applies everything in a callback. Returns why some of it was unmatched, and whether some
        could not be applied because another transaction holds its customer. Then the callback is
        read again later: its other events do not wait, and applying them twice changes nothing."""
        missed, held = [], False
        for what in found:
            try:
                why = self._apply(what, came_in, now)
                if why:
                    missed.append(why)
            except OperationalError as e:
                if not is_lock_timeout(e):
                    raise
                if isinstance(e, CustomerLocked):
                    self._held[e.customer_id] = e
                held = True
        return missed, held

    def _apply(self, what: Report | Reply, came_in: CameIn, now: datetime) -> str:
        """Applies one report or reply in its own transaction, because it locks the customer: two in
        one transaction could deadlock. Returns why it is unmatched, empty = it was applied."""
        with transaction(self._engine, lock_timeout=_LOCK_TIMEOUT) as session:
            if isinstance(what, Reply):
                return take(session, what, came_in, now, self._held)
            if apply_report(session, what, came_in, now, self._held):
                return ""
            whom = what.address or what.delivery_id or "?"
            return f"no delivery of this account for {what.fact.value} of {whom}"


def _came_in(row: t.Callback, kind: ActionType | None) -> CameIn:
    """A followed short link is our own observation, whichever provider sent the message."""
    return CameIn(
        provider="" if row.provider == LINK else row.provider,
        organisation_id=row.organisation_id,
        account=row.account,
        signer=row.signer,
        channel=kind or ActionType.EMAIL,
    )
