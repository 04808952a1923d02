"""Callbacks: verified, stored byte for byte, answered."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from api.outside.webhooks import Signers
from backoffice.people.vault import Vault
from providers.outbox.callbacks import simulated
from stand_ins.office import Office
from tests.cast.short_links import sms
from tests.cast.signed_callbacks import (
    CALLS,
    PUBLIC,
    SIGNS,
    Sign,
    of_lob,
    of_twilio,
    post,
    stored,
)


def test_a_verified_callback_is_stored_byte_for_byte(
    office: Office, state: Any, subtests: pytest.Subtests
) -> None:
    for provider, path, body in CALLS:
        with subtests.test(path=path):
            headers = {**SIGNS[provider][0](PUBLIC + path, body), "Authorization": "Bearer x"}
            answer = post(office, path, body, headers)
            if provider == "twilio":
                assert (answer.status_code, answer.text) == (200, "<Response/>")
                assert answer.headers["content-type"].startswith("text/xml")
            else:
                assert (answer.status_code, answer.content) == (204, b"")
            (row,) = stored(office)
            assert (row.provider, row.organisation_id, row.url) == (provider, None, PUBLIC + path)
            assert row.body == body
            assert set(row.headers) <= {"content-type", "i-twilio-idempotency-token"}


def test_a_callback_is_only_stored_before_the_answer(office: Office, state: Any) -> None:
    path = sms(office)
    before = office.ben.get(path)
    report = simulated("old-key", "", before["delivery"]["id"], "bounced", datetime.now(UTC))
    answer = post(office, "/webhooks/outbox", report.body, report.headers)
    assert answer.status_code == 204
    assert office.ben.get(path) == before
    assert [row.body for row in stored(office)] == [report.body]


def test_both_keys_of_a_rotation_are_accepted(office: Office, state: Any) -> None:
    for provider, path, body in CALLS:
        for sign, good in zip(SIGNS[provider], (True, True, False), strict=True):
            answer = post(office, path, body, sign(PUBLIC + path, body))
            assert answer.is_success is good, (path, answer.text)
    assert len(stored(office)) == 2 * len(CALLS)
    for key, good in (("old-key", True), ("new-key", True), ("no-key", False)):
        report = simulated(key, "", str(uuid.uuid4()), "opened", datetime.now(UTC))
        answer = post(office, "/webhooks/outbox", report.body, report.headers)
        assert answer.is_success is good


def test_a_wrong_signature_is_refused_and_nothing_is_stored(
    office: Office, state: Any, subtests: pytest.Subtests
) -> None:
    for provider, path, body in CALLS:
        with subtests.test(path=path):
            good = SIGNS[provider][0](PUBLIC + path, body)
            kind = {name: v for name, v in good.items() if name == "Content-Type"}
            empty = {name: v if name in kind else "" for name, v in good.items()}
            garbage = {name: v if name in kind else "é!" for name, v in good.items()}
            altered = body.replace(b"S", b"T").replace(b"x", b"y").replace(b"e", b"f")
            assert altered != body
            for headers, content in (
                (kind, body),
                (empty, body),
                (garbage, body),
                (good, altered),
                (good, b""),
                (SIGNS[provider][2](PUBLIC + path, body), body),
            ):
                raw = {k.encode(): v.encode("latin-1") for k, v in headers.items()}
                answer = office.client.post(path, content=content, headers=raw)
                assert answer.status_code == 401, headers
                assert answer.headers["content-type"] == "application/problem+json"
    report = simulated("old-key", "", "x", "opened", datetime(2025, 3, 4, tzinfo=UTC))
    assert post(office, "/webhooks/outbox", report.body, report.headers).status_code == 401
    assert stored(office) == []


def test_without_a_key_callbacks_are_closed(office: Office, state: Any) -> None:
    state.signers = Signers({"lob": ()}, Vault(), PUBLIC)
    nobody: Sign = of_lob("")
    for provider, path, body in [*CALLS, ("outbox", "/webhooks/outbox", b"{}")]:
        sign = SIGNS[provider][0] if provider in SIGNS else nobody
        answer = post(office, path, body, sign(PUBLIC + path, body))
        assert (answer.status_code, "closed" in answer.text) == (503, True), path
    assert stored(office) == []


def test_the_signed_address_is_the_configured_one(office: Office, state: Any) -> None:
    """Not the one in the headers of a proxy or a caller; byte for byte, with its query."""
    body = b"MessageSid=SM1&Body=x"
    path = "/webhooks/twilio/inbound?a=%C3%A9&b=%2F&c"
    sign = of_twilio("old-token")
    for host in ("dunning.example", "evil.example", "10.0.0.1:8080"):
        more = {"Host": host, "X-Forwarded-Host": host, "X-Forwarded-Proto": "http"}
        answer = post(office, path, body, {**sign(PUBLIC + path, body), **more})
        assert answer.status_code == 200
        for address in (f"https://{host}", f"http://{host}"):
            if address != PUBLIC:
                wrong = {**sign(address + path, body), **more}
                assert post(office, path, body, wrong).status_code == 401
    assert {row.url for row in stored(office)} == {PUBLIC + path}


def test_a_callback_that_is_too_large_is_refused_unread(office: Office, state: Any) -> None:
    path, sign = "/webhooks/lob", SIGNS["lob"][0]
    most = b"x" * 2_000_000
    assert post(office, path, most, {}).status_code == 401  # read whole, and not signed
    more = most + b"x"
    signed = dict(sign(PUBLIC + path, more))
    assert post(office, path, more, signed).status_code == 413
    chunks = iter([most, b"x"])  # without a length in the header
    assert office.client.post(path, content=chunks, headers=signed).status_code == 413
    assert stored(office) == []


def test_only_posts(office: Office, state: Any) -> None:
    for _, path, _ in CALLS:
        assert office.client.get(path).status_code == 405
    assert office.client.post("/webhooks/nobody", content=b"").status_code == 404


def test_a_callback_that_is_no_json_is_stored_for_the_worker(office: Office, state: Any) -> None:
    """The worker reads it later: a provider whose callbacks are refused stops calling."""
    for body in (b"", b"{", b"\x00", json.dumps({"a": "\ud800"}).encode()):
        headers = SIGNS["lob"][1](PUBLIC, body)
        assert post(office, "/webhooks/lob", body, headers).status_code == 204
    assert len(stored(office)) == 4
