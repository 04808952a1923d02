"""`python -m bench.locks [seconds]`: plan saves, settings, imports, batches, payments, replies and
reviews of the same customers at the same time, for a minute. Exit code 1 when one of them failed.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from fastapi.testclient import TestClient

from api.app import create_app
from local.standalone import Embedded
from settings import Settings
from stand_ins.office import Office
from stand_ins.storm import Storm, prepare
from store.engine import connect, migrate


def main(seconds: float) -> int:
    with (
        tempfile.TemporaryDirectory(prefix="dunning-", ignore_cleanup_errors=True) as folder,
        Embedded(Path(folder), temporal=None, durable=False) as services,
    ):
        migrate(services.database_url)
        engine = connect(services.database_url)
        app = create_app(Settings(), engine)
        with TestClient(app, base_url="http://dunning") as client:
            office = Office(engine, client)
            prepare(office)
            storm = Storm(office, seconds)
            storm.run()
        engine.dispose()
    for (what, status), count in sorted(storm.answers.items()):
        print(f"  {what:10} {status} {count:7,}")
    for line in storm.broken[:20]:
        print(line)
    print(f"failed in {seconds:.0f} s: {len(storm.broken)}")
    return 1 if storm.broken else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 60))
