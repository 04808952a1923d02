"""`python -m bench.load [closed]`: a customer with 100,000 closed invoices beside one with 10.

Each closed invoice has its payment, three executed actions, a delivery, a promise and a pause. Exit
code 1 when the long history takes more than 1.5 times as long.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Engine

from activities.deciding import decide_and_record
from dunning.ids import CustomerId, OrganisationId
from local.standalone import Embedded
from stand_ins.history import organisation_with_history
from store.engine import connect, migrate, transaction
from store.load import load
from store.unit import Unit

OTHERS, ROUNDS, MOST = 1_000, 300, 1.5


def milliseconds(
    engine: Engine, organisation: OrganisationId, customers: list[CustomerId], review: bool
) -> list[float]:
    """The median time of each customer, in turns, after 20 rounds in which PostgreSQL plans."""
    times: list[list[float]] = [[] for _ in customers]
    now = datetime.now(UTC)
    for number in range(ROUNDS + 20):
        for place, customer in enumerate(customers):
            began = time.perf_counter()
            with transaction(engine) as session:
                unit = Unit(session, organisation, now)
                if review:
                    decide_and_record(unit, customer, 0)
                else:
                    load(unit, customer)
            if number >= 20:
                times[place].append((time.perf_counter() - began) * 1000)
    return [statistics.median(mine) for mine in times]


def main(closed: int) -> int:
    with (
        tempfile.TemporaryDirectory(prefix="dunning-", ignore_cleanup_errors=True) as folder,
        Embedded(Path(folder), temporal=None, durable=False) as services,
    ):
        migrate(services.database_url)
        engine = connect(services.database_url, pool_size=1)
        with transaction(engine) as session:
            others = {f"other-{number}": 10 for number in range(OTHERS)}
            closed_of = {**others, "short": 10, "long": closed}
            organisation, known = organisation_with_history(session, closed_of)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))
        worst = 0.0
        for word, review in (("load", False), ("review", True)):
            ten, many = milliseconds(engine, organisation, [known["short"], known["long"]], review)
            worst = max(worst, many / ten)
            print(
                f"{word}: {ten:.2f} ms with 10 closed invoices, {many:.2f} ms with {closed:,}: "
                f"{many / ten:.2f} times"
            )
        engine.dispose()
    return 1 if worst > MOST else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
