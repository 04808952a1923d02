"""The codec endpoint speaks Temporal's remote codec protocol, to the UI and the command alone."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.fernet import Fernet
from starlette.testclient import TestClient

from activities.codec import codec_app, origins_of

KEY = Fernet.generate_key().decode()
UI = "http://127.0.0.1:8233"


@pytest.fixture
def endpoint() -> TestClient:
    return TestClient(codec_app([KEY], origins_of(UI + "/namespaces/default")))


def plain(text: str = '"a note"') -> dict[str, Any]:
    """A payload as JSON writes it: bytes in base64."""
    encoding = base64.b64encode(b"json/plain").decode()
    return {"metadata": {"encoding": encoding}, "data": base64.b64encode(text.encode()).decode()}


def test_what_it_encrypts_it_decrypts(endpoint: TestClient) -> None:
    payloads = {"payloads": [plain(), plain('"another"')]}
    sealed = endpoint.post("/encode", json=payloads).json()
    encodings = {base64.b64decode(p["metadata"]["encoding"]) for p in sealed["payloads"]}
    assert encodings == {b"binary/encrypted"}
    assert endpoint.post("/decode", json=sealed).json() == payloads


def test_what_is_readable_is_left_as_it_is(endpoint: TestClient) -> None:
    payloads = {"payloads": [plain()]}
    assert endpoint.post("/decode", json=payloads).json() == payloads


@pytest.mark.parametrize("origin", [UI, "http://localhost:8233"])
def test_a_page_of_the_ui_may_read(endpoint: TestClient, origin: str) -> None:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-namespace",
    }
    allowed = endpoint.options("/decode", headers=asked)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == origin
    assert "x-namespace" in allowed.headers["access-control-allow-headers"]
    answer = endpoint.post("/decode", json={"payloads": []}, headers={"Origin": origin})
    assert answer.headers["access-control-allow-origin"] == origin


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:8234"])
def test_any_other_page_is_refused(endpoint: TestClient, origin: str) -> None:
    """The last one is the endpoint's own address, as a rebound name would have it."""
    answer = endpoint.post("/decode", json={"payloads": []}, headers={"Origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "body",
    [b"", b"[1]", b'{"payloads": 1}', b'{"payloads": [{"data": 5}]}', b"\xff", b"[" * 100_000],
)
def test_nonsense_is_refused_with_a_word(endpoint: TestClient, body: bytes) -> None:
    answer = endpoint.post("/decode", content=body)
    assert (answer.status_code, answer.text[:17]) == (400, 'send {"payloads":')


def test_another_key_does_not_open_it(endpoint: TestClient) -> None:
    other = TestClient(codec_app([Fernet.generate_key().decode()], []))
    sealed = other.post("/encode", json={"payloads": [plain()]}).json()
    answer = endpoint.post("/decode", json=sealed)
    assert (answer.status_code, answer.text) == (
        400,
        "none of DUNNING_TEMPORAL_KEYS opens this\n",
    )


def test_a_body_without_end_is_not_kept(endpoint: TestClient) -> None:
    assert endpoint.post("/decode", content=b"x" * 32_000_001).status_code == 413
