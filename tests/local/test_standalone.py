"""The embedded services: start, occupied ports, kill -9, restart, end.

These tests start real servers in directories of their own; the whole file takes some ten seconds.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from temporalio.client import Client

from local.standalone import (
    Embedded,
    NotStarted,
    PortTaken,
    Services,
    StateDirBusy,
    TemporalOptions,
    create_database,
    drop_database,
)

pytestmark = pytest.mark.services

ROOT = Path(__file__).parents[2]


@pytest.fixture
def state_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="dunning-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def until(what: Callable[[], bool], within: float = 20.0) -> None:
    deadline = time.monotonic() + within
    while not what():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def lives(pid: int | None) -> bool:
    if not pid:
        return False
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def connect(services: Services) -> psycopg.Connection[Any]:
    return psycopg.connect(services.database_url.replace("+psycopg", ""), autocommit=True)


async def start_workflow(services: Services, workflow_id: str) -> None:
    client = await Client.connect(services.temporal_address)
    await client.start_workflow("Anything", id=workflow_id, task_queue="nobody-listens")


async def status_of(services: Services, workflow_id: str) -> str:
    client = await Client.connect(services.temporal_address)
    description = await client.get_workflow_handle(workflow_id).describe()
    assert description.status
    return description.status.name


async def test_both_servers_start_and_leave_no_process_behind(state_dir: Path) -> None:
    embedded = Embedded(state_dir, temporal=TemporalOptions(ui_port=0))
    before = {p.pid for p in psutil.Process().children(recursive=True)}  # of the other tests
    begun = time.monotonic()
    with embedded as services:
        assert time.monotonic() - begun < 15  # about 1.5 s on an idle machine of two cores
        pids = [embedded.postgres_pid, embedded.temporal_pid]
        family = {p.pid for p in psutil.Process().children(recursive=True)} - before
        assert all(lives(pid) for pid in pids)
        # Ctrl-C reaches the terminal's session; the servers are in another one.
        assert all(os.getsid(pid or 0) != os.getsid(0) for pid in pids)
        with connect(services) as connection:
            assert connection.execute("SHOW timezone").fetchone() == ("UTC",)
        client = await Client.connect(services.temporal_address)
        query = "DunningOrganisation = 'acme' AND DunningState = 'waiting'"
        assert [run async for run in client.list_workflows(query)] == []
        assert services.temporal_ui_url
        with socket.create_connection(("127.0.0.1", int(services.temporal_ui_url[-5:])), 5):
            pass
    assert [pid for pid in family if lives(pid)] == []
    assert (embedded.postgres_pid, embedded.temporal_pid) == (None, None)


async def test_data_survives_a_restart(state_dir: Path) -> None:
    with Embedded(state_dir) as services:
        with connect(services) as connection:
            connection.execute("CREATE TABLE fact AS SELECT 7 AS n")
        await start_workflow(services, "asleep")
    with Embedded(state_dir) as services:
        with connect(services) as connection:
            assert connection.execute("SELECT n FROM fact").fetchone() == (7,)
        assert await status_of(services, "asleep") == "RUNNING"


async def test_kill_9_of_each_server_loses_no_data(state_dir: Path) -> None:
    embedded = Embedded(state_dir)
    with embedded as services:
        with connect(services) as connection:
            connection.execute("CREATE TABLE fact AS SELECT 7 AS n")
            assert embedded.postgres_pid
            os.kill(embedded.postgres_pid, signal.SIGKILL)
        until(lambda: embedded.postgres_pid is None)
        embedded.restart_postgres()
        with connect(services) as connection:
            assert connection.execute("SELECT n FROM fact").fetchone() == (7,)

        await start_workflow(services, "asleep")
        assert embedded.temporal_pid
        os.kill(embedded.temporal_pid, signal.SIGKILL)
        embedded.restart_temporal()
        assert embedded.services == services
        assert await status_of(services, "asleep") == "RUNNING"


HOLD = """
import sys
from pathlib import Path
from local.standalone import Embedded
embedded = Embedded(Path(sys.argv[1]))
with embedded as services:
    if sys.argv[2] == "unwatched":
        embedded._watcher.end()
    print(embedded.postgres_pid, embedded.temporal_pid, flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def another_process(state_dir: Path, how: str) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """Run another process of ours that holds the services of `state_dir`; gives their process
    ids."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(state_dir), how],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin
    assert holder.stdout
    try:
        pids = [int(part) for part in holder.stdout.readline().split()]
        assert len(pids) == 2
        yield holder, pids
    finally:
        holder.kill()
        holder.wait()
        holder.stdin.close()
        holder.stdout.close()


def test_the_servers_end_when_our_process_is_killed(state_dir: Path) -> None:
    with another_process(state_dir, "watched") as (holder, pids):
        holder.kill()
        until(lambda: not any(lives(pid) for pid in pids))


def test_servers_of_a_killed_process_are_ended_at_the_next_start(state_dir: Path) -> None:
    with another_process(state_dir, "unwatched") as (holder, pids):
        holder.kill()
        holder.wait()
        assert all(lives(pid) for pid in pids)
        with Embedded(state_dir):
            assert not any(lives(pid) for pid in pids)


def test_a_state_directory_in_use_is_refused_to_a_second_process(state_dir: Path) -> None:
    with (
        another_process(state_dir, "watched") as (holder, pids),
        pytest.raises(StateDirBusy, match=rf"process {holder.pid}.*DUNNING_STATE_DIR"),
        Embedded(state_dir),
    ):
        pass
    until(lambda: not any(lives(pid) for pid in pids))


@pytest.mark.parametrize(
    ("argument", "setting"),
    [("port", "DUNNING_TEMPORAL_PORT"), ("ui_port", "DUNNING_TEMPORAL_UI_PORT")],
)
def test_a_taken_port_names_the_setting_to_change(
    argument: str, setting: str, state_dir: Path
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        options = TemporalOptions(**{argument: port})
        embedded = Embedded(state_dir, postgres=False, temporal=options)
        with pytest.raises(PortTaken, match=f"port {port} is taken: set {setting}"), embedded:
            pass
    options = TemporalOptions(in_memory=True)
    with Embedded(state_dir, postgres=False, temporal=options, durable=False):
        pass  # the failed start has released the lock


def test_a_server_that_cannot_start_gives_its_reason(state_dir: Path) -> None:
    with Embedded(state_dir, temporal=None, durable=False):
        pass
    (state_dir / "postgres" / "postgresql.conf").write_text("nonsense = yes\n")
    with (
        pytest.raises(NotStarted, match=r'(?s)PostgreSQL exits at once.*"nonsense"'),
        Embedded(state_dir, temporal=None, durable=False),
    ):
        pass


def test_a_state_directory_with_a_very_long_path_works(state_dir: Path) -> None:
    deep = state_dir / ("a" * 60) / ("b" * 60)
    with Embedded(deep, temporal=None, durable=False) as services, connect(services) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        sockets = Path(services.database_url.split("host=")[1].split("&")[0])
        assert sockets.exists()
    assert not sockets.exists()


def test_a_database_is_cloned_from_a_template_and_dropped(state_dir: Path) -> None:
    with Embedded(state_dir, temporal=None, durable=False) as services:
        url = create_database(services, "template")
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            connection.execute("CREATE TABLE fact AS SELECT 7 AS n")
        for name in ("Ada's", "ben"):
            clone = create_database(services, name, template="template")
            connection = psycopg.connect(clone.replace("+psycopg", ""), autocommit=True)
            assert connection.execute("SELECT n FROM fact").fetchone() == (7,)
            drop_database(services, name)  # even while a client is connected
            connection.close()
        drop_database(services, "never-was")
