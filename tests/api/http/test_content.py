"""Invalid content is refused with the place and the reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stand_ins.office import Office, acme_body, invoice_body, payment_body

CUSTOMERS: list[tuple[dict[str, Any], str]] = [
    ({"name": None}, "/name"),
    ({"name": ""}, "/name"),
    ({"name": "  "}, "/name"),
    ({"name": "a\x00b"}, "/name"),
    ({"name": "a\nb"}, "/name"),
    ({"name": "\ud800"}, "/name"),
    ({"name": "x" * 201}, "/name"),
    ({"name": 5}, "/name"),
    ({"name": ["x"]}, "/name"),
    ({"terms_days": -1}, "/terms_days"),
    ({"terms_days": "30"}, "/terms_days"),
    ({"terms_days": 10**400}, "/terms_days"),
    ({"terms_days": 30.5}, "/terms_days"),
    ({"terms_days": True}, "/terms_days"),
    ({"language": "french please"}, "/language"),
    ({"country": "France"}, "/country"),
    ({"contacts": {}}, "/contacts"),
    ({"contacts": [{"email": "a@b"}]}, "/contacts/0/email"),
    ({"contacts": [{"email": "a@b.example\nBcc: c@d.example"}]}, "/contacts/0/email"),
    ({"contacts": [{"phone": "call me"}]}, "/contacts/0/phone"),
    ({"contacts": [{"postal": {"street": "x"}}]}, "/contacts/0/postal/street"),
    ({"contacts": [{}, {"e/m~ail": "x"}]}, "/contacts/1/e~1m~0ail"),
    ({"contacts": [{}] * 101}, "/contacts"),
    ({"contacts": [{"external_id": ""}]}, "/contacts/0/external_id"),
    ({"contacts": [{"external_id": "2"}, {"external_id": "2"}]}, "/contacts"),
    ({"source_updated_at": "2025-03-04T10:00:00"}, "/source_updated_at"),
    ({"source_updated_at": "2025-03-04"}, "/source_updated_at"),
    ({"source_updated_at": 1741078800}, "/source_updated_at"),
    ({"source_updated_at": "1741078800"}, "/source_updated_at"),
    ({"source_updated_at": "0001-01-01T00:00:00+14:00"}, "/source_updated_at"),
    ({"source_updated_at": "9999-12-31T23:59:59-14:00"}, "/source_updated_at"),
    ({"nmae": "x"}, "/nmae"),
    ({"\ud800": "x"}, ""),
]


def test_invalid_customers_are_refused_with_place_and_reason(
    office: Office, subtests: pytest.Subtests
) -> None:
    for change, where in CUSTOMERS:
        with subtests.test(change=str(change)[:60]):
            told = refused(office, "/customers/C-1", acme_body(**change))
            assert [e["where"] for e in told["errors"]] == [where]


INVOICES: list[tuple[dict[str, Any], str]] = [
    ({"total": 100}, "/total"),
    ({"total": 100.5}, "/total"),
    ({"total": "1e5"}, "/total"),
    ({"total": "NaN"}, "/total"),
    ({"total": "Infinity"}, "/total"),
    ({"total": "-5.00"}, "/total"),
    ({"total": float("nan")}, "/total"),
    ({"total": "1" * 16}, "/total"),
    ({"total": ""}, "/total"),
    ({"total": "1.23456"}, "/total"),
    ({"total": "1.001"}, "/total"),
    ({"total": "1,00"}, "/total"),
    ({"total": " 1.00"}, "/total"),
    ({"total": "１.00"}, "/total"),
    ({"total": None}, "/total"),
    ({"currency": "eur"}, "/currency"),
    ({"currency": "XXX"}, "/currency"),
    ({"currency": "EURO"}, "/currency"),
    ({"currency": ["EUR"]}, "/currency"),
    ({"issued_on": "2025-02-30"}, "/issued_on"),
    ({"issued_on": 0}, "/issued_on"),
    ({"issued_on": "01/02/2025"}, "/issued_on"),
    ({"issued_on": "20250201"}, "/issued_on"),
    ({"issued_on": "2025-02-01T00:00:00"}, "/issued_on"),
    ({"issued_on": None}, "/issued_on"),
    ({"issued_on": "0001-01-01"}, "/issued_on"),
    ({"due_on": "9999-12-31"}, "/due_on"),
    ({"number": ""}, "/number"),
    ({"number": "a\rb"}, "/number"),
    ({"customer": ""}, "/customer"),
    ({"customer": "\x00"}, "/customer"),
    ({"customer": None}, "/customer"),
    ({"balance": "1.00"}, "/balance"),
    ({"url": "javascript:alert(1)"}, "/url"),
    ({"url": "//evil.example"}, "/url"),
    ({"url": "ftp://pay.example/1"}, "/url"),
    ({"url": "https://"}, "/url"),
    ({"url": "https:///1"}, "/url"),
    ({"url": "https://you@evil.example"}, "/url"),
    ({"url": "https://pay.example/a b"}, "/url"),
    ({"url": "https://pay.example/\r\nX: y"}, "/url"),
    ({"url": "https://pay.example\\@evil.example"}, "/url"),
    ({"url": 5}, "/url"),
    ({"url": "https://pay.example/\x00"}, "/url"),
    ({"url": " https://pay.example"}, "/url"),
    ({"url": "https://pay.example/" + "x" * 1981}, "/url"),
    ({"url": "/invoices/1"}, "/url"),
]


def test_invalid_invoices_are_refused_with_place_and_reason(
    office: Office, subtests: pytest.Subtests
) -> None:
    for change, where in INVOICES:
        with subtests.test(change=str(change)[:60]):
            told = refused(office, "/invoices/INV-1", invoice_body(**change))
            assert [e["where"] for e in told["errors"]] == [where]


PAYMENTS: list[tuple[dict[str, Any], str]] = [
    ({"amount": "0"}, "/amount"),
    ({"amount": "-1.00"}, "/amount"),
    ({"amount": 5}, "/amount"),
    ({"applied": [{"invoice": "INV-1", "amount": "0.00"}]}, "/applied/0/amount"),
    ({"applied": [{"invoice": "INV-1"}]}, "/applied/0/amount"),
    ({"applied": [{"invoice": "INV-1", "amount": "1.001"}]}, "/applied"),
    ({"applied": {"INV-1": "1.00"}}, "/applied"),
    ({"paid_on": "yesterday"}, "/paid_on"),
]


def test_invalid_payments_are_refused_with_place_and_reason(
    office: Office, subtests: pytest.Subtests
) -> None:
    for change, where in PAYMENTS:
        with subtests.test(change=str(change)[:60]):
            told = refused(office, "/payments/P-1", payment_body(**{"applied": [], **change}))
            assert [e["where"] for e in told["errors"]] == [where]


def refused(office: Office, path: str, body: Any) -> dict[str, Any]:
    """Answered with 422. Sent as bytes: the JSON encoder of the client would refuse some of it."""
    content = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    told: dict[str, Any] = office.billing.fails(422, "PUT", path, content=content, headers=headers)
    assert all(e["reason"] and "\n" not in e["where"] for e in told["errors"])
    return told


ADDRESSES = [
    "/customers/a%00b",
    "/customers/%0A",
    "/invoices/" + "x" * 201,
    "/actions/1",
    "/customers?limit=0",
    "/customers?limit=201",
    "/customers?limit=-1",
    "/customers?limit=99999999999999999999",
    "/customers?limit=x",
    "/customers?cursor=%00",
    "/customers?cursor=ä",
    "/customers?cursor=AAAA",
    "/customers?cursor=!",
    "/customers?name=%00",
    "/actions?cursor=Zm9v",
    "/actions?cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5",
    "/actions?status=x",
    "/actions?automatic=perhaps",
    "/customers/C-1/timeline?cursor=LTE",
    "/outbox?limit=1e3",
    "/outbox/1",
    "/outbox?cursor=x",
    "/invoices?due_before=0",
    "/invoices?due_before=2025-02-30",
    "/plans/%00",
    "/customers/..%2F..%2Fetc",
    "/invoices/%F0%9F%92%A9",
]


def test_invalid_addresses_are_refused_with_place_and_reason(
    office: Office, subtests: pytest.Subtests
) -> None:
    office.acme()
    for path in ADDRESSES:
        with subtests.test(path=path[:60]):
            answer = office.ben("GET", path)
            assert answer.status_code in (404, 422), answer.text
            assert answer.headers["content-type"] == "application/problem+json"
