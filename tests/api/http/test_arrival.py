"""The id of a request, and who sent it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.app import create_app
from logs import set_up_logging
from settings import Settings
from stand_ins.office import Office
from tests.cast.listening import Line, listening


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged, as a process would write it."""
    root = logging.getLogger()
    handlers, level, out = root.handlers[:], root.level, io.StringIO()
    set_up_logging(json_lines=True, stream=out)
    yield out
    root.handlers[:] = handlers
    root.setLevel(level)


def test_every_answer_has_a_request_id(office: Office) -> None:
    found = set()
    for method, path, status in (
        ("GET", "/healthz", 200),
        ("GET", "/docs", 200),
        ("GET", "/nothing", 404),
        ("GET", "/l/aaaaaaaaaaaaaaaa", 404),
        ("POST", "/webhooks/lob", 503),
        ("POST", "/webhooks/nobody", 404),
        ("GET", "/v1/me", 401),
        ("PUT", "/healthz", 405),
    ):
        answer = office.client.request(method, path)
        assert answer.status_code == status, path
        found.add(answer.headers["x-request-id"])
    large = office.billing("PUT", "/customers/C", content=b" " * 1_100_000)
    assert large.status_code == 413
    found.add(large.headers["x-request-id"])
    assert len(found) == 9


def test_the_log_and_the_answer_have_the_same_request_id(
    office: Office, app: FastAPI, log: io.StringIO, engine: Engine
) -> None:
    key = office.ben.headers["Authorization"]
    with listening(app, access_log=True) as port:
        told = Line(port).send("GET", "/healthz", "X-Forwarded-For: 203.0.113.7").answer()[1]
        app.state.engine = "no engine at all"
        status, headers, text = Line(port).send("GET", "/v1/me", f"Authorization: {key}").answer()
        app.state.engine = engine
    number = headers["x-request-id"]
    problem = json.loads(text)
    assert (status, problem["request_id"]) == (500, number)
    assert number in problem["detail"]
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    mine = [line for line in lines if line.get("request_id") == number]
    assert {line["logger"] for line in mine} == {"api.http.problems", "uvicorn.access"}
    (first,) = [line for line in lines if line.get("request_id") == told["x-request-id"]]
    assert first["message"].startswith("203.0.113.7")  # loopback is a trusted proxy


def test_a_given_request_id_is_taken_over_from_a_trusted_proxy_alone(engine: Engine) -> None:
    app = create_app(Settings(trusted_proxies="10.0.0.0/8"), engine)

    def given(client: str, number: str) -> str:
        asks = TestClient(app, client=(client, 4711))
        return str(asks.get("/healthz", headers={"X-Request-Id": number}).headers["x-request-id"])

    assert given("10.1.2.3", "abc-123") == "abc-123"
    assert given("192.0.2.1", "abc-123") != "abc-123"
    for harmful in ("a b", "x" * 65, "a\x1b[31m", ""):
        assert given("10.1.2.3", harmful) != harmful


def test_a_proxy_that_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match=r"proxy\.example is no address and no network"):
        Settings(trusted_proxies="10.0.0.1, proxy.example")
