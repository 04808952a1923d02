"""What Lob is told, what we make of its answers (delivery facts, 4.3), and what it reports."""

from __future__ import annotations

import contextlib
import email.parser
import email.policy
import hmac
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from dunning.delivery import DeliveryFact
from dunning.learnt import Event
from dunning.plan import ActionType
from messages.letter.paper import Paper
from messages.letter.pdf import pdf
from messages.message import Attachment, Message, Postal, Recipient, Role
from providers.callback import BadCallback, Callback
from providers.lob import callbacks as lob_callbacks
from providers.lob.account import LobAccount
from providers.lob.request import fields
from providers.lob.send import Lob
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
from tests.cast import letters
from tests.cast import stand_in as play

KEY = "test_not-a-real-key"
NOW = datetime(2025, 3, 4, 8, 30, tzinfo=UTC)
OURS = "3f0c7b0e-0000-4000-8000-000000000001"
AMBER = Postal("1 Amber Street", "San Francisco", "US", "Suite 2", "94107", "CA")
HERE = Postal("210 King St", "San Francisco", "US", "", "94107", "CA")
THERE = Postal("12 rue de l'Église", "Paris", "FR", "Bâtiment B", "75011")
ADA = Recipient(Role.TO, "210 King St\nSan Francisco CA 94107", "Ada Byron", "contact-ada", HERE)
OK = '{"id": "ltr_1", "carrier": "a new one", "url": "https://lob.example/ltr_1.pdf"}'


def account(host: str = "http://127.0.0.1:1", **changes: Any) -> LobAccount:
    return LobAccount(KEY, AMBER, "Amber & Sons", host=host, **changes)


def channel(host: str, **changes: Any) -> Lob:
    return Lob(
        account(host, **changes),
        timeout=timedelta(seconds=0.3),
        limit=timedelta(seconds=0.6),
        clock=NOW.timestamp,
    )


def letter(**changes: Any) -> Message:
    return letters.sms(**({"channel": ActionType.LETTER, "recipients": (ADA,)} | changes))


class Desk:
    """Lob on 127.0.0.1: the requests as they came, the head as text and the body as bytes."""

    def __init__(self) -> None:
        self.address = ""
        self.requests: list[tuple[str, bytes]] = []

    def form(self) -> dict[str, bytes]:
        head, body = self.requests[-1]
        _, _, headers = head.partition("\r\n")
        parser = email.parser.BytesParser(policy=email.policy.HTTP)
        found = parser.parsebytes(headers.encode() + body)
        return {
            str(part.get_param("name", header="content-disposition")): bytes(
                part.get_payload(decode=True)
            )
            for part in found.iter_parts()
        }


@contextlib.contextmanager
def desk(script: play.Script) -> Iterator[Desk]:
    closing, found = threading.Event(), Desk()
    listener = socket.create_server(("127.0.0.1", 0))
    found.address = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"

    def serve() -> None:
        while not closing.is_set():
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer, peer.makefile("rb") as stream:
                head = b""
                while not head.endswith(b"\r\n\r\n") and (line := stream.readline()):
                    head += line
                sizes = [
                    int(x.split(b":")[1]) for x in head.lower().splitlines() if b"-length" in x
                ]
                found.requests.append((head.decode("latin-1"), stream.read(sum(sizes))))
                script(peer, closing)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        closing.set()
        with contextlib.suppress(OSError):  # wakes the accept
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def sent_to(script: play.Script, message: Message | None = None) -> tuple[Result, Desk]:
    with desk(script) as provider:
        return channel(provider.address).send(message or letter()), provider


def error(words: str, code: str = "invalid") -> str:
    return json.dumps({"error": {"message": words, "status_code": 422, "code": code}})


def test_is_a_channel_that_may_send_again_and_looks_up() -> None:
    lobs: Channel = Lob(account())
    assert (lobs.name, lobs.type, lobs.idempotent) == ("lob", ActionType.LETTER, True)
    assert isinstance(lobs, LooksUp)


