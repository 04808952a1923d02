"""The relay: turns nudges into signals. Any number of them run side by side.

Woken by NOTIFY; takes nudges with ``FOR UPDATE SKIP LOCKED``, signals the customer's sequence
(starting it where none runs) and deletes them in the same transaction. Temporal down: the nudges
stay, and the relay catches up. A nudge may be delivered twice, which the sequence can stand.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import psycopg
from temporalio.client import Client
from temporalio.common import Priority, WorkflowIDConflictPolicy
from temporalio.service import RPCError

from activities.attributes import Attributes
from activities.listening import Connection, Listening
from db.nudges import CHANNEL
from workflows.contracts import SEQUENCE, SequenceStart, workflow_id

_log = logging.getLogger(__name__)

_BATCH = 200
_AT_ONCE = 20

_TAKE = f"""
    SELECT n.id, n.organisation_id, n.customer_id, n.signal, n.payload, c.external_id
    FROM nudge n JOIN customer c ON c.id = n.customer_id
    ORDER BY n.id LIMIT {_BATCH} FOR UPDATE OF n SKIP LOCKED
"""


class Relay:
    """``run`` until cancelled; reconnects to either server for as long as it takes."""

    def __init__(self, database_url: str, client: Client, task_queue: str) -> None:
        self._client = client
        self._task_queue = task_queue
        self._attributes = Attributes()
        outages = (psycopg.Error, RPCError, OSError)
        self._nudges = Listening("relay", database_url, CHANNEL, self._deliver, outages)

    async def run(self) -> None:
        await self._nudges.run()

    async def _deliver(self, connection: Connection) -> bool:
        """Deliver one batch; answers whether there may be more. One customer's nudge that Temporal
        does not take stays and holds up nobody else; when it takes none, that is raised."""
        async with connection.transaction():
            rows = await (await connection.execute(_TAKE)).fetchall()
            if not rows:
                return False
            gate = asyncio.Semaphore(_AT_ONCE)
            by_customer: dict[Any, list[dict[str, Any]]] = {}
            for row in rows:
                by_customer.setdefault(row["customer_id"], []).append(row)
            outcomes = await asyncio.gather(
                *(self._signal(gate, mine) for mine in by_customer.values()),
                return_exceptions=True,
            )
            failed = {c: e for c, e in zip(by_customer, outcomes, strict=True) if e is not None}
            left = [row["id"] for row in rows if row["customer_id"] not in failed]
            await connection.execute("DELETE FROM nudge WHERE id = ANY(%s)", (left,))
        for customer, error in failed.items():
            if not left or not isinstance(error, RPCError):
                raise error
            _log.error("relay: the nudges of customer %s are not taken: %s", customer, error)
        return len(left) == _BATCH

    async def _signal(self, gate: asyncio.Semaphore, rows: Sequence[dict[str, Any]]) -> None:
        """The nudges of one customer, in order."""
        async with gate:
            for row in _coalesced(rows):
                try:
                    await self._start(row)
                except RPCError as e:
                    if not self._attributes.lacks(e):
                        raise
                    await self._start(row)

    async def _start(self, row: dict[str, Any]) -> None:
        """Signal the customer's sequence, starting it where none runs."""
        organisation, customer = str(row["organisation_id"]), str(row["customer_id"])
        about = f"Customer {row['external_id']}"[:190]
        await self._client.start_workflow(
            SEQUENCE,
            SequenceStart(organisation, customer, self._task_queue, about=about),
            id=workflow_id(organisation, customer),
            task_queue=self._task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=row["signal"],
            start_signal_args=[{**row["payload"], "nudge": row["id"]}],
            static_summary=about,
            search_attributes=self._attributes.of(organisation, row["external_id"]),
            priority=Priority(fairness_key=organisation),
        )


def _coalesced(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """ "Look again" said several times is said once, with the last number."""
    plain = [r for r in rows if r["signal"] == "account_changed" and not r["payload"]]
    return [r for r in rows if r not in plain[:-1]]
