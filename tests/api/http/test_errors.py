"""Bad input of every kind: a problem document with what and where, never a 500."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text

from stand_ins.office import Caller, Office, acme_body, invoice_body, payment_body
from store.engine import connect


def test_without_a_good_key(office: Office) -> None:
    for headers in (
        {}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"},
        {"Authorization": "Bearer x"}, {"Authorization": "Bearer dun_live_abc_def"},
        {"Authorization": "Bearer dun_live_a'b_d"}, {"Authorization": "Bearer \xfc_\xfc_\xfc_x"},
        {"Authorization": office.ben.headers["Authorization"] + "x"},
    ):  # fmt: skip
        raw = {k.encode(): v.encode("latin-1") for k, v in headers.items()}
        answer = office.client.get("/v1/me", headers=raw)
        assert answer.status_code == 401, headers
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["content-type"] == "application/problem+json"
    wrong = office.billing("GET", "/me")
    assert 'error="insufficient_scope"' in wrong.headers["www-authenticate"]
    office.ben.fails(403, "PUT", "/customers/C-1", acme_body())
    # The key comes first: nobody learns what exists, or what is wrong with a body.
    office.caller(None).fails(401, "PUT", "/customers/C-1", {})


def test_a_good_key_is_good_however_many_bad_ones_others_sent(office: Office) -> None:
    """Behind a proxy all of them have one address, and this process has not seen hers before."""
    for number in range(25):
        office.caller(f"dun_live_{number:012}_" + "b" * 32).fails(401, "GET", "/me")
    office.cleo.get("/me")


BROKEN = [
    b"{", b"", b"[1", b"\xff\xfe", b"{'a': 1}", b"[" * 100_000, b'{"total": 1' + b"0" * 5000 + b"}",
    b"\x00", b'{"a": "\xed\xa0\x80"}',
]  # fmt: skip


def test_broken_json(office: Office, subtests: pytest.Subtests) -> None:
    for content in BROKEN:
        with subtests.test(content=repr(content[:40])):
            headers = {"Content-Type": "application/json"}
            status = 422 if content in (b"", b'{"a": "\xed\xa0\x80"}') else 400
            office.billing.fails(status, "PUT", "/customers/C-1", content=content, headers=headers)


def test_another_kind_of_body(office: Office) -> None:
    content = json.dumps(acme_body()).encode()
    for headers in ({"Content-Type": "text/plain"}, {"Content-Type": "application/xml"}, {}):
        office.billing.fails(415, "PUT", "/customers/C-1", content=content, headers=headers)
        office.billing.fails(415, "POST", "/payments/P/reverse", content=content, headers=headers)
    kind = {"Content-Type": "application/vnd.api+json; charset=utf-8"}
    assert office.billing("PUT", "/customers/C-1", content=content, headers=kind).is_success


CUSTOMERS: list[tuple[dict[str, Any], str]] = [
    ({"name": None}, "/name"), ({"name": ""}, "/name"), ({"name": "  "}, "/name"),
    ({"name": "a\x00b"}, "/name"), ({"name": "a\nb"}, "/name"), ({"name": "\ud800"}, "/name"),
    ({"name": "x" * 201}, "/name"), ({"name": 5}, "/name"), ({"name": ["x"]}, "/name"),
    ({"terms_days": -1}, "/terms_days"), ({"terms_days": "30"}, "/terms_days"),
    ({"terms_days": 10**400}, "/terms_days"), ({"terms_days": 30.5}, "/terms_days"),
    ({"terms_days": True}, "/terms_days"), ({"language": "french please"}, "/language"),
    ({"country": "France"}, "/country"), ({"contacts": {}}, "/contacts"),
    ({"contacts": [{"email": "a@b"}]}, "/contacts/0/email"),
    ({"contacts": [{"email": "a@b.example\nBcc: c@d.example"}]}, "/contacts/0/email"),
    ({"contacts": [{"phone": "call me"}]}, "/contacts/0/phone"),
    ({"contacts": [{"postal": {"street": "x"}}]}, "/contacts/0/postal/street"),
    ({"contacts": [{}, {"e/m~ail": "x"}]}, "/contacts/1/e~1m~0ail"),
    ({"contacts": [{}] * 101}, "/contacts"), ({"contacts": [{"external_id": ""}]},
                                              "/contacts/0/external_id"),
    ({"contacts": [{"external_id": "2"}, {"external_id": "2"}]}, "/contacts"),
    ({"source_updated_at": "2025-03-04T10:00:00"}, "/source_updated_at"),
    ({"source_updated_at": "2025-03-04"}, "/source_updated_at"),
    ({"source_updated_at": 1741078800}, "/source_updated_at"),
    ({"source_updated_at": "1741078800"}, "/source_updated_at"),
    ({"source_updated_at": "0001-01-01T00:00:00+14:00"}, "/source_updated_at"),
    ({"source_updated_at": "9999-12-31T23:59:59-14:00"}, "/source_updated_at"),
    ({"nmae": "x"}, "/nmae"), ({"\ud800": "x"}, ""),
]  # fmt: skip


def test_customers_that_make_no_sense(office: Office, subtests: pytest.Subtests) -> None:
    for change, where in CUSTOMERS:
        with subtests.test(change=str(change)[:60]):
            told = refused(office, "/customers/C-1", acme_body(**change))
            assert [e["where"] for e in told["errors"]] == [where]


INVOICES: list[tuple[dict[str, Any], str]] = [
    ({"total": 100}, "/total"), ({"total": 100.5}, "/total"), ({"total": "1e5"}, "/total"),
    ({"total": "NaN"}, "/total"), ({"total": "Infinity"}, "/total"), ({"total": "-5.00"}, "/total"),
    ({"total": float("nan")}, "/total"), ({"total": "1" * 16}, "/total"), ({"total": ""}, "/total"),
    ({"total": "1.23456"}, "/total"), ({"total": "1.001"}, "/total"), ({"total": "1,00"}, "/total"),
    ({"total": " 1.00"}, "/total"), ({"total": "１.00"}, "/total"), ({"total": None}, "/total"),
    ({"currency": "eur"}, "/currency"), ({"currency": "XXX"}, "/currency"),
    ({"currency": "EURO"}, "/currency"), ({"currency": ["EUR"]}, "/currency"),
    ({"issued_on": "2025-02-30"}, "/issued_on"), ({"issued_on": 0}, "/issued_on"),
    ({"issued_on": "01/02/2025"}, "/issued_on"), ({"issued_on": "20250201"}, "/issued_on"),
    ({"issued_on": "2025-02-01T00:00:00"}, "/issued_on"), ({"issued_on": None}, "/issued_on"),
    ({"issued_on": "0001-01-01"}, "/issued_on"), ({"due_on": "9999-12-31"}, "/due_on"),
    ({"number": ""}, "/number"), ({"number": "a\rb"}, "/number"), ({"customer": ""}, "/customer"),
    ({"customer": "\x00"}, "/customer"), ({"customer": None}, "/customer"),
    ({"balance": "1.00"}, "/balance"),
    ({"url": "javascript:alert(1)"}, "/url"), ({"url": "//evil.example"}, "/url"),
    ({"url": "ftp://pay.example/1"}, "/url"), ({"url": "https://"}, "/url"),
    ({"url": "https:///1"}, "/url"), ({"url": "https://you@evil.example"}, "/url"),
    ({"url": "https://pay.example/a b"}, "/url"), ({"url": "https://pay.example/\r\nX: y"}, "/url"),
    ({"url": "https://pay.example\\@evil.example"}, "/url"), ({"url": 5}, "/url"),
    ({"url": "https://pay.example/\x00"}, "/url"), ({"url": " https://pay.example"}, "/url"),
    ({"url": "https://pay.example/" + "x" * 1981}, "/url"), ({"url": "/invoices/1"}, "/url"),
]  # fmt: skip


def test_invoices_that_make_no_sense(office: Office, subtests: pytest.Subtests) -> None:
    for change, where in INVOICES:
        with subtests.test(change=str(change)[:60]):
            told = refused(office, "/invoices/INV-1", invoice_body(**change))
            assert [e["where"] for e in told["errors"]] == [where]


PAYMENTS: list[tuple[dict[str, Any], str]] = [
    ({"amount": "0"}, "/amount"), ({"amount": "-1.00"}, "/amount"), ({"amount": 5}, "/amount"),
    ({"applied": [{"invoice": "INV-1", "amount": "0.00"}]}, "/applied/0/amount"),
    ({"applied": [{"invoice": "INV-1"}]}, "/applied/0/amount"),
    ({"applied": [{"invoice": "INV-1", "amount": "1.001"}]}, "/applied"),
    ({"applied": {"INV-1": "1.00"}}, "/applied"), ({"paid_on": "yesterday"}, "/paid_on"),
]  # fmt: skip


def test_payments_that_make_no_sense(office: Office, subtests: pytest.Subtests) -> None:
    for change, where in PAYMENTS:
        with subtests.test(change=str(change)[:60]):
            told = refused(office, "/payments/P-1", payment_body(**{"applied": [], **change}))
            assert [e["where"] for e in told["errors"]] == [where]


def refused(office: Office, path: str, body: Any) -> dict[str, Any]:
    """422; sent as bytes, because a client's own encoder would refuse some of it first."""
    content = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    told: dict[str, Any] = office.billing.fails(422, "PUT", path, content=content, headers=headers)
    assert all(e["reason"] and "\n" not in e["where"] for e in told["errors"])
    return told


