"""A payment and a send of the same invoice at the same moment, many times (rule 36).

Triggers in the database log each payment and each claim. Both are written under the customer's
lock, so the order of the log is the order of the two transactions; no clock is needed.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import sqlalchemy as sa

from providers.port import Accepted
from stand_ins.town import Provider, Town
from store.engine import transaction

_HEAD_START_SECONDS = 1 / 300  # on average
_NOTES = """
CREATE TABLE race (n bigserial PRIMARY KEY, customer uuid, what text);
CREATE FUNCTION note_race() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO race (customer, what) VALUES (NEW.customer_id, TG_ARGV[0]);
    RETURN NULL;
END $$;
CREATE TRIGGER paid AFTER INSERT ON credit FOR EACH ROW EXECUTE FUNCTION note_race('paid');
CREATE TRIGGER claimed AFTER INSERT ON delivery FOR EACH ROW EXECUTE FUNCTION note_race('claimed');
"""
_ORDERS = """
SELECT what, count(*) AS count FROM (
    SELECT string_agg(what, ', ' ORDER BY n) AS what FROM race GROUP BY customer) AS orders
GROUP BY what
"""


def race(
    engine: sa.Engine, runs: int, seed: int = 1, told: Callable[[int], None] = lambda _: None
) -> Counter[str]:
    """Pay ``runs`` customers at the moment of their reminder; returns how often which came first.

    "paid": paid, and no message was claimed. "claimed, paid": the message was already being sent.
    "paid, claimed" must never happen: a customer who had paid was reminded.
    """
    chance = random.Random(seed)
    town = Town(engine, Provider(Accepted("")))
    with transaction(engine) as session:
        session.connection().execute(sa.text(_NOTES))
    with ThreadPoolExecutor(2) as pool:
        for n in range(runs):
            _due_reminder(town, n)
            acts: list[Callable[..., object]] = [partial(town.pay, f"INV-{n}"), town.send]
            chance.shuffle(acts)
            _run_both(pool, acts, f"c{n}", chance.expovariate(1 / _HEAD_START_SECONDS))
            told(n + 1)
    with transaction(engine) as session:
        orders = Counter({row.what: row.count for row in session.execute(sa.text(_ORDERS))})
    assert len(town.provider.tried) == orders["claimed, paid"] + orders["paid, claimed"]
    return orders


def _due_reminder(town: Town, n: int) -> None:
    """Create a customer whose reminder is due now."""
    town.at("2025-03-03 10:00")
    town.customer(f"c{n}")
    town.invoice(f"INV-{n}", "2025-03-03", customer=f"c{n}")
    town.review(customer=f"c{n}")
    town.at("2025-03-04 08:30")


def _run_both(
    pool: ThreadPoolExecutor, acts: Sequence[Callable[..., object]], customer: str, wait: float
) -> None:
    """Run both concurrently, the second ``wait`` seconds after the first."""
    gate = threading.Barrier(2)

    def run(act: Callable[..., object], seconds: float) -> None:
        gate.wait(20)
        time.sleep(seconds)
        act(customer=customer)

    first, second = acts
    for done in (pool.submit(run, first, 0), pool.submit(run, second, wait)):
        done.result(60)