def test_the_letter_is_uploaded_whole_with_its_key() -> None:
    result, provider = sent_to(play.answer("200 OK", body=OK))
    assert result == Accepted("ltr_1")
    head, _ = provider.requests[0]
    assert head.startswith("POST /v1/letters HTTP/1.1\r\n")
    assert f"Idempotency-Key: {OURS}\r\n" in head
    assert "Authorization: Basic dGVzdF9ub3QtYS1yZWFsLWtleTo=\r\n" in head  # the key and a colon
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


def test_sending_again_sends_the_same_letter_with_the_same_key() -> None:
    with desk(play.answer("200 OK", body=OK)) as provider:
        lobs = channel(provider.address)
        lobs.send(letter())
        first = provider.form()
        lobs.send(letter())
        assert provider.form() == first
    keys = [head.split("Idempotency-Key: ")[1].split("\r\n")[0] for head, _ in provider.requests]
    assert keys == [OURS, OURS]


@pytest.mark.parametrize(
    ("postal", "service"), [(HERE, "certified"), (THERE, "registered")], ids=["home", "abroad"]
)
def test_a_registered_letter_asks_for_the_service_of_its_country(
    postal: Postal, service: str
) -> None:
    to = replace(ADA, postal=postal)
    cheap = account(mail_type="usps_standard")
    assert "extra_service" not in fields(letter(recipients=(to,)), cheap)
    form = fields(letter(recipients=(to,), registered=True), cheap)
    assert (form["extra_service"], form["mail_type"]) == (service, "usps_first_class")
    assert form["to[address_country]"] == postal.country


def test_a_long_name_takes_the_second_line_of_the_window() -> None:
    to = replace(ADA, name="The Honourable Augusta Ada King, Countess of Lovelace")
    form = fields(letter(recipients=(to,)), account())
    assert form["to[name]"] == "The Honourable Augusta Ada King,"
    assert form["to[company]"] == "Countess of Lovelace"


@pytest.mark.parametrize(
    ("to", "why"),
    [
        (replace(ADA, postal=None), "not known in its parts"),
        (replace(ADA, postal=replace(HERE, line1=" ")), "no street"),
        (replace(ADA, postal=replace(HERE, city="")), "no town"),
        (replace(ADA, postal=replace(HERE, country="")), "no country"),
        (replace(ADA, postal=replace(HERE, country="France")), "no country that letters go to"),
        (replace(ADA, name=""), "no name"),
        (replace(ADA, name="word " * 30), "lines"),
    ],
    ids=["no-parts", "line1", "city", "country", "long-country", "name", "long-name"],
)
def test_an_address_that_no_envelope_can_have_is_rejected_here(to: Recipient, why: str) -> None:
    result, provider = sent_to(play.answer("200 OK", body=OK), letter(recipients=(to,)))
    assert isinstance(result, Rejected)
    assert result.recipient_invalid
    assert why in result.reason
    assert provider.requests == []


@pytest.mark.parametrize(
    "changes",
    [
        {"recipients": (ADA, replace(ADA, name="Ben"))},
        {"recipients": (ADA, replace(ADA, role=Role.CC))},
        {"attachments": (Attachment("a.pdf", "application/pdf", b"%PDF"),)},
        {"text": "שלום"},
        {"text": "line\n" * 10_000},
    ],
    ids=["two", "copy", "attachment", "letters", "long"],
)
def test_what_a_letter_cannot_carry_is_rejected_and_nobody_is_to_blame(
    changes: dict[str, Any],
) -> None:
    result, provider = sent_to(play.answer("200 OK", body=OK), letter(**changes))
    assert isinstance(result, Rejected)
    assert not result.recipient_invalid
    assert provider.requests == []


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
    """It is looked up by its metadata, and handed over again under the same key."""
    assert sent_to(script)[0] == Ambiguous("Lob answered 200 without the id of a letter")


