"""Takes in the callbacks that the API stored: any number of processes, each callback once at least.

Woken by NOTIFY. Taking in a callback twice changes nothing (``backoffice.delivery.outcomes``,
``backoffice.delivery.replies``), so one that a crash interrupted is simply taken again.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from activities.listening import Connection, Listening
from backoffice.delivery import callbacks as inbox
from backoffice.delivery.outcomes import Report
from backoffice.delivery.outcomes import apply as apply_report
from backoffice.delivery.replies import Answer, take
from dunning.learnt import Event, Reply
from dunning.plan import ActionType
from providers.callback import BadCallback, Callback
from providers.links import LINK
from store import tables as t
from store.engine import ERRORS, is_lock_timeout, is_outage, transaction
from store.locks import CustomerLocked
from store.patience import ANSWER_WITHIN

_log = logging.getLogger(__name__)

_BATCH = 50
#: A decision takes some milliseconds; whoever holds a customer for longer is waited for later.
_LOCK_TIMEOUT = timedelta(milliseconds=500)

#: A provider's reader: ``channels.<provider>.read``; and the channel that it serves.
Reader = Callable[[Callback, datetime], list[Event | Reply]]


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
        #: Customers whom somebody else holds: a batch waits for each of them once.
        self._held: dict[uuid.UUID, CustomerLocked] = {}
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
        """Take in what waits, at most a batch; returns how many there were."""
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
            # An event that says no time of its own has that of the call, however late we are.
            found = read(Callback(row.url, row.body, row.headers), row.received_at)
            missed, held = self._apply_all(row, kind, found, now)
        except BadCallback as e:
            inbox.end(row, inbox.REFUSED, str(e))
        except Exception as e:
            if is_outage(e):
                raise  # no callback is to blame: they all stay as they are
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
        self, row: t.Callback, kind: ActionType | None, found: list[Event | Reply], now: datetime
    ) -> tuple[list[str], bool]:
        """Why something in it is nobody's; and whether anything could not be taken in because
        somebody else holds its customer. The callback is then read again later: the others in it
        do not wait, and what was taken in changes nothing a second time."""
        missed, held = [], False
        for what in found:
            try:
                why = self._apply(row, kind, what, now)
                if why:
                    missed.append(why)
            except OperationalError as e:
                if not is_lock_timeout(e):
                    raise
                if isinstance(e, CustomerLocked):
                    self._held[e.customer_id] = e
                held = True
        return missed, held

    def _apply(
        self, row: t.Callback, kind: ActionType | None, what: Event | Reply, now: datetime
    ) -> str:
        """In a transaction of its own: it locks the customer, and two of them in one would wait for
        each other. Why it is nobody's, empty = it is taken in."""
        with transaction(self._engine, lock_timeout=_LOCK_TIMEOUT) as session:
            if isinstance(what, Event):
                report = Report(
                    provider="" if row.provider == LINK else row.provider,
                    organisation_id=row.organisation_id,
                    account=row.account,
                    signer=row.signer,
                    fact=what.fact,
                    at=what.at,
                    delivery_id=what.delivery_id,
                    provider_id=what.provider_id,
                    address=what.address,
                    reason=what.reason,
                    tracking_number=what.tracking_number,
                )
                if apply_report(session, report, now, self._held):
                    return ""
                whom = what.address or what.delivery_id or "?"
                return f"no delivery of this account for {what.fact.value} of {whom}"
            answer = Answer(
                channel=kind or ActionType.EMAIL,
                organisation_id=row.organisation_id,
                at=what.at,
                sender=what.sender,
                text=what.text,
                provider=row.provider,
                account=row.account,
                signer=row.signer,
                subject=what.subject,
                provider_id=what.provider_id,
                reference=what.reference,
                automatic=what.automatic,
                wish=what.wish.value if what.wish else "",
            )
            return take(session, answer, now, self._held)
