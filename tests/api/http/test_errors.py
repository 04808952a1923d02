"""Bad input of every kind is answered with a problem document, never with 500."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text

from stand_ins.office import Caller, Office, acme_body, invoice_body
from store.engine import connect


def test_a_missing_or_invalid_key_is_refused(office: Office) -> None:
    for headers in (
        {},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer x"},
        {"Authorization": "Bearer dun_live_abc_def"},
        {"Authorization": "Bearer dun_live_a'b_d"},
        {"Authorization": "Bearer \xfc_\xfc_\xfc_x"},
        {"Authorization": office.ben.headers["Authorization"] + "x"},
    ):
        raw = {k.encode(): v.encode("latin-1") for k, v in headers.items()}
        answer = office.client.get("/v1/me", headers=raw)
        assert answer.status_code == 401, headers
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["content-type"] == "application/problem+json"
    wrong = office.billing("GET", "/me")
    assert 'error="insufficient_scope"' in wrong.headers["www-authenticate"]
    office.ben.fails(403, "PUT", "/customers/C-1", acme_body())
    # The key is checked first: without one nobody learns what exists or what is wrong.
    office.caller(None).fails(401, "PUT", "/customers/C-1", {})


def test_invalid_keys_of_others_do_not_lock_out_a_valid_one(office: Office) -> None:
    """All come from one address, as behind a proxy, and the valid key was not used here before."""
    for number in range(25):
        office.caller(f"dun_live_{number:012}_" + "b" * 32).fails(401, "GET", "/me")
    office.cleo.get("/me")


BROKEN = [
    b"{",
    b"",
    b"[1",
    b"\xff\xfe",
    b"{'a': 1}",
    b"[" * 100_000,
    b'{"total": 1' + b"0" * 5000 + b"}",
    b"\x00",
    b'{"a": "\xed\xa0\x80"}',
]


def test_broken_json_is_refused(office: Office, subtests: pytest.Subtests) -> None:
    for content in BROKEN:
        with subtests.test(content=repr(content[:40])):
            headers = {"Content-Type": "application/json"}
            status = 422 if content in (b"", b'{"a": "\xed\xa0\x80"}') else 400
            office.billing.fails(status, "PUT", "/customers/C-1", content=content, headers=headers)


def test_a_body_of_another_media_type_is_refused(office: Office) -> None:
    content = json.dumps(acme_body()).encode()
    for headers in ({"Content-Type": "text/plain"}, {"Content-Type": "application/xml"}, {}):
        office.billing.fails(415, "PUT", "/customers/C-1", content=content, headers=headers)
        office.billing.fails(415, "POST", "/payments/P/reverse", content=content, headers=headers)
    kind = {"Content-Type": "application/vnd.api+json; charset=utf-8"}
    assert office.billing("PUT", "/customers/C-1", content=content, headers=kind).is_success


def test_unknown_paths_and_methods_are_answered_with_404_and_405(office: Office) -> None:
    assert office.ben.fails(404, "GET", "/nothing")["instance"] == "/v1/nothing"
    office.ben.fails(404, "GET", "/customers/")
    for method, path, allowed in (
        ("DELETE", "/customers/C-1", "GET, HEAD, PUT"),
        ("POST", "/customers/C-1", "GET, HEAD, PUT"),
        ("PUT", "/actions", "GET, HEAD"),
        ("GET", "/batch", "POST"),
        ("PATCH", "/members/a", "DELETE, PUT"),
        ("GET", "/keys/x", "DELETE"),
        ("TRACE", "/organisation", "GET, HEAD, PATCH"),
        ("OPTIONS", "/plans/check", "GET, HEAD, POST, PUT"),
    ):
        told = office.ben(method, path)
        assert (told.status_code, told.headers["allow"]) == (405, allowed)
        assert told.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_too_large_is_refused(office: Office) -> None:
    """The limit is 1,000,000 bytes here, and 2,000,000 for imports."""
    large = json.dumps(acme_body(name="x" * 1_100_000)).encode()
    headers = {"Content-Type": "application/json"}

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(large), 200_000):
            yield large[start : start + 200_000]

    for content in (large, pieces()):
        told = office.billing.fails(413, "PUT", "/customers/C-1", content=content, headers=headers)
        assert "1,000,000" in told["detail"]
    csv = {"Content-Type": "text/csv"}
    assert office.billing("POST", "/imports", content=large, headers=csv).status_code == 422
    office.billing.fails(413, "POST", "/imports", content=large * 2, headers=csv)
    office.billing.fails(413, "POST", "/imports", content=(large for _ in range(2)), headers=csv)


def test_a_locked_customer_is_told_to_try_again(office: Office, app: FastAPI) -> None:
    office.acme()
    app.state.lock_timeout_ms = 50
    with office.engine.connect() as held, held.begin():
        held.execute(text("SELECT 1 FROM customer FOR UPDATE"))
        told = office.billing("PUT", "/invoices/INV-1", json=invoice_body(total="5.00"))
    assert (told.status_code, told.headers["retry-after"]) == (503, "1")
    assert told.headers["content-type"] == "application/problem+json"
    assert office.billing.get("/invoices/INV-1")["total"] == "100.00"


def test_without_the_database_the_answer_is_503(
    office: Office, app: FastAPI, engine: Engine
) -> None:
    app.state.engine = connect("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    told = office.ben("GET", "/me")
    assert (told.status_code, told.headers["retry-after"]) == (503, "5")
    assert "127.0.0.1" not in told.text
    everybody = Caller(office.client, None)
    everybody.fails(503, "GET", "http://dunning/readyz")
    assert everybody.get("http://dunning/healthz") == {"status": "ok"}
    app.state.engine = engine
    assert everybody.get("http://dunning/readyz")["status"] == "ok"


def test_an_internal_error_shows_only_its_request_id(
    office: Office, app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    app.state.engine = "no engine at all"
    with caplog.at_level(logging.ERROR):
        told = office.ben.fails(500, "GET", "/me")
    number = told["detail"].split()[-1]
    assert number in caplog.text
    assert "Traceback" in caplog.text
    assert "engine" not in json.dumps(told)


def test_every_answer_has_the_headers_for_browsers(office: Office) -> None:
    for answer in (
        office.ben("GET", "/me"),
        office.ben("GET", "/nothing"),
        office.caller(None)("GET", "/me"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
    root = office.client.get("/")
    assert (root.status_code, root.headers["location"]) == (307, "/docs")
    assert "swagger" in office.client.get("/docs").text