def test_a_success_with_what_the_library_does_not_know_is_accepted() -> None:
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
def test_after_the_request_left_a_lost_answer_is_ambiguous(script: play.Script) -> None:
    result, provider = sent_to(script)
    assert isinstance(result, Ambiguous)
    assert len(provider.requests) == 1, "one attempt, whatever happens"


def test_what_never_reached_lob_is_not_sent() -> None:
    with play.nobody() as refused, play.full_house() as full:
        for host in (refused, full, "http://lob.invalid/v1"):
            assert isinstance(channel(host).send(letter()), NotSent), host


def test_a_server_that_speaks_no_tls_is_not_sent() -> None:
    """The handshake fails before anything of the letter, or the key, has left."""
    with desk(play.hang_up) as provider:
        result = channel(provider.address.replace("http:", "https:")).send(letter())
    assert isinstance(result, NotSent)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("Retry-After: 7", timedelta(seconds=7)),
        ("Retry-After: 0", timedelta(seconds=1)),
        (f"ratelimit-reset: {int(NOW.timestamp()) + 42}", timedelta(seconds=42)),
        (f"ratelimit-reset: {int(NOW.timestamp()) + 10**6}", timedelta(hours=1)),
        ("Retry-After: soon", None),
        ("X-Other: 1", None),
    ],
)
def test_a_rate_limit_is_waited_for_as_long_as_it_says(header: str, wait: timedelta | None) -> None:
    result, provider = sent_to(play.answer("429 Too Many", header, body="cut", length=99))
    assert result == NotSent("Lob's rate limit is reached", wait)
    assert len(provider.requests) == 1


@pytest.mark.parametrize("status", ["401 No", "402 No", "403 No", "404 No", "405 No", "451 No"])
def test_a_refused_key_is_the_accounts_trouble(status: str) -> None:
    result, _ = sent_to(play.answer(status, body=error("Your API key is not valid.")))
    assert isinstance(result, NotSent)
    assert result.holds_channel
    assert "Your API key is not valid." in result.reason


@pytest.mark.parametrize(
    ("words", "code", "to_blame"),
    [
        ("The to address doesn't meet strictness.", "failed_deliverability_strictness", True),
        ("to.address_zip must be in a valid zip format", "invalid", True),
        ("to is required", "invalid", True),
        ("The file is too large to print.", "file_size_exceeds_limit", False),
        ("color is required", "invalid", False),
    ],
)
def test_a_refusal_is_final_says_why_and_who_is_to_blame(
    words: str, code: str, to_blame: bool
) -> None:
    result, _ = sent_to(play.answer("422 Unprocessable Entity", body=error(words, code)))
    assert result == Rejected(f"Lob answered 422: {words}", code, to_blame)


@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"error": 1}', '{"error": {"message": 1}}'])
@pytest.mark.parametrize("status", ["400", "413"])
def test_a_refusal_in_an_unknown_form_is_a_refusal(status: str, body: str) -> None:
    result, _ = sent_to(play.answer(f"{status} No", body=body))
    assert result == Rejected(f"Lob answered {status}: no reason given", status)


def test_a_redirect_is_not_followed_with_the_key_in_hand() -> None:
    with desk(play.answer("200 OK", body=OK)) as elsewhere:
        for status in ("300 Many", "302 Found", "304 Same", "307 Temporary Redirect", "308 There"):
            result, _ = sent_to(play.answer(status, f"Location: {elsewhere.address}/letters"))
            assert isinstance(result, NotSent)
            assert result.holds_channel
        assert elsewhere.requests == []


def looked_up(script: play.Script) -> tuple[LookUp, Desk]:
    with desk(script) as provider:
        return channel(provider.address).look_up(letter(), NOW), provider


def listed(*metadata: Any) -> play.Script:
    found = [{"id": f"ltr_{i}", "deleted": True, "metadata": m} for i, m in enumerate(metadata)]
    return play.answer("200 OK", body=json.dumps({"data": found, "object": "list"}))


