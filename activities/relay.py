"""The relay: turns nudges into signals. Any number of relays may run at the same time.

Woken by NOTIFY, it takes nudges with ``FOR UPDATE SKIP LOCKED``, signals the customer's sequence
(starting a run if there is none) and deletes them in the same transaction. All nudges of a customer
take one place in a batch and become one signal. While Temporal is down the nudges stay. A refused
signal is retried with growing pauses and delays no other customer. Delivery is at least once: the
sequence ignores a nudge that it has had.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import psycopg
from temporalio.client import Client
from temporalio.common import Priority, WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from activities.attributes import Attributes
from activities.listening import Connection, Listening
from dunning.ids import CustomerId
from logs import words_of
from store.nudges import CHANNEL
from store.patience import ANSWER_WITHIN
from workflows.contracts import SEQUENCE, SequenceStart, workflow_id

_log = logging.getLogger(__name__)

#: Customers of one batch, chosen among this many of the oldest nudges that are due.
_BATCH = 200
_OLDEST = 1_000
#: The most nudges of a batch: a customer may have thousands.
_MOST_ROWS = 5_000
#: The most messages in one signal, so that its payload stays far below Temporal's 2 MB.
_MOST_MESSAGES = 50
_AT_ONCE = 20
_PATIENCE = timedelta(seconds=10)
#: Pauses after a refusal: 1, 2, 4 … seconds, at most a minute.
_LONGEST_PAUSE_SECONDS = 60

# Nudges that are due are locked first, so that parallel relays take different ones; then all nudges
# of the chosen customers, due or not, because a customer's nudges are delivered together, in order.
_TAKE = f"""
    WITH oldest AS MATERIALIZED (
        SELECT id, customer_id FROM nudge
        WHERE next_try_at IS NULL OR next_try_at <= clock_timestamp()
        ORDER BY id LIMIT {_OLDEST} FOR UPDATE SKIP LOCKED
    ), chosen AS (
        SELECT customer_id FROM oldest GROUP BY customer_id ORDER BY min(id) LIMIT {_BATCH}
    )
    SELECT n.id, n.organisation_id, n.customer_id, n.signal, n.payload, c.external_id
    FROM nudge n JOIN customer c ON c.id = n.customer_id
    WHERE n.customer_id IN (SELECT customer_id FROM chosen)
    ORDER BY n.id LIMIT {_MOST_ROWS} FOR UPDATE OF n SKIP LOCKED
"""
_LATER = f"""
    UPDATE nudge SET tries = tries + 1, error = %s,
        next_try_at = clock_timestamp()
            + make_interval(secs => least(2 ^ least(tries, 10), {_LONGEST_PAUSE_SECONDS}))
    WHERE id = ANY(%s)
