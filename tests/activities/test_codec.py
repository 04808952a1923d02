"""The codec endpoint: Temporal's remote codec protocol, for the UI and the command alone."""

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


def test_encoded_payloads_decode_to_the_original(endpoint: TestClient) -> None:
    payloads = {"payloads": [plain(), plain('"another"')]}
    sealed = endpoint.post("/encode", json=payloads).json()
    encodings = {base64.b64decode(p["metadata"]["encoding"]) for p in sealed["payloads"]}
    assert encodings == {b"binary/encrypted"}
    assert endpoint.post("/decode", json=sealed).json() == payloads


def test_decoding_leaves_plain_payloads_as_they_are(endpoint: TestClient) -> None:
    payloads = {"payloads": [plain()]}
    assert endpoint.post("/decode", json=payloads).json() == payloads


@pytest.mark.parametrize("origin", [UI, "http://localhost:8233"])
def test_a_page_of_the_temporal_ui_may_read_the_answer(endpoint: TestClient, origin: str) -> None:
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
def test_a_page_of_any_other_origin_is_refused(endpoint: TestClient, origin: str) -> None:
    """The last one is the endpoint's own address, as in DNS rebinding."""
    answer = endpoint.post("/decode", json={"payloads": []}, headers={"Origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "body",
    [b"", b"[1]", b'{"payloads": 1}', b'{"payloads": [{"data": 5}]}', b"\xff", b"[" * 100_000],
)
def test_a_malformed_body_is_answered_with_an_example(endpoint: TestClient, body: bytes) -> None:
    answer = endpoint.post("/decode", content=body)
    assert (answer.status_code, answer.text[:17]) == (400, 'send {"payloads":')


def test_payloads_of_another_key_are_refused(endpoint: TestClient) -> None:
    other = TestClient(codec_app([Fernet.generate_key().decode()], []))
    sealed = other.post("/encode", json={"payloads": [plain()]}).json()
    answer = endpoint.post("/decode", json=sealed)
    assert (answer.status_code, answer.text) == (
        400,
        "none of DUNNING_TEMPORAL_KEYS opens this\n",
    )


def test_a_body_over_the_limit_is_refused(endpoint: TestClient) -> None:
    assert endpoint.post("/decode", content=b"x" * 32_000_001).status_code == 413
