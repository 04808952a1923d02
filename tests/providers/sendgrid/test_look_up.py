"""The look-up in SendGrid's Email Logs, by our delivery id."""

from __future__ import annotations

import json
import socket
import threading
import time
from datetime import UTC, datetime

import pytest

from messages.message import Message, Recipient, Role
from providers.port import (
    CannotTell,
    Found,
    LookUp,
    NotFound,
)
from providers.sendgrid.look_up import CANDIDATES
from tests.cast import stand_in as play
from tests.cast.at_sendgrid import KEY, SHORT, account
from tests.cast.letters import email

SINCE = datetime(2025, 3, 4, 8, 30, tzinfo=UTC)
LOST = email().delivery_id


def looked_up(*answers: play.Script, message: Message | None = None) -> tuple[LookUp, play.StandIn]:
    """Look a message up; each request gets the next answer, an unexpected one gets none."""
    waiting = iter(answers)

    def script(peer: socket.socket, closing: threading.Event) -> None:
        next(waiting, play.hang_up)(peer, closing)

    with play.stand_in(script) as provider:
        return account(provider.address).look_up(message or email(), SINCE), provider


def listed(*log_ids: str, subject: str = "Another") -> play.Script:
    messages = [{"sg_message_id": i, "subject": subject, "status": "delivered"} for i in log_ids]
    return play.answer("200 OK", body=json.dumps({"messages": messages}))


def entry(delivery_id: str | None = None, **more: object) -> play.Script:
    args = {} if delivery_id is None else {"custom_args": {"dunning_delivery_id": delivery_id}}
    return play.answer("200 OK", body=json.dumps({"events": [], **args, **more}))


def test_a_message_is_found_by_its_delivery_id() -> None:
    result, provider = looked_up(
        listed("-abc_1.recvd-85ab-1.0", "-abc_2.recvd-85ab-2.0", "third.0"),
        entry("3f0c7b0e-0000-4000-8000-000000000002"),
        entry(LOST),
    )
    assert result == Found("-abc_2")
    (first, asked), (second, _), (third, _) = provider.requests
    assert first.startswith("POST /v3/logs HTTP/1.1\r\n")
    assert f"Authorization: Bearer {KEY}\r\n" in first
    assert asked == {
        "query": 'to_email = "ada@acme.example" AND '
        'sg_message_id_created_at > TIMESTAMP "2025-03-04T08:25:00Z"',
        "limit": CANDIDATES,
    }
    assert second.startswith("GET /v3/logs/-abc_1.recvd-85ab-1.0 HTTP/1.1\r\n")
    assert third.startswith("GET /v3/logs/-abc_2.recvd-85ab-2.0 HTTP/1.1\r\n")


def test_a_message_is_found_by_the_delivery_id_of_its_events() -> None:
    events = [None, {"event": "processed", "custom_args": {"dunning_delivery_id": LOST}}]
    assert looked_up(listed("a.0"), entry(events=events))[0] == Found("a")


def test_an_unknown_message_is_not_found() -> None:
    assert looked_up(listed())[0] == NotFound()
    assert looked_up(listed("a.0"), entry("another"))[0] == NotFound()
    assert looked_up(listed("a.0"), entry())[0] == NotFound(), "another message of the account"


def test_an_address_with_capitals_is_looked_up_in_both_spellings() -> None:
    shouting = email(recipients=(Recipient(Role.TO, "Ada@Acme.example"),))
    result, provider = looked_up(listed(), listed("b.0"), entry(LOST), message=shouting)
    assert result == Found("b")
    queries = [body["query"] for _, body in provider.requests[:2]]
    assert ['"Ada@Acme.example"' in q for q in queries] == [True, False]
    assert ['"ada@acme.example"' in q for q in queries] == [False, True]


@pytest.mark.parametrize("address", ["o'brien@acme.example", "a`b@acme.example"])
def test_an_address_with_a_quote_is_not_looked_up(address: str) -> None:
    result, provider = looked_up(listed(), message=email(recipients=(Recipient(Role.TO, address),)))
    assert isinstance(result, CannotTell)
    assert provider.requests == []


def test_a_similar_message_without_an_id_cannot_tell() -> None:
    """After "not found" the message may be sent again, so it is answered only when certain."""
    same = email().subject
    assert isinstance(looked_up(listed("a.0", subject=same), entry())[0], CannotTell)
    many = [f"m{n}.0" for n in range(CANDIDATES)]
    result, provider = looked_up(listed(*many), *[entry("another")] * CANDIDATES)
    assert isinstance(result, CannotTell)
    assert len(provider.requests) == 1 + CANDIDATES


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (play.silence, "nothing came in time"),
        (play.hang_up, "the connection broke"),
        (play.garbage, "what came was no HTTP"),
        (play.answer("200 OK", body='{"messages"', length=99), "the connection broke"),
        (play.answer("200 OK", body="<html>"), "it could not be read"),
        (play.answer("200 OK", body="[]"), "unknown form"),
        (play.answer("200 OK", body="{}"), "unknown form"),
        (play.answer("200 OK", body='{"messages": [1]}'), "unknown form"),
        (play.answer("200 OK", body='{"messages": [{"sg_message_id": "../key"}]}'), "unknown form"),
        (play.answer("204 No Content"), "unknown form"),
        (play.answer("302 Found", "Location: http://127.0.0.1:1/"), "302"),
        (
            play.answer("400 Bad Request", body='{"errors": [{"message": "bad query"}]}'),
            "bad query",
        ),
        (play.answer("401 Unauthorized"), "refuses the key"),
        (play.answer("403 Forbidden"), "may not read"),
        (play.answer("404 Not Found"), "may not read"),
        (play.answer("429 Too Many Requests"), "rate limit"),
        (play.answer("500 Internal Server Error"), "500"),
    ],
)
def test_a_failed_look_up_cannot_tell_and_has_its_reason(script: play.Script, words: str) -> None:
    result, provider = looked_up(script)
    assert len(provider.requests) == 1, "one attempt"
    assert isinstance(result, CannotTell)
    assert words in result.reason


@pytest.mark.parametrize(
    "script",
    [
        play.hang_up,
        play.answer("200 OK", body="[]"),
        play.answer("403 Forbidden"),
        play.answer("404 Not Found"),
        play.answer("429 Too Many Requests"),
    ],
    ids=["hang-up", "list", "403", "404", "429"],
)
def test_a_look_up_with_one_unreadable_entry_cannot_tell(script: play.Script) -> None:
    result, _ = looked_up(listed("a.0", "b.0"), entry("another"), script)
    assert isinstance(result, CannotTell)


def test_a_look_up_without_a_server_cannot_tell() -> None:
    with play.refusing_port() as address:
        assert isinstance(account(address).look_up(email(), SINCE), CannotTell)


def test_a_slow_look_up_ends_at_the_limit() -> None:
    def slow(peer: socket.socket, closing: threading.Event) -> None:
        closing.wait(0.25)
        entry("another")(peer, closing)

    began = time.monotonic()
    result, provider = looked_up(listed(*(f"m{n}.0" for n in range(15))), *[slow] * 15)
    assert result == CannotTell("SendGrid's Email Logs took too long")
    assert time.monotonic() - began < 7 * SHORT.total_seconds() + 1
    assert len(provider.requests) < 12
