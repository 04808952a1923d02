"""Clients without a valid key, or with slow bodies, do not block others."""

from __future__ import annotations

import json
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from sqlalchemy import Engine

from api.app import create_app
from api.http import gate
from api.http.bodies import BodyRoute
from api.http.protocol import Protocol
from backoffice.people.keys import Principal
from settings import Settings
from stand_ins.office import Office
from tests.cast.listening import Line, listening
from tests.cast.operations import WITHOUT_KEY, operations

#: Bodies of at most 10 MB that each take a second or more to parse.
HOSTILE = [
    ("application/toml", b".".join([b"a"] * 30_000) + b"=1"),
    ("application/json", (b"[" * 500 + b"]" * 500 + b",") * 500),
    ("multipart/form-data", b"--" * 10_000),
    ("text/csv", b"\n" * 100_000),
    ("application/pdf", b""),
]


MEANWHILE = 0.1
AT_ONCE = 0.05


def test_every_operation_asks_for_the_key_before_it_reads_the_body(
    office: Office, app: FastAPI
) -> None:
    """Answered with 401 at once, whether the body is sent or only announced; others are not slowed
    down."""
    closed = [
        (p, m) for p, m, _ in operations(app) if p.startswith("/v1/") and p not in WITHOUT_KEY
    ]
    assert len(closed) > 60
    took, meanwhile, over = [], [], threading.Event()
    with listening(app) as port:

        def health() -> float:
            began = time.perf_counter()
            assert Line(port).send("GET", "/healthz").answer()[0] == 200
            return time.perf_counter() - began

        def watch() -> None:
            while not over.wait(0.01):
                meanwhile.append(health())

        floor = [health() for _ in range(20)]
        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            for number, (path, method) in enumerate(closed):
                kind, body = HOSTILE[number % len(HOSTILE)]
                length = f"Content-Length: {len(body) or 9_000_000}"
                head = (f"Content-Type: {kind}", "Expect: 100-continue", length)
                began = time.perf_counter()
                line = Line(port).send(method.upper(), path, *head, body=body)
                status, headers, text = line.answer()
                took.append(time.perf_counter() - began)
                assert (status, headers["connection"]) == (401, "close"), (method, path, text)
        finally:
            over.set()
            watcher.join()
    # Relative to the same server at rest, because the machine may be busy.
    slow = statistics.median(floor) * 5
    assert statistics.median(took) < max(AT_ONCE, slow)
    assert statistics.median(meanwhile) < max(MEANWHILE, slow)
    assert max(took) < 2 > max(meanwhile)  # what one hostile body alone cost was more


def test_an_address_that_is_not_there_needs_a_key_too(office: Office) -> None:
    nobody = office.caller(None)
    for method, path in (
        ("GET", "/nothing"),
        ("DELETE", "/batch"),
        ("GET", "/customers/a%00b"),
        ("GET", "http://dunning/v1"),
        ("POST", "/invitations/exchange/"),
    ):
        nobody.fails(401, method, path)
    assert nobody("GET", "http://dunning/v11").status_code == 404


def test_json_of_every_operation_is_read_on_a_thread_and_within_limits(app: FastAPI) -> None:
    ours = [r for r in iter_route_contexts(app.routes) if (r.path or "").startswith("/v1/")]
    assert len(ours) > 60
    for route in ours:
        assert isinstance(route.original_route, BodyRoute), route.path


TOO_MUCH = [
    ("application/toml", b".".join([b"a"] * 30_000) + b"=1"),
    ("application/toml", b"a = 1\n" * 60_000),
    ("application/toml", b"a = " + b"[" * 200 + b"]" * 200),
    ("application/json", b'{"steps": ' + b"[" * 200 + b"]" * 200 + b"}"),
    ("application/json", b'{"steps": [' + b"0," * 60_000 + b"0]}"),
]


def test_what_a_member_writes_is_read_within_limits(
    office: Office, subtests: pytest.Subtests
) -> None:
    for path in ("/plans/check", "/plans/Standard/preview"):
        for kind, content in TOO_MUCH[3 if "preview" in path else 0 :]:
            with subtests.test(path=path, content=content[:20]):
                began = time.perf_counter()
                headers = {"Content-Type": kind}
                told = office.ben.fails(400, "POST", path, content=content, headers=headers)
                assert told["detail"].startswith("the body ")
                assert time.perf_counter() - began < 2


def test_a_map_with_a_name_of_many_dots_is_refused(office: Office) -> None:
    form = {"file": ("b.csv", b"customer\n"), "map": ("m.toml", b"a." * 30_000 + b"a=1")}
    told = office.billing("POST", "/imports", files=form)
    assert (told.status_code, told.json()["errors"][0]["where"]) == (422, "/map")


