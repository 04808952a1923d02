"""How a decision is reported to the sequence (the Temporal workflow)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from stand_ins.town import PARIS
from store import tables as t
from tests.cast.overdue import invoice_id, overdue
from workflows.contracts import Instruction

pytestmark = pytest.mark.services


def test_the_summaries_for_the_temporal_ui(engine: Engine) -> None:
    town = overdue(engine)
    assert town.review() == Instruction(
        "wait",
        until=town.now + timedelta(minutes=30),
        then="email",
        carrying=invoice_id(town, "INV-1"),
        summary="Waiting until Tue 4 Mar 2025 08:30 CET · step 1 of 2 'Reminder one' (email) "
        "· INV-1",
        label="Reminder one · INV-1",
    )
    town.pay("INV-1")
    assert town.review().summary == ("Resting · the customer has no open invoice with a balance")


def test_times_are_in_engine_time_and_in_the_organisations_time(engine: Engine) -> None:
    """``until`` is in engine time; the clock of a rehearsal is a year or more behind it."""
    town = overdue(engine)
    town.change(t.Organisation, rehearsal_now=town.now)
    town.at("2026-06-01 12:00")
    coming = town.review()
    assert coming.until == town.now + timedelta(minutes=30)
    (sequence,) = town.rows(t.Sequence)
    assert f"{sequence.wake_at.astimezone(PARIS):%Y-%m-%d %H:%M}" == "2025-03-04 08:30"
