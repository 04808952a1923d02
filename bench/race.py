"""`python -m bench.race [runs]`: a payment and a send of the same invoice at the same moment.

Rule 36: a customer who paid before the claim is committed is not reminded. Exit code 1 if one is.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from local.standalone import Embedded
from stand_ins.race import race
from store.engine import connect, migrate


def main(runs: int) -> int:
    with (
        tempfile.TemporaryDirectory(prefix="dunning-", ignore_cleanup_errors=True) as folder,
        Embedded(Path(folder), temporal=None, durable=False) as services,
    ):
        migrate(services.database_url)
        engine = connect(services.database_url)
        started = time.monotonic()
        orders = race(engine, runs)
        engine.dispose()
        print(f"{runs} races in {time.monotonic() - started:.0f} s")
    for order, count in sorted(orders.items()):
        print(f"  {order:15} {count:6}")
    print(f"reminded although paid before: {orders['paid, claimed']}")
    return 1 if orders["paid, claimed"] else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000))