def test_many_invalid_keys_at_once_do_not_block_valid_ones(
    office: Office, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up, go_on, stuck = gate._look_up, threading.Event(), []

    def slow(app: FastAPI, key: str) -> Principal | None:
        if "bbbb" in key:
            stuck.append(key)
            assert go_on.wait(30)
        return look_up(app, key)

    monkeypatch.setattr(gate, "_look_up", slow)
    office.ben.get("/me")
    with ThreadPoolExecutor(20) as pool:
        bad = [office.caller(f"dun_live_{n:012}_" + "b" * 32) for n in range(20)]
        asked = [pool.submit(one, "GET", "/me") for one in bad]
        try:
            while not stuck:
                time.sleep(0.005)
            office.ben.get("/me")
        finally:
            go_on.set()
        assert {one.result().status_code for one in asked} == {401}


def test_slow_uploads_of_one_key_do_not_block_others(office: Office, engine: Engine) -> None:
    """Of 40 uploads eight are received until they are too slow; the others are refused (429)."""
    app = create_app(Settings(body_seconds=1, ready_seconds=30), engine)
    key = f"Authorization: {office.billing.headers['Authorization']}"
    ben = f"Authorization: {office.ben.headers['Authorization']}"
    csv = "Content-Type: text/csv"
    with listening(app) as port:
        slow = [Line(port) for _ in range(40)]
        for line in slow:
            line.send("POST", "/v1/imports", key, csv, "Content-Length: 99999", body=b"customer,")
        for _ in range(5):
            assert Line(port).send("GET", "/v1/me", ben).answer()[0] == 200
        assert Line(port).send("GET", "/readyz").answer()[0] == 200
        answers = [one.answer() for one in slow]
        later = [headers["retry-after"] for status, headers, _ in answers if status == 429]
        assert set(later) == {"2"}
        left = [status for status, *_ in answers if status == 408]
        assert len(left) >= 8
        assert len(left) + len(later) == 40
        # And the places of the key are free again.
        again = Line(port).send("POST", "/v1/imports", key, csv, "Content-Length: 4", body=b"a,b\n")
        assert again.answer()[0] == 422


def test_a_body_that_comes_too_slowly_is_refused(office: Office, engine: Engine) -> None:
    """Each wait is short enough, but the rate is too low."""
    app = create_app(Settings(body_seconds=0.2), engine)
    key = f"Authorization: {office.billing.headers['Authorization']}"
    kind = "Content-Type: application/json"
    with listening(app) as port:
        line = Line(port).send("PUT", "/v1/customers/C-1", key, kind, "Content-Length: 99999")
        began, sent = time.perf_counter(), 0
        line.socket.settimeout(0.05)
        while time.perf_counter() - began < 10:
            try:
                line.socket.sendall(b" ")
                sent += 1
                if line.socket.recv(1, 2):  # MSG_PEEK
                    break
            except TimeoutError:
                continue
        line.socket.settimeout(30)
        status, _, text = line.answer()
        assert (status, sent > 2) == (408, True), text
        assert json.loads(text)["title"] == "The body came too slowly"


def test_request_smuggling_is_refused(app: FastAPI) -> None:
    with listening(app) as port:
        both = Line(port).send(
            "POST",
            "/v1/batch",
            "Content-Length: 5",
            "Transfer-Encoding: chunked",
            body=b"0\r\n\r\n",
        )
        assert both.answer()[0] == 400
        many = Line(port).send("GET", "/healthz", *(f"X-{n}: 1" for n in range(150)))
        assert many.answer()[0] == 431
        # Sent in pieces it is refused by uvicorn, in one piece by the API.
        assert Line(port).send("GET", "/healthz", "X-A: " + "a" * 40_000).answer()[0] in (400, 431)


def test_a_connection_without_a_request_is_closed(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sending a little of the head now and then does not extend the time."""
    monkeypatch.setattr(Protocol, "head_seconds", 0.2)
    with listening(app, http="api.http.protocol:Protocol") as port:
        silent, slow = Line(port), Line(port)
        slow.socket.sendall(b"GET /healthz HTTP/1.1\r\n")
        assert Line(port).send("GET", "/healthz").answer()[0] == 200
        began = time.perf_counter()
        for line in (silent, slow):
            with line.socket:
                assert line.socket.recv(1) == b""
        assert time.perf_counter() - began < 10
        status, headers, text = Line(port).send("G ET", "/healthz").answer()
        assert (status, len(headers["x-request-id"])) == (400, 16)
        assert json.loads(text)["status"] == 400
