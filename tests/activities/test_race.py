"""Rule 36: a payment that is committed before the claim prevents the send. `python -m bench.race`
runs thousands of these."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from stand_ins.race import race

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("database_url")]

RUNS = 25


def test_a_payment_committed_before_the_claim_stops_the_send(engine: Engine) -> None:
    orders = race(engine, RUNS)
    assert orders["paid, claimed"] == 0
    assert set(orders) == {"paid", "claimed, paid"}
    assert min(orders.values()) > RUNS / 10, "one of them always came first: no race"
