"""What SendGrid is told, and what we make of its answers (delivery facts, 4.3)."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import pytest

from channels.port import (
    Accepted,
    Ambiguous,
    Attachment,
    Channel,
    Message,
    NotSent,
    Recipient,
    Rejected,
    Result,
    Role,
)
from channels.sendgrid import SendGrid, request
from dunning.plan import ActionType
from tests.channels import stand_in as play
from tests.channels.letters import ADA, BEN, email

KEY = "SG.not-a-real-key"
TUESDAY_0830 = 1741073400  # 4 March 2025, 08:30 in Paris, as Unix seconds
SHORT = timedelta(milliseconds=300)


def account(address: str) -> SendGrid:
    return SendGrid(KEY, host=address, timeout=SHORT, clock=lambda: TUESDAY_0830)


def sent_to(script: play.Script, message: Message | None = None) -> tuple[Result, play.StandIn]:
    with play.stand_in(script) as provider:
        return account(provider.address).send(message or email()), provider


def test_is_a_channel_that_must_not_send_twice() -> None:
    channel: Channel = SendGrid(KEY)
    assert (channel.name, channel.type, channel.idempotent) == ("sendgrid", ActionType.EMAIL, False)


def test_accepted_with_and_without_an_id() -> None:
    result, provider = sent_to(play.answer("202 Accepted", "X-Message-Id: abc.123"))
    assert result == Accepted("abc.123")
    head, body = provider.requests[0]
    assert head.startswith("POST /v3/mail/send HTTP/1.1\r\n")
    assert f"Authorization: Bearer {KEY}\r\n" in head
    assert body == json.loads(json.dumps(request(email())))
    assert sent_to(play.answer("202 Accepted"))[0] == Accepted("")


def test_the_request_says_all_and_tracks_nothing_unasked() -> None:
    body = request(email(headers=(("X-Dunning", "1"),)))
    assert body["personalizations"] == [
        {
            "to": [{"email": "ada@acme.example", "name": "Ada Byron"}],
            "cc": [{"email": "ben@acme.example", "name": "Ben"}],
            "custom_args": {"dunning_delivery_id": "3f0c7b0e-0000-4000-8000-000000000001"},
        }
    ]
    assert body["from"] == {"email": "sam@amber.example", "name": "Sam"}
    assert body["reply_to"] == {"email": "sam@amber.example"}
    assert [c["type"] for c in body["content"]] == ["text/plain", "text/html"]
    assert body["headers"] == {"X-Dunning": "1"}
    tracking = body["tracking_settings"]
    assert tracking["click_tracking"] == {"enable": False, "enable_text": False}
    assert tracking["subscription_tracking"] == {"enable": False}
    assert tracking["open_tracking"] == {"enable": False}
    asked = request(email(open_tracking=True))
    assert asked["tracking_settings"]["open_tracking"] == {"enable": True}


def test_an_address_stands_once_in_its_most_visible_role() -> None:
    twice = (
        Recipient(Role.BCC, "ben@acme.example"),
        ADA,
        BEN,
        Recipient(Role.TO, "ADA@acme.example"),
        Recipient(Role.CC, "ada@ACME.example"),
    )
    only = request(email(recipients=twice))["personalizations"][0]
    assert [p["email"] for p in only["to"]] == ["ada@acme.example"]
    assert [p["email"] for p in only["cc"]] == ["ben@acme.example"]
    assert "bcc" not in only


def test_an_attachment_is_sent_whole() -> None:
    pdf = Attachment("INV-1.pdf", "application/pdf", b"%PDF-1.7")
    result, provider = sent_to(play.answer("202 Accepted"), email(attachments=(pdf,)))
    assert isinstance(result, Accepted)
    assert provider.requests[0][1]["attachments"] == [
        {
            "content": "JVBERi0xLjc=",
            "filename": "INV-1.pdf",
            "type": "application/pdf",
            "disposition": "attachment",
        }
    ]


def test_refused_connections_are_not_sent() -> None:
    with play.nobody() as address:
        result = account(address).send(email())
    assert isinstance(result, NotSent)
    assert "ConnectionRefusedError" in result.reason


def test_a_connection_that_never_stands_is_not_sent() -> None:
    with play.full_house() as address:
        result = account(address).send(email())
    assert isinstance(result, NotSent)


def test_a_name_that_does_not_resolve_is_not_sent() -> None:
    assert isinstance(account("http://sendgrid.invalid").send(email()), NotSent)


def test_a_server_that_speaks_no_tls_is_not_sent() -> None:
    """The handshake fails before anything of the message, or the key, has left."""
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
def test_after_the_request_left_a_lost_answer_is_ambiguous(script: play.Script) -> None:
    result, provider = sent_to(script)
    assert isinstance(result, Ambiguous)
    assert len(provider.requests) == 1, "one attempt, whatever happens"


def test_a_rate_limit_is_waited_for_as_long_as_it_says() -> None:
    reset = f"X-RateLimit-Reset: {TUESDAY_0830 + 42}"
    result, _ = sent_to(play.answer("429 Too Many Requests", reset))
    assert result == NotSent("SendGrid's rate limit is reached", timedelta(seconds=42))


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (f"X-RateLimit-Reset: {TUESDAY_0830 - 5}", timedelta(seconds=1)),
        (f"X-RateLimit-Reset: {TUESDAY_0830 + 10**6}", timedelta(hours=1)),
        ("Retry-After: 7", timedelta(seconds=7)),
        ("X-RateLimit-Reset: soon", None),
        ("X-RateLimit-Reset: 9999999999999999999999", None),
        ("X-Other: 1", None),
    ],
)
def test_a_rate_limit_with_an_odd_header_is_still_not_sent(
    header: str, wait: timedelta | None
) -> None:
    result, _ = sent_to(play.answer("429 Too Many Requests", header, body="cut", length=99))
    assert isinstance(result, NotSent)
    assert result.retry_after == wait


@pytest.mark.parametrize("code", ["400", "401", "403", "404", "413"])
def test_other_refusals_are_final_and_say_why(code: str) -> None:
    body = '{"errors": [{"message": "The from address is not verified.", "field": "from"}]}'
    result, _ = sent_to(play.answer(f"{code} No", body=body))
    reason = f"SendGrid answered {code}: The from address is not verified. (from)"
    assert result == Rejected(reason, code, recipient_invalid=False)


def test_a_wrong_recipient_is_told_apart() -> None:
    body = (
        '{"errors": [{"message": "Does not contain a valid address.",'
        ' "field": "personalizations.0.to.0.email"}]}'
    )
    result, _ = sent_to(play.answer("400 Bad Request", body=body))
    assert isinstance(result, Rejected)
    assert result.recipient_invalid


@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"errors": null}', '{"errors": [1]}', "\n"])
def test_a_refusal_in_an_unknown_form_is_a_refusal(body: str) -> None:
    result, _ = sent_to(play.answer("400 Bad Request", body=body))
    assert result == Rejected("SendGrid answered 400: no reason given", "400")


def test_a_redirect_is_not_followed_with_the_key_in_hand() -> None:
    with play.stand_in(play.answer("202 Accepted")) as elsewhere:
        result, _ = sent_to(play.answer("302 Found", f"Location: {elsewhere.address}/v3"))
        assert isinstance(result, Rejected)
        assert elsewhere.requests == []


def test_calls_share_nothing() -> None:
    with play.stand_in(play.answer("202 Accepted")) as provider:
        channel = account(provider.address)
        channel.send(email(headers=(("X-Dunning", "1"),)))
        channel.send(email())
    (first, _), (second, body) = provider.requests
    assert first.split("Content-Length")[0] == second.split("Content-Length")[0]
    assert "headers" not in body


def test_the_key_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("python_http_client").setLevel(logging.DEBUG)
        sent_to(play.answer("401 Unauthorized"))
    assert KEY not in caplog.text
    assert KEY not in repr(account("http://127.0.0.1:1"))


@pytest.mark.parametrize("key", ["", "SG.\r\nX: y", "two words", "clé"])
def test_a_key_that_cannot_be_one_is_refused_at_the_start(key: str) -> None:
    with pytest.raises(ValueError):
        SendGrid(key)
