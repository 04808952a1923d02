"""How many bytes of a callback's body are read before it is refused."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from fastapi import FastAPI

from api.outside.webhooks import Signers
from stand_ins.office import Office

pytestmark = pytest.mark.services

CHUNK = 100_000
#: Of an organisation or a delivery that does not exist; always the same, as names of tests are.
ID = uuid.UUID(int=1)
ALL = (
    "/webhooks/sendgrid",
    "/webhooks/sendgrid/inbound",
    "/webhooks/twilio/inbound",
    f"/webhooks/twilio/status/{ID}",
    "/webhooks/lob",
    "/webhooks/outbox",
    *(
        f"/webhooks/{p}"
        for p in (f"sendgrid/{ID}", f"sendgrid/{ID}/inbound", f"twilio/{ID}/inbound", f"lob/{ID}")
    ),
)
KEYS = {"sendgrid": ("k",), "twilio": ("k",), "lob": ("k",), "outbox": ("k",)}


async def post(app: FastAPI, path: str, length: int | None) -> tuple[int, dict[str, str], int]:
    """Status, headers and how many bytes were asked for. The body never ends."""
    asked = 0
    answers: list[Any] = []

    async def receive() -> dict[str, Any]:
        nonlocal asked
        asked += CHUNK
        assert asked < 50_000_000, "it is read for ever"
        return {"type": "http.request", "body": b"x" * CHUNK, "more_body": True}

    async def send(message: Any) -> None:
        answers.append(message)

    headers = [(b"content-type", b"application/json"), (b"host", b"dunning")]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("x", 80),
        "state": {},
    }
    await app(scope, receive, send)
    found = {name.decode(): value.decode() for name, value in answers[0]["headers"]}
    return answers[0]["status"], found, asked


@pytest.mark.parametrize("path", ALL)
async def test_without_a_key_nothing_of_the_body_is_read(
    office: Office, app: FastAPI, path: str
) -> None:
    app.state.signers = Signers()
    status, headers, asked = await post(app, path, 1_000)
    assert (status, asked) == (503, 0)
    assert headers["connection"] == "close"  # or the server would read the body to throw it away


@pytest.mark.parametrize("path", ALL)
async def test_a_body_that_says_it_is_too_large_is_refused_unread(
    office: Office, app: FastAPI, path: str
) -> None:
    app.state.signers = Signers(keys=KEYS)
    status, headers, asked = await post(app, path, 31_000_001)
    assert (status, asked) == (413, 0)
    assert headers["connection"] == "close"


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/webhooks/sendgrid", 2_000_000),
        ("/webhooks/twilio/inbound", 2_000_000),
        ("/webhooks/lob", 2_000_000),
        ("/webhooks/outbox", 2_000_000),
        ("/webhooks/sendgrid/inbound", 31_000_000),  # an email, with what is attached to it
    ],
)
async def test_a_body_without_a_length_is_counted_while_it_comes(
    office: Office, app: FastAPI, path: str, limit: int
) -> None:
    app.state.signers = Signers(keys=KEYS)
    status, headers, asked = await post(app, path, None)
    assert status == 413
    assert limit < asked <= limit + CHUNK
    assert headers["connection"] == "close"