def test_a_letter_is_found_by_our_id_even_a_cancelled_one() -> None:
    result, provider = looked_up(listed({"dunning_delivery_id": OURS}))
    assert result == Found("ltr_0")
    line = urlsplit(provider.requests[0][0].split(" ")[1])
    assert line.path == "/v1/letters"
    assert dict(parse_qsl(line.query)) == {"metadata[dunning_delivery_id]": OURS, "limit": "10"}


def test_no_letter_is_not_found() -> None:
    assert looked_up(listed())[0] == NotFound()


@pytest.mark.parametrize(
    "script",
    [
        listed({"dunning_delivery_id": "another"}),
        listed(None),
        play.answer("200 OK", body='{"data": []}', length=1000),
        play.answer("200 OK", body='{"data": [1]}'),
        play.answer("200 OK", body="{}"),
        play.answer("401 Unauthorized"),
        play.answer("500 Oh"),
        play.silence,
        play.hang_up,
    ],
    ids=["others", "bare", "cut", "shape", "none", "401", "500", "silence", "hang-up"],
)
def test_a_look_up_that_failed_cannot_tell(script: play.Script) -> None:
    assert isinstance(looked_up(script)[0], CannotTell)


def test_the_key_is_never_logged_nor_shown(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        sent_to(play.answer("401 Unauthorized"))
    assert KEY not in caplog.text
    assert "dGVzdF9ub3QtYS1yZWFsLWtleTo" not in caplog.text
    shown = repr(account(webhook_secrets=("hush",)))
    assert KEY not in shown
    assert "hush" not in shown


@pytest.mark.parametrize(
    "changes",
    [
        {"api_key": ""},
        {"api_key": "two words"},
        {"api_key": "clé"},
        {"api_key": "a\r\nX: y"},
        {"sender": THERE},
        {"sender": replace(AMBER, line1="")},
        {"sender": replace(AMBER, postal_code="")},
        {"sender": replace(AMBER, region="")},
        {"sender_name": " "},
        {"sender_name": "x" * 41},
        {"webhook_secrets": ("",)},
        {"host": "api.lob.com"},
        {"mail_type": "pigeon"},
    ],
)
def test_an_account_that_cannot_send_is_refused_at_the_start(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        replace(account(), **changes)


def signed(body: bytes, secret: str, at: datetime = NOW, unit: int = 1) -> Callback:
    stamp = str(int(at.timestamp() * unit))
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, "sha256").hexdigest()
    return Callback("", body, {"lob-signature": mac, "lob-signature-timestamp": stamp})


@pytest.mark.parametrize("unit", [1, 1000], ids=["seconds", "milliseconds"])
def test_a_signature_holds_with_any_of_the_secrets_for_a_day(unit: int) -> None:
    late = signed(b"{}", "new", NOW - timedelta(hours=23), unit)
    assert lob_callbacks.verified(("old", "new"), late, NOW)
    assert not lob_callbacks.verified(("old",), late, NOW)
    assert not lob_callbacks.verified((), late, NOW)
    assert not lob_callbacks.verified(("", "old"), signed(b"{}", "", NOW, unit), NOW)
    assert not lob_callbacks.verified(("new",), late, NOW + timedelta(hours=2))
    assert not lob_callbacks.verified(("new",), late, NOW - timedelta(hours=48))
    assert not lob_callbacks.verified(("new",), replace(late, body=b"{ }"), NOW)


@pytest.mark.parametrize("stamp", ["", "x", "-1", "1" * 30, "²", "1.5", "\ud800"])
@pytest.mark.parametrize("signature", ["", "é", "\ud800", "00"])
def test_odd_headers_are_no_signature_and_no_error(stamp: str, signature: str) -> None:
    headers = {"lob-signature": signature, "lob-signature-timestamp": stamp}
    assert not lob_callbacks.verified(("new",), Callback("", b"{}", headers), NOW)
    assert not lob_callbacks.verified(("new",), Callback("", b"{}"), NOW)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("The return address is foreign.", "foreign_return_address"),
        ("from.address_zip must be in a valid zip format", "invalid"),
        ("from is required", "invalid"),
    ],
)
def test_what_only_the_account_can_mend_holds_the_channel(words: str, code: str) -> None:
    body = error(words, code)
    result, _ = sent_to(play.answer("422 Unprocessable Entity", body=body))
    assert isinstance(result, NotSent)
    assert result.holds_channel


