"""Sending by Lob: one attempt under an idempotency key; a lost answer is ambiguous."""

from __future__ import annotations

import logging
import time

import pytest

from dunning.plan import ActionType
from messages.letter.paper import Paper
from messages.letter.pdf import pdf
from providers.lob.send import Lob
from providers.port import (
    Accepted,
    Ambiguous,
    Channel,
    LooksUp,
    NotSent,
)
from tests.cast import stand_in as play
from tests.cast.at_lob import (
    KEY,
    OK,
    OURS,
    account,
    channel,
    error,
    letter,
    lob_server,
    sent_to,
)


def test_lob_is_idempotent_and_has_a_look_up() -> None:
    lobs: Channel = Lob(account())
    assert (lobs.name, lobs.type, lobs.idempotent) == ("lob", ActionType.LETTER, True)
    assert isinstance(lobs, LooksUp)


def test_the_request_has_the_letter_its_fields_and_its_idempotency_key() -> None:
    result, provider = sent_to(play.answer("200 OK", body=OK))
    assert result == Accepted("ltr_1")
    head, _ = provider.requests[0]
    assert head.startswith("POST /v1/letters HTTP/1.1\r\n")
    assert f"Idempotency-Key: {OURS}\r\n" in head
    assert (
        "Authorization: Basic dGVzdF9ub3QtYS1yZWFsLWtleTo=\r\n" in head
    )  # the API key and a colon
    form = provider.form()
    assert form.pop("file") == pdf(letter(), Paper.US_LETTER)
    assert {name: value.decode() for name, value in form.items()} == {
        "to[name]": "Ada Byron",
        "to[address_line1]": "210 King St",
        "to[address_city]": "San Francisco",
        "to[address_state]": "CA",
        "to[address_zip]": "94107",
        "to[address_country]": "US",
        "from[name]": "Amber & Sons",
        "from[address_line1]": "1 Amber Street",
        "from[address_line2]": "Suite 2",
        "from[address_city]": "San Francisco",
        "from[address_state]": "CA",
        "from[address_zip]": "94107",
        "from[address_country]": "US",
        "color": "false",
        "use_type": "operational",
        "mail_type": "usps_first_class",
        "address_placement": "top_first_page",
        "double_sided": "true",
        "metadata[dunning_delivery_id]": OURS,
        "metadata[dunning_organisation_id]": "amber",
    }


def test_a_second_send_repeats_the_request_and_its_idempotency_key() -> None:
    with lob_server(play.answer("200 OK", body=OK)) as provider:
        lobs = channel(provider.address)
        lobs.send(letter())
        first = provider.form()
        lobs.send(letter())
        assert provider.form() == first
    keys = [head.split("Idempotency-Key: ")[1].split("\r\n")[0] for head, _ in provider.requests]
    assert keys == [OURS, OURS]


@pytest.mark.parametrize(
    "script",
    [
        play.answer("200 OK", body='{"id": ', length=1000),
        play.answer("200 OK", body="<html>"),
        play.answer("200 OK", body='["ltr_1"]'),
        play.answer("200 OK", body='{"id": 7}'),
        play.answer("200 OK", body='{"id": ""}'),
        play.answer("200 OK", body="[" * 100_000),
        play.answer("200 OK"),
    ],
    ids=["cut", "html", "list", "number", "no-id", "deep", "empty"],
)
def test_a_success_without_the_id_of_a_letter_is_ambiguous(script: play.Script) -> None:
    """The letter is then looked up by its metadata, and retried under the same key."""
    assert sent_to(script)[0] == Ambiguous("Lob answered 200 without the id of a letter")


def test_a_success_with_fields_unknown_to_the_library_is_accepted() -> None:
    assert sent_to(play.answer("201 Created", body=OK))[0] == Accepted("ltr_1")


