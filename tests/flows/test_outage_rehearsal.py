"""PostgreSQL is stopped, or killed and restarted, during a rehearsal: it goes on where it was."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from activities.relay import Relay
from activities.review import Review
from activities.services import serving
from tests.cast.outages import ANSWER, Server, Trouble, killed_and_restarted, stopped
from tests.cast.scripted import until
from tests.cast.small_books import set_up_on, written
from workflows.contracts import ReviewInput, Signal

pytestmark = [pytest.mark.services, pytest.mark.slow]

#: Nothing of it is ever due: the rehearsal is about the facts of the book alone.
PLAN = """
name = "P"
[[steps]]
key = "a"
name = "A"
type = "call"
automatic = false
trigger = {from = "due", days = 90}
body = "Call."
"""
#: Twelve customers, each with an invoice that is paid on a day of its own.
ROWS = [
    f"C{n},Customer {n},c{n}@example.com,INV-{n},2025-02-{n:02},2025-03-03,100,EUR,2025-03-{n:02}"
    for n in range(1, 13)
]


class ReviewingTemporal:
    """Stands in for Temporal: reviews each customer that is signalled."""

    def __init__(self, engine: Engine) -> None:
        self.review = Review(engine)

    async def start_workflow(self, _: str, start: Any, **more: Any) -> None:
        (payload,) = more["start_signal_args"]
        told = [Signal("account_changed", nudge=payload["nudge"])]
        order = ReviewInput(start.organisation_id, start.customer_id, datetime.now(UTC), told)
        await asyncio.to_thread(self.review.review, order)


@pytest.mark.parametrize("trouble", [stopped, killed_and_restarted])
async def test_a_rehearsal_goes_on_after_an_outage(
    server: Server, hurried: Engine, watching: Engine, tmp_path: Path, trouble: Trouble
) -> None:
    start, end = date(2025, 2, 1), date(2025, 3, 20)
    rehearsal = set_up_on(watching, written(tmp_path, ROWS, PLAN, start, end, manual_days=None))
    lived: list[datetime] = []
    temporal: Any = ReviewingTemporal(hurried)
    async with serving() as services:
        services.start("the relay", Relay(server.url, temporal, "q", ANSWER).run())
        driving = asyncio.create_task(rehearsal.drive(hurried, end, lived.append))
        await until(lambda: len(lived) > 3)
        async with trouble(server, hurried):
            await asyncio.sleep(2 * ANSWER)
            assert not driving.done()
        driven = await driving
    assert driven.refused == []
    assert figures(watching) == (12, 12, 12, 12)


def figures(engine: Engine) -> tuple[int, ...]:
    """Paid invoices, credits, applications, customers."""
    with engine.begin() as connection:
        row = connection.execute(
            sa.text(
                "SELECT (SELECT count(*) FROM invoice WHERE status = 'paid'),"
                " (SELECT count(*) FROM credit), (SELECT count(*) FROM application),"
                " (SELECT count(*) FROM customer)"
            )
        ).one()
    return tuple(row)