@pytest.mark.parametrize(
    "start",
    [b"HTTP/1.1 200 OK\r\nX-Y: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"],
    ids=["in-the-head", "in-the-body"],
)
def test_an_answer_that_dribbles_ends_at_the_limit(start: bytes) -> None:
    began = time.monotonic()
    result, _ = sent_to(play.dribble(start))
    assert isinstance(result, Ambiguous)
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("country", ["PR", "gu", "VI"])
def test_puerto_rico_and_its_like_are_states(country: str) -> None:
    there = Postal("1 Calle Sol", "San Juan", country, "", "00901")
    form = fields(letter(recipients=(replace(ADA, postal=there),), registered=True), account())
    assert (form["to[address_country]"], form["to[address_state]"]) == ("US", country.upper())
    assert form["extra_service"] == "certified"


def test_it_goes_by_the_proxy_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with desk(play.answer("200 OK", body=OK)) as proxy:
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
    with desk(play.answer("407 Proxy Authentication Required")) as proxy:
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, proxy.address.removesuffix("/v1"))
        result = channel("https://lob.invalid/v1").send(letter())
        assert result == NotSent("Lob was not reached: the proxy did not connect us")
        assert proxy.requests[0][0].startswith("CONNECT lob.invalid:443 ")


def event(kind: str, **body: Any) -> Event:
    found = {
        "id": "evt_1",
        "event_type": {"id": kind, "resource": "letters", "object": "event_type"},
        "date_created": "2025-03-03T21:25:59.123Z",
        "reference_id": "ltr_1",
        "body": {"id": "ltr_1", "metadata": {"dunning_delivery_id": OURS}} | body,
    }
    (only,) = lob_callbacks.read(Callback("", json.dumps(found).encode()), NOW)
    assert isinstance(only, Event)
    return only


def test_an_event_says_what_when_and_of_which_delivery() -> None:
    assert event("letter.in_transit", tracking_number="92071902") == Event(
        fact=DeliveryFact.SENT,
        at=datetime(2025, 3, 3, 21, 25, 59, 123000, tzinfo=UTC),
        delivery_id=OURS,
        provider_id="ltr_1",
        code="letter.in_transit",
        key="evt_1",
        tracking_number="92071902",
    )


@pytest.mark.parametrize(
    ("kind", "fact"),
    [
        ("letter.mailed", DeliveryFact.SENT),
        ("letter.in_local_area", DeliveryFact.SENT),
        ("letter.processed_for_delivery", DeliveryFact.SENT),
        ("letter.international_exit", DeliveryFact.SENT),
        ("letter.certified.mailed", DeliveryFact.SENT),
        ("letter.delivered", DeliveryFact.RECEIVED),
        ("letter.certified.delivered", DeliveryFact.RECEIVED),
        ("letter.viewed", DeliveryFact.OPENED),
        ("letter.failed", DeliveryFact.FAILED),
        ("letter.rejected", DeliveryFact.FAILED),
        ("letter.deleted", DeliveryFact.FAILED),
        ("letter.returned_to_sender", DeliveryFact.RETURNED),
        ("letter.certified.returned_to_sender", DeliveryFact.RETURNED),
        ("letter.created", DeliveryFact.NOTED),
        ("letter.re-routed", DeliveryFact.NOTED),
        ("letter.certified.issue", DeliveryFact.NOTED),
        ("letter.certified.pickup_available", DeliveryFact.NOTED),
        (
            "letter.informed_delivery.email_opened",
            DeliveryFact.NOTED,
        ),  # a mail of the post, not the letter
        ("letter.return_envelope.returned_to_sender", DeliveryFact.NOTED),
        ("letter.something_new", DeliveryFact.NOTED),
        ("postcard.delivered", DeliveryFact.NOTED),
    ],
)
def test_each_kind_of_event_is_a_fact(kind: str, fact: DeliveryFact) -> None:
    found = event(kind)
    assert found.fact is fact
    assert bool(found.reason) == (
        fact not in (DeliveryFact.SENT, DeliveryFact.RECEIVED, DeliveryFact.OPENED)
    )


