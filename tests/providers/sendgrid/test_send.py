"""Sending by SendGrid: one attempt; a lost answer is ambiguous."""

from __future__ import annotations

import json
import logging
import time

import pytest

from dunning.plan import ActionType
from providers.port import (
    Accepted,
    Ambiguous,
    Channel,
    LooksUp,
    NotSent,
)
from providers.sendgrid.account import HOST, SendGridAccount
from providers.sendgrid.request import request
from providers.sendgrid.send import SendGrid
from tests.cast import stand_in as play
from tests.cast.at_sendgrid import KEY, SHORT, account, sent_to
from tests.cast.letters import email


def test_sendgrid_is_not_idempotent_and_has_a_look_up() -> None:
    channel: Channel = SendGrid(SendGridAccount(KEY))
    assert (channel.name, channel.type, channel.idempotent) == ("sendgrid", ActionType.EMAIL, False)
    assert isinstance(channel, LooksUp)
    assert SendGridAccount(KEY).host == HOST


def test_a_message_is_accepted_with_and_without_an_id() -> None:
    result, provider = sent_to(play.answer("202 Accepted", "X-Message-Id: abc.123"))
    assert result == Accepted("abc.123")
    head, body = provider.requests[0]
    assert head.startswith("POST /v3/mail/send HTTP/1.1\r\n")
    assert f"Authorization: Bearer {KEY}\r\n" in head
    assert body == json.loads(json.dumps(request(email())))
    assert sent_to(play.answer("202 Accepted"))[0] == Accepted("")


def test_a_refused_connection_is_not_sent() -> None:
    with play.refusing_port() as address:
        result = account(address).send(email())
    assert isinstance(result, NotSent)
    assert result.reason == "SendGrid was not reached: the connection was refused"


def test_a_connection_that_times_out_is_not_sent() -> None:
    with play.full_backlog() as address:
        result = account(address).send(email())
    assert isinstance(result, NotSent)


def test_a_name_that_does_not_resolve_is_not_sent() -> None:
    assert isinstance(account("http://sendgrid.invalid").send(email()), NotSent)


def test_a_server_without_tls_is_not_sent() -> None:
    """The handshake fails before any byte of the message or the key is sent."""
    with play.stand_in(play.hang_up) as provider:
        result = account(provider.address.replace("http:", "https:")).send(email())
    assert isinstance(result, NotSent)


@pytest.mark.parametrize(
    "script",
    [
        play.silence,
        play.hang_up,
        play.reset,
        play.garbage,
        play.answer("202 Accepted", body="{", length=1000),
        play.answer("200 OK"),
        play.answer("408 Request Timeout"),
        play.answer("500 Internal Server Error"),
        play.answer("502 Bad Gateway", body="<html>"),
        play.answer("503 Service Unavailable", body="cut", length=1000),
    ],
    ids=["silence", "hang-up", "reset", "garbage", "cut", "200", "408", "500", "502", "503-cut"],
)
def test_an_answer_lost_after_the_request_left_is_ambiguous(script: play.Script) -> None:
    result, provider = sent_to(script)
    assert isinstance(result, Ambiguous)
    assert len(provider.requests) == 1, "there must be one attempt only"


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (play.dribble(b"HTTP/1.1 202 Accepted\r\nX-Message-Id: "), Ambiguous),
        (play.dribble(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100000\r\n\r\n"), Ambiguous),
        (play.dribble(b"HTTP/1.1 429 No\r\nContent-Length: 100000\r\n\r\n"), NotSent),
    ],
    ids=["in-the-head", "in-the-body", "after-429"],
)
def test_a_slow_answer_ends_at_the_limit(script: play.Script, kind: type) -> None:
    began = time.monotonic()
    result, _ = sent_to(script)
    assert isinstance(result, kind)
    assert time.monotonic() - began < 2 * SHORT.total_seconds() + 0.5


def test_a_redirect_is_not_followed() -> None:
    with play.stand_in(play.answer("202 Accepted")) as elsewhere:
        sent_to(play.answer("302 Found", f"Location: {elsewhere.address}/v3"))
        assert elsewhere.requests == []


def test_calls_share_no_headers() -> None:
    with play.stand_in(play.answer("202 Accepted")) as provider:
        channel = account(provider.address)
        channel.send(email(headers=(("X-Dunning", "1"),)))
        channel.send(email())
    (first, _), (second, body) = provider.requests
    assert first.split("Content-Length")[0] == second.split("Content-Length")[0]
    assert "headers" not in body


def test_the_api_key_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("python_http_client").setLevel(logging.DEBUG)
        sent_to(play.answer("401 Unauthorized"))
    assert KEY not in caplog.text
    assert KEY not in repr(account("http://127.0.0.1:1"))
    assert KEY not in repr(SendGridAccount(KEY, webhook_keys=("public",)))