ADDRESSES = [
    "/customers/a%00b", "/customers/%0A", "/invoices/" + "x" * 201,
    "/actions/1", "/customers?limit=0", "/customers?limit=201", "/customers?limit=-1",
    "/customers?limit=99999999999999999999", "/customers?limit=x", "/customers?cursor=%00",
    "/customers?cursor=ä", "/customers?cursor=AAAA", "/customers?cursor=!", "/customers?name=%00",
    "/actions?cursor=Zm9v", "/actions?cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "/actions?status=x",
    "/actions?automatic=perhaps", "/customers/C-1/timeline?cursor=LTE", "/outbox?limit=1e3",
    "/outbox/1", "/outbox?cursor=x", "/invoices?due_before=0", "/invoices?due_before=2025-02-30",
    "/plans/%00", "/customers/..%2F..%2Fetc", "/invoices/%F0%9F%92%A9",
]  # fmt: skip


def test_addresses_that_make_no_sense(office: Office, subtests: pytest.Subtests) -> None:
    office.acme()
    for path in ADDRESSES:
        with subtests.test(path=path[:60]):
            answer = office.ben("GET", path)
            assert answer.status_code in (404, 422), answer.text
            assert answer.headers["content-type"] == "application/problem+json"


def test_nothing_here_and_not_like_that(office: Office) -> None:
    assert office.ben.fails(404, "GET", "/nothing")["instance"] == "/v1/nothing"
    office.ben.fails(404, "GET", "/customers/")
    for method, path, allowed in (
        ("DELETE", "/customers/C-1", "GET, HEAD, PUT"),
        ("POST", "/customers/C-1", "GET, HEAD, PUT"),
        ("PUT", "/actions", "GET, HEAD"), ("GET", "/batch", "POST"),
        ("PATCH", "/members/a", "DELETE, PUT"),
        ("GET", "/keys/x", "DELETE"), ("TRACE", "/organisation", "GET, HEAD, PATCH"),
        ("OPTIONS", "/plans/check", "GET, HEAD, POST, PUT"),
    ):  # fmt: skip
        told = office.ben(method, path)
        assert (told.status_code, told.headers["allow"]) == (405, allowed)
        assert told.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_too_large(office: Office) -> None:
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


def test_the_database_is_down(office: Office, app: FastAPI, engine: Engine) -> None:
    app.state.engine = connect("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    told = office.ben("GET", "/me")
    assert (told.status_code, told.headers["retry-after"]) == (503, "5")
    assert "127.0.0.1" not in told.text
    everybody = Caller(office.client, None)
    everybody.fails(503, "GET", "http://dunning/readyz")
    assert everybody.get("http://dunning/healthz") == {"status": "ok"}
    app.state.engine = engine
    assert everybody.get("http://dunning/readyz")["status"] == "ok"


def test_an_error_of_ours_shows_its_number_and_nothing_else(
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
    for answer in (office.ben("GET", "/me"), office.ben("GET", "/nothing"),
                   office.caller(None)("GET", "/me")):  # fmt: skip
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
    root = office.client.get("/")
    assert (root.status_code, root.headers["location"]) == (307, "/docs")
    assert "swagger" in office.client.get("/docs").text
