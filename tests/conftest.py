"""Fixtures for every test: a fresh migrated database on a real PostgreSQL, and a real Temporal."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, make_url

from activities.temporal import connect_temporal
from local.standalone import Embedded, Services, TemporalOptions, create_database, drop_database
from store.engine import connect, migrate
from tests.cast.emptied import empty
from tests.cast.skipping import Skipping

#: The slowest files, which mostly wait. They run first, so that none of them is still running last.
LONG = (
    "flows/test_kill.py",
    "flows/test_outage_api.py",
    "local/test_standalone.py",
    "rehearsal/test_days.py",
    "flows/test_faults.py",
    "api/http/test_schema.py",
)
TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [name for name in LONG if not (TESTS / name).is_file()]
    if missing:
        raise pytest.UsageError(f"LONG in tests/conftest.py names files that are gone: {missing}")
    places = {TESTS / name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path, len(LONG)))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Services]:
    """PostgreSQL without Temporal, for the whole session; with `-n` one for each process."""
    with (
        tempfile.TemporaryDirectory(prefix="dunning-", ignore_cleanup_errors=True) as folder,
        Embedded(Path(folder), temporal=None, durable=False) as services,
    ):
        yield services


@pytest.fixture(scope="session")
def template(postgres: Services) -> str:
    """The name of a migrated database to copy; that works only while no client is connected."""
    name = "template_dunning"
    migrate(create_database(postgres, name))
    return name


@pytest.fixture
def database_url(postgres: Services, template: str) -> Iterator[str]:
    """A new database for this test alone, empty and migrated."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield create_database(postgres, name, template)
    drop_database(postgres, name)


@pytest.fixture(scope="session")
def _one_engine(postgres: Services) -> tuple[Engine, dict[str, str]]:
    """One engine for all tests, so that SQLAlchemy compiles each statement once, and the parameters
    of its next connection, which name the database."""
    engine, now_on = connect(postgres.database_url, pool_size=20), {"dbname": "dunning"}

    @event.listens_for(engine, "do_connect")
    def _choose(_dialect: object, _record: object, _args: object, params: dict[str, str]) -> None:
        params.update(now_on)

    return engine, now_on


@pytest.fixture(scope="session")
def _shared(postgres: Services, template: str) -> str:
    """The database of all tests that do not ask for one of their own."""
    return create_database(postgres, "shared", template)


@pytest.fixture
def engine(
    request: pytest.FixtureRequest, _one_engine: tuple[Engine, dict[str, str]]
) -> Iterator[Engine]:
    """An engine on an empty database. A test that changes the schema asks for its own one by
    ``database_url``; all others use a shared one, which is emptied: a copy takes 20 times as long.
    """
    engine, now_on = _one_engine
    if "database_url" in request.fixturenames:
        url = request.getfixturevalue("database_url")
    else:
        url = request.getfixturevalue("_shared")
        empty(url)
    now_on["dbname"] = make_url(url).database or ""
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def temporal() -> Iterator[str]:
    """The address of a Temporal server for the whole session, with time skipping on request."""
    with (
        tempfile.TemporaryDirectory(prefix="dunning-", ignore_cleanup_errors=True) as folder,
        Embedded(
            Path(folder),
            postgres=False,
            temporal=TemporalOptions(in_memory=True, time_skipping=True),
            durable=False,
        ) as services,
    ):
        yield services.temporal_address


@pytest.fixture(scope="session")
async def skipping(temporal: str) -> Skipping:
    """A client whose workflows each have a clock of their own, which skips time on request."""
    return Skipping(await connect_temporal(temporal))
