"""One database and one API for all tests of the API. Every test has an office, which is an
organisation, of its own: that is quick, and shows that organisations do not see each other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.app import create_app
from local.standalone import Services, create_database
from settings import Settings
from stand_ins.office import Office
from store.engine import connect


@pytest.fixture(scope="session")
def engine(postgres: Services, template: str) -> Iterator[Engine]:
    engine = connect(create_database(postgres, "api", template), pool_size=20)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def client() -> Iterator[TestClient]:
    """The API, made once; each test gives it a database of its own."""
    settings = Settings(max_body_bytes=1_000_000, max_import_bytes=2_000_000, request_seconds=60)
    app = create_app(settings, connect("postgresql+psycopg://nobody@127.0.0.1:1/nothing"))
    with TestClient(app, base_url="http://dunning", follow_redirects=False) as client:
        yield client


@pytest.fixture
def app(client: TestClient, engine: Engine) -> Iterator[FastAPI]:
    app = client.app
    assert isinstance(app, FastAPI)
    app.state.engine = engine
    app.state.lock_timeout_ms = 5000
    signers = app.state.signers
    yield app
    app.state.signers = signers


@pytest.fixture
def office(engine: Engine, client: TestClient, app: FastAPI) -> Office:
    return Office(engine, client)
