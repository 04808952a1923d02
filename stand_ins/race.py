"""A payment and a send at the same moment, as often as one likes (rule 36).

Triggers in the database note when a payment and a claim were written. Both are under the customer's
lock, so the order of the notes is the order of the two transactions, whatever the clocks say.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from providers.port import Accepted
from stand_ins.town import Provider, Town
from store.engine import transaction

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
    """So many customers, each paid in the very moment of its reminder: how often what came first.

    "paid": it was paid, and nothing was claimed; "claimed, paid": the message was on its way.
    "paid, claimed" must never be: somebody who had paid was reminded.
    """
    chance = random.Random(seed)
    town = Town(engine, Provider(Accepted("")))
    with transaction(engine) as session:
        session.connection().execute(sa.text(_NOTES))
    town.at("2025-03-03 10:00")
    with ThreadPoolExecutor(2) as pool:
        for n in range(runs):
            key, number = f"c{n}", f"INV-{n}"
            town.at("2025-03-03 10:00")
            town.customer(key)
            town.invoice(number, "2025-03-03", customer=key)
            town.review(customer=key)
            town.at("2025-03-04 08:30")
            gate = threading.Barrier(2)
            first = chance.choice(("pay", "send"))
            head_start = chance.expovariate(300)  # seconds; 3 ms on average

            def pay(
                key: str = key,
                number: str = number,
                gate: threading.Barrier = gate,
                wait: float = head_start if first == "send" else 0,
            ) -> None:
                gate.wait(20)
                threading.Event().wait(wait)
                town.pay(number, customer=key)

            def send(
                key: str = key,
                gate: threading.Barrier = gate,
                wait: float = head_start if first == "pay" else 0,
            ) -> None:
                gate.wait(20)
                threading.Event().wait(wait)
                town.send(customer=key)

            for done in (pool.submit(pay), pool.submit(send)):
                done.result(60)
            told(n + 1)
    with transaction(engine) as session:
        orders = Counter({row.what: row.count for row in session.execute(sa.text(_ORDERS))})
    assert len(town.provider.tried) == orders["claimed, paid"] + orders["paid, claimed"]
    return orders