def test_a_returned_letter_says_so() -> None:
    assert event("letter.returned_to_sender").reason == "the post returned it to the sender"


def test_an_event_without_its_date_or_our_id_is_still_one() -> None:
    body = {"event_type": {"id": "letter.mailed"}, "reference_id": "ltr_9", "body": {}}
    for odd in ({}, {"date_created": "yesterday"}, {"date_created": 7}):
        (only,) = lob_callbacks.read(Callback("", json.dumps(body | odd).encode()), NOW)
        want = Event(fact=DeliveryFact.SENT, at=NOW, provider_id="ltr_9", code="letter.mailed")
        assert only == want


def test_strange_text_cannot_reach_the_database() -> None:
    found = event("letter.mailed", id="ltr\x00_1\ud800", tracking_number="9\x002", metadata=[1])
    assert (found.provider_id, found.tracking_number, found.delivery_id) == ("ltr _1", "9 2", "")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b"{}", b'{"event_type": "letter.mailed"}',
     b'{"event_type": {"id": "letter.mailed"}, "body": []}', b'{"event_type": {}, "body": {}}'],
)  # fmt: skip
def test_what_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(BadCallback):
        lob_callbacks.read(Callback("", body), NOW)


def test_a_letter_that_failed_says_why() -> None:
    why = {"failure_reason": "The file has 14 pages.", "remediation": "Use at most 12."}
    assert event("letter.failed", failure_reason=why).reason == (
        "Lob could not print or post it: The file has 14 pages. Use at most 12."
    )
    assert event("letter.failed", failure_reason=None).reason == "Lob could not print or post it"


def tracked(kind: str, detail: str, *, name: str = "Issue", action: bool = False) -> Event:
    old = {"name": name, "time": "2025-03-01T10:00:00Z", "details": {"event": "delayed"}}
    new = {
        "name": name,
        "time": "2025-03-03T10:00:00Z",
        "details": {
            "event": detail,
            "description": "Said by the carrier.",
            "action_required": action,
            "notes": None,
        },
    }
    return event(kind, tracking_events=[new, old, "odd"])


@pytest.mark.parametrize(
    ("detail", "fact", "words"),
    [
        ("package_lost", DeliveryFact.FAILED, "the post lost it"),
        ("package_unclaimed", DeliveryFact.FAILED, "nobody picked it up at the post office"),
        ("package_undeliverable", DeliveryFact.FAILED, "the post could not deliver it"),
        ("notice_left", DeliveryFact.NOTED, "the post found nobody and left a notice"),
        ("a_new_one", DeliveryFact.NOTED, "Said by the carrier."),
    ],
)
def test_what_the_post_says_of_a_certified_letter_is_in_words(
    detail: str, fact: DeliveryFact, words: str
) -> None:
    found = tracked("letter.certified.issue", detail)
    assert (found.fact, found.reason) == (fact, words)
    acting = tracked("letter.certified.issue", detail, action=True)
    assert acting.reason == f"{words} (the recipient must act)"


def test_an_unclaimed_letter_that_comes_back_says_nothing_about_the_address() -> None:
    kind, name = "letter.certified.returned_to_sender", "Returned to Sender"
    assert tracked(kind, "package_unclaimed", name=name).fact is DeliveryFact.FAILED
    assert tracked(kind, "returned_to_sender", name=name).fact is DeliveryFact.RETURNED
    assert tracked("letter.certified.delivered", "delivered", name="Delivered").reason == ""