"""

#: Temporal's answers during an outage. When every customer of a batch got one of them, the batch is
#: tried again as a whole. Those of ``_BUSY`` may also be about a single busy run.
_OUTAGE = {
    RPCStatusCode.CANCELLED,
    RPCStatusCode.NOT_FOUND,  # the namespace
    RPCStatusCode.PERMISSION_DENIED,
    RPCStatusCode.UNAUTHENTICATED,
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.UNIMPLEMENTED,
}
_BUSY = {RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.RESOURCE_EXHAUSTED}

_Row = dict[str, Any]


class Relay:
    """``run`` until cancelled: reconnects to PostgreSQL and to Temporal after any outage."""

    def __init__(
        self,
        database_url: str,
        client: Client,
        task_queue: str,
        answer_within: float = ANSWER_WITHIN,
    ) -> None:
        self._client = client
        self._task_queue = task_queue
        self._attributes = Attributes()
        outages = (psycopg.Error, RPCError, OSError)
        self._nudges = Listening(
            "relay", database_url, CHANNEL, self._deliver, outages, answer_within
        )

    async def run(self) -> None:
        await self._nudges.run()

    async def _deliver(self, connection: Connection) -> bool:
        """Deliver one batch; returns whether there may be more. Raises the error of Temporal when
        it took no signal because of an outage."""
        async with connection.transaction():
            rows: list[_Row] = await (await connection.execute(_TAKE)).fetchall()
            if not rows:
                return False
            by_customer: dict[CustomerId, list[_Row]] = {}
            for row in rows:
                by_customer.setdefault(row["customer_id"], []).append(row)
            signals = {customer: _next_nudges(mine) for customer, mine in by_customer.items()}
            gate = asyncio.Semaphore(_AT_ONCE)
            outcomes = await asyncio.gather(
                *(self._signal(gate, by_customer[c][0], *signals[c]) for c in signals),
                return_exceptions=True,
            )
            refused: dict[CustomerId, BaseException] = {}
            left: list[int] = []
            for customer, outcome in zip(signals, outcomes, strict=True):
                if outcome is not None:
                    refused[customer] = outcome
                    continue
                last = signals[customer][1]
                left += [row["id"] for row in by_customer[customer] if row["id"] <= last]
            if not left and _is_outage(list(refused.values())):
                raise next(iter(refused.values()))
            for customer, error in refused.items():
                ids = [row["id"] for row in by_customer[customer]]
                await connection.execute(_LATER, (_words(error), ids))
                ours = None if isinstance(error, RPCError) else error
                _log.error(
                    "relay: customer %s is tried later: %s", customer, _words(error), exc_info=ours
                )
            await connection.execute("DELETE FROM nudge WHERE id = ANY(%s)", (left,))
        return len(signals) == _BATCH or len(rows) >= _OLDEST or len(left) < len(rows)

    async def _signal(
        self, gate: asyncio.Semaphore, row: _Row, messages: Sequence[_Row], last: int
    ) -> None:
        """Send these nudges of one customer to its sequence, in one signal."""
        name, payload = _one_signal(messages, last)
        async with gate:
            try:
                await self._start(row, name, payload)
            except RPCError as e:
                if not self._attributes.lacks(e):
                    raise
                await self._start(row, name, payload)

    async def _start(self, row: _Row, name: str, payload: dict[str, Any]) -> None:
        """Signal the customer's sequence, starting it where none runs."""
        organisation, customer = str(row["organisation_id"]), str(row["customer_id"])
        about = f"Customer {row['external_id']}"[:190]
        await self._client.start_workflow(
            SEQUENCE,
            SequenceStart(organisation, customer, self._task_queue, about=about),
            id=workflow_id(organisation, customer),
            task_queue=self._task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=name,
            start_signal_args=[payload],
            static_summary=about,
            search_attributes=self._attributes.of(organisation, row["external_id"]),
            priority=Priority(fairness_key=organisation),
            rpc_timeout=_PATIENCE,
        )


def _next_nudges(rows: Sequence[_Row]) -> tuple[list[_Row], int]:
    """The nudges of a customer that go into the next signal, and the highest id that it covers. Of
    several plain ``account_changed`` only the last one goes."""
    plain = [row["id"] for row in rows if row["signal"] == "account_changed" and not row["payload"]]
    repeated = set(plain[:-1])
    kept = [row for row in rows if row["id"] not in repeated]
    if len(kept) <= _MOST_MESSAGES:
        return kept, rows[-1]["id"]
    return kept[:_MOST_MESSAGES], kept[_MOST_MESSAGES - 1]["id"]


def _one_signal(messages: Sequence[_Row], last: int) -> tuple[str, dict[str, Any]]:
    """The signal's name and payload. One message goes as it is; several go as a list, under the
    name of the first that is not ``account_changed``. ``nudge`` is for workers of the previous
    version, which read one message from it."""
    if len(messages) == 1:
        (row,) = messages
        return row["signal"], {**row["payload"], "nudge": row["id"]}
    names = [row["signal"] for row in messages]
    name = next((name for name in names if name != "account_changed"), "account_changed")
    listed = [{"signal": row["signal"], **row["payload"], "nudge": row["id"]} for row in messages]
    return name, {"messages": listed, "nudge": last}


def _is_outage(errors: Sequence[BaseException]) -> bool:
    """``errors``: of every customer of a batch."""
    statuses = {error.status if isinstance(error, RPCError) else None for error in errors}
    return statuses <= _OUTAGE or (len(errors) > 1 and statuses <= _OUTAGE | _BUSY)


def _words(error: BaseException) -> str:
    """Temporal's own text; any other error may quote a payload."""
    return (str(error) if isinstance(error, RPCError) else words_of(error))[:500]
