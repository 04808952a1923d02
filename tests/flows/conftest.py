"""The server of the tests of outages, and the engines on it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from api.http.database import CONNECTIONS
from local.standalone import Embedded
from store.engine import connect, migrate
from tests.cast.outages import ANSWER, Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """For every test of an outage that this process runs."""
    with tempfile.TemporaryDirectory(prefix="dunning-", ignore_cleanup_errors=True) as folder:
        embedded = Embedded(Path(folder), temporal=None, durable=False)
        with embedded as services:
            migrate(services.database_url)
            yield Server(embedded, services.database_url)


@pytest.fixture
def hurried(server: Server) -> Iterator[Engine]:
    """An engine as the API or a worker has it, which waits ``ANSWER`` seconds for an answer."""
    engine = connect(server.url, pool_size=CONNECTIONS, ping=True, answer_within=ANSWER)
    yield engine
    engine.dispose()


@pytest.fixture
def watching(server: Server) -> Iterator[Engine]:
    """The test's own engine, which waits for a minute. Afterwards the database is empty again."""
    engine = connect(server.url, pool_size=2, ping=True, answer_within=60)
    yield engine
    with engine.begin() as connection:
        connection.execute(sa.text("TRUNCATE organisation, callback CASCADE"))
    engine.dispose()
