"""Sends through providers that fail in every way, while our processes are killed: no message is
sent twice, none is lost. ``python -m bench.faults``; exit code 1 when one is.

SendGrid, Twilio and Lob are stand-ins (stand_ins/providers), whose ledger says what was sent. Two
workers, the API that takes their callbacks, PostgreSQL and Temporal run as in production, and every
few seconds one of the first four is killed with SIGKILL and started again.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from local.embedded.ports import take_port
from local.embedded.server import Server
from local.embedded.watcher import Watcher
from local.standalone import Embedded, Services
from stand_ins.fault_book import addressees, make_book
from stand_ins.fault_report import Open, evidence, report, still_open
from stand_ins.fault_tables import tables
from stand_ins.providers import Faults, Habits, StandIns
from stand_ins.providers.accounts import settings
from store.engine import connect, migrate

ROOT = Path(__file__).parents[1]
LOOK_UP_MINUTES = "0.05,0.15,0.4,1"
#: Longer than our channels wait for any answer (Lob's 20 s).
HANG = 22.0
KILL_EVERY = (4.0, 10.0)  # seconds
#: No more kills once this share of the actions is settled, so that the end shows.
KILL_UNTIL = 0.85
_LOOK_EVERY = 0.5
_TELL_EVERY = 10.0
_EVIDENCE_OF = 5


def environment(values: Mapping[str, Any], services: Services, folder: Path) -> dict[str, str]:
    """The environment of one of our processes: nothing of this process's own is inherited."""
    more = {
        "database_url": services.database_url,
        "state_dir": folder,
        "look_up_minutes": LOOK_UP_MINUTES,
        "worker_threads": 30,
        "log_level": "WARNING",
    }
    named = {f"DUNNING_{name.upper()}": str(v) for name, v in {**values, **more}.items()}
    return {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "TEMPORAL_ADDRESS": services.temporal_address,
        **named,
    }


def processes(folder: Path, variables: dict[str, str], port: int) -> dict[str, Server]:
    """Two workers and the API, not yet started."""

    def server(name: str, *command: str) -> Server:
        return Server(
            name,
            folder / f"{name}.log",
            command=lambda: [sys.executable, *command],
            answers=lambda: True,
            polite=signal.SIGKILL,
            run_as={"env": variables},
        )

    api = ("-m", "uvicorn", "--factory", "api.app:create_app", "--no-access-log")
    return {
        "worker 1": server("worker 1", str(ROOT / "worker.py")),
        "worker 2": server("worker 2", str(ROOT / "worker.py")),
        "API": server("API", *api, "--host", "127.0.0.1", "--port", str(port)),
    }


@dataclass
class Run:
    """Kills and restarts processes while they send. ``ended``: processes that ended without having
    been killed, which is a failure."""

    embedded: Embedded
    processes: dict[str, Server]
    watcher: Watcher
    chance: random.Random
    out: Console
    kills: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def kill_one(self) -> None:
        victim = self.chance.choice([*self.processes, "PostgreSQL"])
        self.kills[victim] += 1
        self.out.print(f"{self.seconds:6.1f} s  kill -9 {victim}")
        if victim == "PostgreSQL":
            self.embedded.restart_postgres()
        else:
            self.processes[victim].kill()
            self.processes[victim].start(self.watcher)

    def revive(self) -> None:
        for name, process in self.processes.items():
            if process.pid is None:
                self.ended[name] += 1
                self.out.print(f"{self.seconds:6.1f} s  {name} has ended by itself")
                process.start(self.watcher)

    def until_quiet(
        self, stand_ins: StandIns, url: str, actions: int, end: float, *, kills: bool
    ) -> bool:
        """Whether everything is settled within ``end`` seconds; kills until most of it is."""
        next_kill, next_word = self.seconds + KILL_EVERY[1], 0.0
        quiet_before = False
        while self.seconds < end:
            time.sleep(_LOOK_EVERY)
            self.revive()
            found = still_open(url)
            done = found is not None and found.nothing and stand_ins.wait_until_quiet(0)
            if done and quiet_before:  # twice: what moves between two tables may be missed once
                return True
            quiet_before = done
            kills = kills and (found is None or found.actions > actions * (1 - KILL_UNTIL))
            if kills and self.seconds > next_kill:
                self.kill_one()
                next_kill = self.seconds + self.chance.uniform(*KILL_EVERY)
            if self.seconds > next_word:
                self._tell(found, stand_ins)
                next_word = self.seconds + _TELL_EVERY
        return False

    def _tell(self, found: Open | None, stand_ins: StandIns) -> None:
        accepted = len(stand_ins.ledger.entries())
        words = "the database is away"
        if found is not None:
            words = (
                f"open: {found.actions:,} actions, {found.deliveries:,} deliveries, "
                f"{found.callbacks:,} callbacks, {found.nudges:,} nudges"
            )
        self.out.print(f"{self.seconds:6.1f} s  {accepted:,} accepted; {words}")