@pytest.mark.parametrize(
    "script",
    [
        play.silence,
        play.hang_up,
        play.reset,
        play.garbage,
        play.answer("408 Request Timeout"),
        play.answer("409 Conflict", body="<html>"),
        play.answer("422 Unprocessable", body=error("in progress", "conflict")),
        play.answer("500 Internal Server Error", body=error("oh", "internal_server_error")),
        play.answer("502 Bad Gateway", body="<html>"),
        play.answer("503 Service Unavailable", "Retry-After: 0", body="cut", length=1000),
    ],
    ids=["silence", "hang-up", "reset", "garbage", "408", "409", "422", "500", "502", "503-cut"],
)
def test_an_answer_lost_after_the_request_left_is_ambiguous(script: play.Script) -> None:
    result, provider = sent_to(script)
    assert isinstance(result, Ambiguous)
    assert len(provider.requests) == 1, "there must be one attempt only"


def test_a_request_that_never_reached_lob_is_not_sent() -> None:
    with play.refusing_port() as refused, play.full_backlog() as full:
        for host in (refused, full, "http://lob.invalid/v1"):
            assert isinstance(channel(host).send(letter()), NotSent), host


def test_a_server_without_tls_is_not_sent() -> None:
    """The handshake fails before any byte of the letter or the key is sent."""
    with lob_server(play.hang_up) as provider:
        result = channel(provider.address.replace("http:", "https:")).send(letter())
    assert isinstance(result, NotSent)


def test_a_redirect_is_not_followed() -> None:
    with lob_server(play.answer("200 OK", body=OK)) as elsewhere:
        for status in ("300 Many", "302 Found", "304 Same", "307 Temporary Redirect", "308 There"):
            result, _ = sent_to(play.answer(status, f"Location: {elsewhere.address}/letters"))
            assert isinstance(result, NotSent)
            assert result.holds_channel
        assert elsewhere.requests == []


def test_the_api_key_is_never_logged_nor_shown(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        sent_to(play.answer("401 Unauthorized"))
    assert KEY not in caplog.text
    assert "dGVzdF9ub3QtYS1yZWFsLWtleTo" not in caplog.text
    shown = repr(account(webhook_secrets=("hush",)))
    assert KEY not in shown
    assert "hush" not in shown


@pytest.mark.parametrize(
    "start",
    [b"HTTP/1.1 200 OK\r\nX-Y: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"],
    ids=["in-the-head", "in-the-body"],
)
def test_a_slow_answer_ends_at_the_limit_and_is_ambiguous(start: bytes) -> None:
    began = time.monotonic()
    result, _ = sent_to(play.dribble(start))
    assert isinstance(result, Ambiguous)
    assert time.monotonic() - began < 1.5


def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with lob_server(play.answer("200 OK", body=OK)) as proxy:
        by_name = proxy.address.removesuffix("/v1").replace("http://", "http://ada:pass@")
        monkeypatch.setenv("HTTP_PROXY", by_name)
        monkeypatch.setenv("http_proxy", by_name)
        assert channel("http://lob.invalid/v1").send(letter()) == Accepted("ltr_1")
        head, _ = proxy.requests[0]
        assert head.startswith("POST http://lob.invalid/v1/letters HTTP/1.1\r\n")
        assert "proxy-authorization: basic ywrhonbhc3m=\r\n" in head.lower()
        monkeypatch.setenv("NO_PROXY", "lob.invalid")
        monkeypatch.setenv("no_proxy", "lob.invalid")
        assert isinstance(channel("http://lob.invalid/v1").send(letter()), NotSent)
        assert len(proxy.requests) == 1


def test_a_proxy_that_refuses_the_tunnel_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with lob_server(play.answer("407 Proxy Authentication Required")) as proxy:
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, proxy.address.removesuffix("/v1"))
        result = channel("https://lob.invalid/v1").send(letter())
        assert result == NotSent("Lob was not reached: the proxy did not connect us")
        assert proxy.requests[0][0].startswith("CONNECT lob.invalid:443 ")
