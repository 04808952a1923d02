"""What SendGrid is told, and what we make of its answers (delivery facts, 4.3)."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from dunning.plan import ActionType
from messages.message import Attachment, Message, Recipient, Role
from providers.port import (
    Accepted,
    Ambiguous,
    CannotTell,
    Channel,
    Found,
    LooksUp,
    LookUp,
    NotFound,
    NotSent,
    Rejected,
    Result,
)
from providers.sendgrid.account import HOST, SendGridAccount
from providers.sendgrid.look_up import CANDIDATES
from providers.sendgrid.reply_address import reference_in, reply_address
from providers.sendgrid.request import request
from providers.sendgrid.send import SendGrid
from tests.cast import stand_in as play
from tests.cast.letters import ADA, BEN, email

KEY = "SG.not-a-real-key"
TUESDAY_0830 = 1741073400  # 4 March 2025, 08:30 in Paris, as Unix seconds
SHORT = timedelta(milliseconds=300)


def account(address: str) -> SendGrid:
    return SendGrid(
        SendGridAccount(KEY, host=address),
        timeout=SHORT,
        limit=2 * SHORT,
        clock=lambda: TUESDAY_0830,
    )


def sent_to(script: play.Script, message: Message | None = None) -> tuple[Result, play.StandIn]:
    with play.stand_in(script) as provider:
        return account(provider.address).send(message or email()), provider


def test_is_a_channel_that_must_not_send_twice() -> None:
    channel: Channel = SendGrid(SendGridAccount(KEY))
    assert (channel.name, channel.type, channel.idempotent) == ("sendgrid", ActionType.EMAIL, False)
    assert isinstance(channel, LooksUp)
    assert SendGridAccount(KEY).host == HOST


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
    assert result.reason == "SendGrid was not reached: the connection was refused"


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


@pytest.mark.parametrize("code", ["400", "413", "422"])
def test_other_refusals_are_final_and_say_why(code: str) -> None:
    body = '{"errors": [{"message": "The from address is not verified.", "field": "from"}]}'
    result, _ = sent_to(play.answer(f"{code} No", body=body))
    reason = f"SendGrid answered {code}: The from address is not verified. (from)"
    assert result == Rejected(reason, code, recipient_invalid=False)


def test_a_refused_key_holds_the_channel_and_is_nobodys_task() -> None:
    body = '{"errors": [{"message": "The provided authorization grant is invalid"}]}'
    result, _ = sent_to(play.answer("401 Unauthorized", body=body))
    assert result == NotSent(
        "SendGrid refuses the key: The provided authorization grant is invalid",
        holds_channel=True,
    )


@pytest.mark.parametrize("status", ["402", "403", "404", "405", "406", "415", "451"])
def test_a_refusal_that_is_not_about_the_message_holds_the_channel(status: str) -> None:
    """Its page on responses: 403 is also "temporarily blocked from sending"."""
    body = '{"errors": [{"message": "You are temporarily blocked from sending emails"}]}'
    result, _ = sent_to(play.answer(f"{status} No", body=body))
    assert result == NotSent(
        f"SendGrid answered {status}: You are temporarily blocked from sending emails",
        holds_channel=True,
    )


@pytest.mark.parametrize("status", ["300", "301", "302", "303", "304", "305", "307", "308"])
@pytest.mark.parametrize("location", ["http://127.0.0.1:1/", "http://[::1", ""])
def test_every_redirect_holds_the_channel(status: str, location: str) -> None:
    headers = (f"Location: {location}",) if location else ()
    result, provider = sent_to(play.answer(f"{status} No", *headers))
    assert isinstance(result, NotSent)
    assert result.holds_channel
    assert result.reason == f"SendGrid's address sends us elsewhere ({status}): is its host right?"
    assert len(provider.requests) == 1


def test_an_unknown_sender_is_refused_with_what_to_do() -> None:
    text = "The from address does not match a verified Sender Identity."
    body = json.dumps({"errors": [{"message": text, "field": "from"}]})
    result, _ = sent_to(play.answer("403 Forbidden", body=body))
    assert isinstance(result, Rejected)
    assert result.reason.startswith("the sender's domain must be authenticated at SendGrid first; ")
    assert text in result.reason
    assert not result.recipient_invalid


def test_a_wrong_recipient_is_told_apart() -> None:
    body = (
        '{"errors": [{"message": "Does not contain a valid address.",'
        ' "field": "personalizations.0.to.0.email"}]}'
    )
    result, _ = sent_to(play.answer("400 Bad Request", body=body))
    assert isinstance(result, Rejected)
    assert result.recipient_invalid


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("The name must be a string.", "personalizations.0.to.0.name"),
        ("The email parameter is required.", "personalizations.0.to.0.email"),
        ("Does not contain a valid address.", "from.email"),
        ("The subject is required.", "subject"),
    ],
)
def test_an_address_is_not_invalid_for_a_mistake_of_ours(said: str, part: str) -> None:
    body = json.dumps({"errors": [{"message": said, "field": part}]})
    result, _ = sent_to(play.answer("400 Bad Request", body=body))
    assert isinstance(result, Rejected)
    assert not result.recipient_invalid


def test_a_domain_in_other_letters_goes_out_as_ascii() -> None:
    here = Recipient(Role.TO, "ada@bücher.example", "Ada")
    twice = Recipient(Role.CC, "ada@xn--bcher-kva.example")
    sent = request(email(recipients=(here, twice), sender_address="sam@größe.example"))
    assert sent["personalizations"][0]["to"] == [
        {"email": "ada@xn--bcher-kva.example", "name": "Ada"}
    ]
    assert "cc" not in sent["personalizations"][0], "one address in two spellings is one"
    assert sent["from"]["email"] == "sam@xn--gre-6ka8i.example"


def test_an_address_that_cannot_go_out_is_refused_before_the_call() -> None:
    result, provider = sent_to(
        play.answer("202 Accepted"), email(sender_address="sam..s@amber.example")
    )
    why = "a dot stands first, last or twice before the @"
    assert result == Rejected(f"'sam..s@amber.example' is no email address: {why}", "address")
    assert provider.requests == []


def test_an_empty_html_part_is_left_out() -> None:
    assert [c["type"] for c in request(email(html=" \n"))["content"]] == ["text/plain"]


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (play.dribble(b"HTTP/1.1 202 Accepted\r\nX-Message-Id: "), Ambiguous),
        (play.dribble(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100000\r\n\r\n"), Ambiguous),
        (play.dribble(b"HTTP/1.1 429 No\r\nContent-Length: 100000\r\n\r\n"), NotSent),
    ],
    ids=["in-the-head", "in-the-body", "after-429"],
)
def test_an_answer_that_dribbles_ends_at_the_limit(script: play.Script, kind: type) -> None:
    began = time.monotonic()
    result, _ = sent_to(script)
    assert isinstance(result, kind)
    assert time.monotonic() - began < 2 * SHORT.total_seconds() + 0.5


@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"errors": null}', '{"errors": [1]}', "\n"])
def test_a_refusal_in_an_unknown_form_is_a_refusal(body: str) -> None:
    result, _ = sent_to(play.answer("400 Bad Request", body=body))
    assert result == Rejected("SendGrid answered 400: no reason given", "400")


def test_a_redirect_is_not_followed_with_the_key_in_hand() -> None:
    with play.stand_in(play.answer("202 Accepted")) as elsewhere:
        sent_to(play.answer("302 Found", f"Location: {elsewhere.address}/v3"))
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
    assert KEY not in repr(SendGridAccount(KEY, webhook_keys=("public",)))


@pytest.mark.parametrize("key", ["", "SG.\r\nX: y", "two words", "clé"])
def test_a_key_that_cannot_be_one_is_refused_at_the_start(key: str) -> None:
    with pytest.raises(ValueError):
        SendGridAccount(key)


def test_a_host_or_a_domain_that_is_none_is_refused_at_the_start() -> None:
    for wrong in ({"host": "api.sendgrid.com"}, {"inbound_domain": "a@b.example"}):
        with pytest.raises(ValueError):
            SendGridAccount(KEY, **wrong)  # type: ignore[arg-type]


def test_with_an_inbound_domain_replies_come_to_us() -> None:
    with play.stand_in(play.answer("202 Accepted")) as provider:
        ours = SendGridAccount(KEY, host=provider.address, inbound_domain="in.amber.example")
        SendGrid(ours, timeout=SHORT).send(email(reply_to=""))
    reply_to = provider.requests[0][1]["reply_to"]
    assert reply_to == {"email": f"reply+{email().delivery_id}@in.amber.example"}
    assert reference_in(reply_to["email"]) == email().delivery_id


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("{}", True),
        ("Amber & Sons <{}>", True),
        ('"x" <sam@amber.example>, {}', True),
        ("no{}", False),
        ("no-{}", False),
        ("sam@amber.example", False),
        ("reply+17@in.amber.example", False),
        ("", False),
    ],
)
def test_a_reply_address_is_found_wherever_it_stands(address: str, found: bool) -> None:
    delivery_id = email().delivery_id
    ours = reply_address(delivery_id, "in.amber.example")
    assert reference_in(address.format(ours)) == (delivery_id if found else "")
    assert reference_in(address.format(ours).upper()) == (delivery_id if found else "")


SINCE = datetime(2025, 3, 4, 8, 30, tzinfo=UTC)
LOST = email().delivery_id


def looked_up(*answers: play.Script, message: Message | None = None) -> tuple[LookUp, play.StandIn]:
    """Each request gets the next answer; one more than expected gets none."""
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


def test_a_lost_answer_is_found_by_the_delivery_id() -> None:
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


def test_the_delivery_id_may_stand_with_an_event() -> None:
    events = [None, {"event": "processed", "custom_args": {"dunning_delivery_id": LOST}}]
    assert looked_up(listed("a.0"), entry(events=events))[0] == Found("a")


def test_what_the_provider_does_not_have_is_not_found() -> None:
    assert looked_up(listed())[0] == NotFound()
    assert looked_up(listed("a.0"), entry("another"))[0] == NotFound()
    assert looked_up(listed("a.0"), entry())[0] == NotFound(), "another message of the account"


def test_an_address_in_capitals_is_asked_for_in_both_spellings() -> None:
    shouting = email(recipients=(Recipient(Role.TO, "Ada@Acme.example"),))
    result, provider = looked_up(listed(), listed("b.0"), entry(LOST), message=shouting)
    assert result == Found("b")
    queries = [body["query"] for _, body in provider.requests[:2]]
    assert ['"Ada@Acme.example"' in q for q in queries] == [True, False]
    assert ['"ada@acme.example"' in q for q in queries] == [False, True]


@pytest.mark.parametrize("address", ["o'brien@acme.example", "a`b@acme.example"])
def test_an_address_with_a_quote_is_not_asked_about(address: str) -> None:
    result, provider = looked_up(listed(), message=email(recipients=(Recipient(Role.TO, address),)))
    assert isinstance(result, CannotTell)
    assert provider.requests == []


def test_what_cannot_be_told_apart_is_not_called_missing() -> None:
    """Not found may be sent again, so that it is never said for want of knowing."""
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
def test_a_failed_look_up_cannot_tell_and_says_why(script: play.Script, words: str) -> None:
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
def test_one_message_that_cannot_be_opened_leaves_it_open(script: play.Script) -> None:
    result, _ = looked_up(listed("a.0", "b.0"), entry("another"), script)
    assert isinstance(result, CannotTell)


def test_a_look_up_at_nobody_cannot_tell() -> None:
    with play.nobody() as address:
        assert isinstance(account(address).look_up(email(), SINCE), CannotTell)


def test_a_slow_look_up_ends() -> None:
    def slow(peer: socket.socket, closing: threading.Event) -> None:
        closing.wait(0.25)
        entry("another")(peer, closing)

    began = time.monotonic()
    result, provider = looked_up(listed(*(f"m{n}.0" for n in range(15))), *[slow] * 15)
    assert result == CannotTell("SendGrid's Email Logs took too long")
    assert time.monotonic() - began < 7 * SHORT.total_seconds() + 1
    assert len(provider.requests) < 12