@contextmanager
def started(every: Mapping[str, Server], watcher: Watcher) -> Iterator[None]:
    try:
        for process in every.values():
            process.start(watcher)
        yield
    finally:
        for process in every.values():
            process.kill()
        watcher.end()


def bench(folder: Path, asked: argparse.Namespace, out: Console) -> bool:
    faults = Faults.all(hang=HANG)
    for words, shares in (("sends", faults.send), ("look-ups", faults.look_up)):
        mix = ", ".join(f"{fault} {share:.1%}" for fault, share in shares.items())
        out.print(f"{words}: {mix}", soft_wrap=True)
    out.print(f"a silence lasts {HANG:.0f} s, SendGrid's logs are {faults.lag:.0f} s behind")
    people = addressees(asked.actions)
    port = take_port(0, "")
    public_url = f"http://127.0.0.1:{port}"
    embedded = Embedded(folder / "state")
    stand_ins = StandIns(
        faults=faults,
        habits=Habits(delay=10, twice=0.3, early=0.2, retry_for=600),
        callbacks_to=public_url,
        seed=asked.seed,
    )
    with stand_ins, embedded as services:
        url = services.database_url
        migrate(url)
        engine = connect(url)
        make_book(engine, people)
        engine.dispose()
        variables = environment(settings(stand_ins, public_url), services, folder)
        every, watcher = processes(folder, variables, port), Watcher()
        with started(every, watcher):
            run = Run(embedded, every, watcher, random.Random(asked.seed), out)
            quiet = run.until_quiet(
                stand_ins, url, len(people), asked.minutes * 60, kills=not asked.no_kills
            )
            seconds = run.seconds
        found = report(url, stand_ins.ledger, people)
        for table in tables(found, stand_ins):
            out.print(table)
        killed = ", ".join(f"{n} × {victim}" for victim, n in run.kills.items()) or "nothing"
        out.print(f"killed: {killed}; ended by itself: {dict(run.ended) or 'nothing'}")
        out.print(f"{seconds:.0f} s, seed {asked.seed}, {'quiet' if quiet else 'NOT quiet'}")
        for person in found.wrong[:_EVIDENCE_OF]:
            out.print("\n".join(evidence(url, stand_ins.ledger, person)), markup=False)
        return found.good and quiet and not run.ended


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("--actions", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1, help="of the faults and of the kills")
    parser.add_argument("--minutes", type=float, default=20, help="at most")
    parser.add_argument("--no-kills", action="store_true")
    parser.add_argument("--folder", type=Path, help="keeps logs and database there")
    asked = parser.parse_args()
    out = Console(width=160, highlight=False)
    with tempfile.TemporaryDirectory(prefix="dunning-", ignore_cleanup_errors=True) as folder:
        good = bench(asked.folder or Path(folder), asked, out)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
