"""What Twilio is told, what we make of its answers, and what its callbacks mean."""

from __future__ import annotations

import base64
import contextlib
import hmac
import ipaddress
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dunning.delivery import DeliveryFact
from dunning.learnt import Event, Reply, Wish
from dunning.plan import ActionType
from messages.message import Message, Recipient, Role
from providers.callback import BadCallback, Callback
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
from providers.twilio.account import TwilioAccount
from providers.twilio.callbacks import read, verified
from providers.twilio.codes import OPTED_OUT
from providers.twilio.send import Twilio
from stand_ins.providers.specification import wrong
from tests.cast import stand_in as play
from tests.cast.letters import ADA, sms

SID = "AC" + "0" * 32
TOKEN = "not-a-real-token"
SM = "SM" + "1" * 32
BASE = "https://dunning.example"
SHORT = timedelta(milliseconds=300)
NOON = datetime(2025, 3, 4, 12, 0, tzinfo=UTC)
OURS = sms().delivery_id


@contextlib.contextmanager
def provider(
    *scripts: play.Script, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """Twilio on 127.0.0.1: its address, and the requests with their forms. It answers one request
    after the other with the scripts, then always with the last."""
    closing = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    requests: list[tuple[str, dict[str, str]]] = []

    def serve() -> None:
        while not closing.is_set():
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), _spoken(peer, tls) as peer:
                requests.append(_request(peer))
                scripts[min(len(requests), len(scripts)) - 1](peer, closing)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", requests
    finally:
        closing.set()
        with contextlib.suppress(OSError):  # wakes the accept
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
    for head, form in requests:
        if head.startswith("POST /2010-04-01/"):
            assert wrong("twilio", "sms", form) == [], "a request that Twilio would refuse"


def _spoken(peer: socket.socket, tls: ssl.SSLContext | None) -> socket.socket:
    return tls.wrap_socket(peer, server_side=True) if tls else peer


def _request(peer: socket.socket) -> tuple[str, dict[str, str]]:
    with peer.makefile("rb") as stream:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline()
            if not line:
                break
            head += line
        sizes = [
            int(line.split(b":")[1])
            for line in head.splitlines()
            if line.lower().startswith(b"content-length:")
        ]
        body = stream.read(sizes[0]) if sizes else b""
    return head.decode("latin-1"), dict(parse_qsl(body.decode(), keep_blank_values=True))


def account(host: str = "", /, **changes: Any) -> TwilioAccount:
    fields = {"account_sid": SID, "auth_token": TOKEN, "sender": "+33700000000", "host": host}
    return TwilioAccount(**(fields | changes))


def channel(host: str, /, **changes: Any) -> Twilio:
    return Twilio(account(host, **changes), BASE, timeout=SHORT, limit=2 * SHORT)


def made(**fields: Any) -> play.Script:
    return play.answer("201 Created", body=json.dumps({"sid": SM, "status": "queued"} | fields))


def refused(status: str, code: int, *headers: str, text: str = "No.") -> play.Script:
    body = json.dumps({"code": code, "message": text, "status": int(status[:3]), "more_info": "x"})
    return play.answer(status, *headers, body=body)


def sent_to(
    script: play.Script, message: Message | None = None, **changes: Any
) -> tuple[Result, list[tuple[str, dict[str, str]]]]:
    with provider(script) as (address, requests):
        return channel(address, **changes).send(message or sms()), requests


def test_is_a_channel_that_must_not_send_twice_and_looks_up() -> None:
    one: Channel = channel("")
    assert (one.name, one.type, one.idempotent) == ("twilio", ActionType.SMS, False)
    assert isinstance(one, LooksUp)


def test_the_request_says_all() -> None:
    result, requests = sent_to(made())
    assert result == Accepted(SM)
    [(head, form)] = requests
    assert head.startswith(f"POST /2010-04-01/Accounts/{SID}/Messages.json HTTP/1.1\r\n")
    basic = base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
    assert f"Authorization: Basic {basic}\r\n" in head
    assert form == {
        "To": "+33612345678",
        "From": "+33700000000",
        "Body": "INV-1: 100 EUR is open.",
        "StatusCallback": f"{BASE}/webhooks/twilio/status/{OURS}",
        "ValidityPeriod": "14400",
        "SmartEncoded": "false",
    }


def test_an_api_key_signs_in_and_a_service_sends() -> None:
    service = "MG" + "a" * 32
    _, [(head, form)] = sent_to(made(), api_key_sid="SK1", api_key_secret="s3", sender=service)
    assert f"/Accounts/{SID}/" in head
    assert f"Basic {base64.b64encode(b'SK1:s3').decode()}\r\n" in head
    assert form["MessagingServiceSid"] == service
    assert "From" not in form


def test_the_process_does_not_choose_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    assert sent_to(made())[0] == Accepted(SM)


@pytest.mark.parametrize(
    ("message", "code", "invalid"),
    [
        (sms(text="a" * 1601), "21617", False),
        (sms(recipients=(Recipient(Role.TO, "0612345678"),)), "21211", True),
        (sms(recipients=(*sms().recipients, ADA)), "recipients", False),
        (
            sms(recipients=(*sms().recipients, Recipient(Role.CC, "+33611111111"))),
            "recipients",
            False,
        ),
    ],
)
def test_what_twilio_would_refuse_or_split_is_not_sent(
    message: Message, code: str, invalid: bool
) -> None:
    result, requests = sent_to(made(), message)
    assert isinstance(result, Rejected)
    assert (result.code, result.recipient_invalid) == (code, invalid)
    assert requests == []


def test_1600_characters_are_sent() -> None:
    result, [(_, form)] = sent_to(made(), sms(text="a" * 1600))
    assert isinstance(result, Accepted)
    assert len(form["Body"]) == 1600


def test_refused_connections_are_not_sent() -> None:
    with play.nobody() as address:
        result = channel(address).send(sms())
    assert isinstance(result, NotSent)
    assert result.reason == "Twilio was not reached: the connection was refused"


def test_a_connection_that_never_stands_is_not_sent() -> None:
    with play.full_house() as address:
        assert isinstance(channel(address).send(sms()), NotSent)


def test_a_name_that_does_not_resolve_is_not_sent() -> None:
    assert isinstance(channel("http://twilio.invalid").send(sms()), NotSent)


def test_a_server_that_speaks_no_tls_is_not_sent() -> None:
    """The handshake fails before anything of the message, or the key, has left."""
    with provider(play.hang_up) as (address, _):
        result = channel(address.replace("http:", "https:")).send(sms())
    assert isinstance(result, NotSent)


def certified(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's certificate for 127.0.0.1, and the file by which a client knows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    day, now = timedelta(days=1), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    known, private = folder / "known.pem", folder / "private.pem"
    known.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(known, private)
    return tls, known


def test_it_is_the_same_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls, known = certified(tmp_path)
    with provider(made(), play.hang_up, tls=tls) as (address, requests):
        secure = channel(address.replace("http:", "https:"))
        assert isinstance(secure.send(sms()), NotSent), "nobody vouches for this server"
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(known))
        assert secure.send(sms()) == Accepted(SM)
        assert isinstance(secure.send(sms()), Ambiguous)
        assert len(requests) == 2


@pytest.mark.parametrize(
    "script",
    [
        play.silence,
        play.hang_up,
        play.reset,
        play.garbage,
        play.answer("201 Created", body='{"sid": "SM1"', length=1000),
        play.answer("201 Created", body="<html>"),
        play.answer("201 Created", body="[]"),
        play.answer("201 Created"),
        made(sid=None),
        made(sid=1),
        play.answer("201 Created", "Content-Encoding: gzip", body="no gzip"),
        refused("408 Request Timeout", 20408),
        refused("500 Internal Server Error", 20500),
        refused("500 Internal Server Error", 20429),
        play.answer("502 Bad Gateway", body="<html>"),
        play.answer("503 Service Unavailable", body="cut", length=1000),
    ],
    ids=[
        "silence", "hang-up", "reset", "garbage", "cut", "html", "list", "empty", "no-sid",
        "odd-sid", "gzip", "408", "500", "500-busy", "502", "503-cut",
    ],
)  # fmt: skip
def test_after_the_request_left_a_lost_answer_is_ambiguous(script: play.Script) -> None:
    result, requests = sent_to(script)
    assert isinstance(result, Ambiguous)
    assert len(requests) == 1, "one attempt, whatever happens"


@pytest.mark.parametrize(
    ("script", "wait"),
    [
        (refused("429 Too Many Requests", 20429, "Retry-After: 7"), timedelta(seconds=7)),
        (refused("429 Too Many Requests", 20429, "Retry-After: 0"), timedelta(seconds=1)),
        (refused("429 Too Many Requests", 20429, "Retry-After: 86400"), timedelta(hours=1)),
        (refused("429 Too Many Requests", 20429, "Retry-After: soon"), None),
        (refused("429 Too Many Requests", 20429), None),
        (refused("400 Bad Request", 21611), None),
        (refused("400 Bad Request", 20429, "retry-after: 9"), timedelta(seconds=9)),
        (play.answer("429 No", "Retry-After: 3", body="cut", length=99), timedelta(seconds=3)),
    ],
)
def test_a_rate_limit_is_waited_for(script: play.Script, wait: timedelta | None) -> None:
    result, _ = sent_to(script)
    assert isinstance(result, NotSent)
    assert result.retry_after == wait


@pytest.mark.parametrize(
    "script",
    [
        refused("401 Unauthorized", 20003, text="Authenticate"),
        refused("403 Forbidden", 20003),
        play.answer("401 Unauthorized", body="<html>"),
        play.answer("401 Unauthorized", body="cut", length=99),
    ],
)
def test_a_key_that_is_refused_holds_the_channel(script: play.Script) -> None:
    result, _ = sent_to(script)
    assert isinstance(result, NotSent)
    assert result.reason.startswith("Twilio refuses the account: ")
    assert result.holds_channel


@pytest.mark.parametrize("code", [21211, 21217, 21401, 21614, 21635])
def test_a_wrong_number_is_told_apart(code: int) -> None:
    result, _ = sent_to(refused("400 Bad Request", code, text="'To' +33612345678 is odd"))
    assert isinstance(result, Rejected)
    assert (result.code, result.recipient_invalid) == (str(code), True)
    assert result.reason.endswith(f" (Twilio {code})")
    assert "+336" not in result.reason


def test_who_answered_stop_is_not_a_wrong_number() -> None:
    result, _ = sent_to(refused("400 Bad Request", 21610))
    words = "the recipient answered STOP and gets no more SMS from this sender (Twilio 21610)"
    assert result == Rejected(words, OPTED_OUT, recipient_invalid=False, opted_out=True)


def test_other_refusals_are_final_and_say_why() -> None:
    result, _ = sent_to(refused("400 Bad Request", 21999, text="It is Tuesday."))
    assert result == Rejected("Twilio answered 21999: It is Tuesday.", "21999")


def test_a_refusal_in_the_newer_form_is_read_too() -> None:
    problem = {"type": "x", "title": "Bad number", "status": 400, "code": 21211}
    result, _ = sent_to(play.answer("400 Bad Request", body=json.dumps(problem)))
    assert result == Rejected("the number is not valid (Twilio 21211)", "21211", True)


@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"code": null}', '{"code": [1]}', "\n"])
def test_a_refusal_in_an_unknown_form_is_a_refusal(body: str) -> None:
    result, _ = sent_to(play.answer("400 Bad Request", body=body))
    assert result == Rejected("Twilio answered 400: no reason given", "400")


def test_a_redirect_is_not_followed_with_the_key_in_hand() -> None:
    with provider(made()) as (elsewhere, requests):
        for status in ("300 Many", "302 Found", "304 Same", "307 Temporary Redirect", "308 There"):
            result, _ = sent_to(play.answer(status, f"Location: {elsewhere}/x"))
            assert isinstance(result, NotSent)
            assert result.holds_channel
        assert requests == []


@pytest.mark.parametrize(
    "code",
    [
        *(10001, 90010, 20003, 20005, 20006, 20403, 20404, 70051),
        *(21212, 21603, 21606, 21659, 21660, 21661, 21701, 21703, 21705),
    ],
)
@pytest.mark.parametrize("status", ["400 Bad Request", "403 Forbidden"])
def test_what_only_the_account_can_mend_holds_the_channel(code: int, status: str) -> None:
    result, _ = sent_to(refused(status, code))
    assert isinstance(result, NotSent)
    assert result.holds_channel
    assert result.retry_after is None
    assert result.reason.endswith(f"(Twilio {code})")


@pytest.mark.parametrize("status", ["401 No", "402 No", "403 No", "404 No", "405 No", "451 No"])
def test_a_refusal_that_is_not_about_the_message_holds_the_channel(status: str) -> None:
    result, _ = sent_to(refused(status, 99999))
    assert isinstance(result, NotSent)
    assert result.holds_channel


@pytest.mark.parametrize("code", [21408, 21608, 21612])
def test_what_holds_for_one_number_alone_does_not_hold_the_channel(code: int) -> None:
    """The country, or a trial account's list of numbers: another number may be reached."""
    result, _ = sent_to(refused("403 Forbidden", code))
    assert isinstance(result, Rejected)
    assert not result.recipient_invalid


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"HTTP/1.1 201 Created\r\nX-Y: ", Ambiguous),
        (b"HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n", Ambiguous),
        (b"HTTP/1.1 429 No\r\nContent-Length: 100000\r\n\r\n", NotSent),
    ],
    ids=["in-the-head", "in-the-body", "after-429"],
)
def test_an_answer_that_dribbles_ends_at_the_limit(start: bytes, kind: type) -> None:
    began = time.monotonic()
    result, _ = sent_to(play.dribble(start))
    assert isinstance(result, kind)
    assert time.monotonic() - began < 2 * SHORT.total_seconds() + 0.5


@pytest.mark.parametrize(
    "body", ["", "[]", "7", "null", '"sid"', "{", "[" * 100_000, '{"date_created": "soon"}']
)
def test_a_success_that_cannot_be_read_says_so_in_our_words(body: str) -> None:
    result, _ = sent_to(play.answer("201 Created", body=body))
    assert isinstance(result, Ambiguous)
    assert result.reason in (
        "Twilio answered 201, but not with a message",
        "Twilio answered 201 without the id of a message",
    )


def test_neither_the_key_nor_the_number_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for name in ("twilio.http_client", "urllib3.connectionpool"):
            logging.getLogger(name).setLevel(logging.DEBUG)
        sent_to(refused("401 Unauthorized", 20003), api_key_sid="SK1", api_key_secret="s3cret")
        looked_up(listed())
    assert not [word for word in (TOKEN, "s3cret", "33612345678") if word in caplog.text]
    shown = repr(account(api_key_sid="SK1", api_key_secret="s3cret", webhook_tokens=("w3b",)))
    assert not [word for word in (TOKEN, "s3cret", "w3b") if word in shown]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"account_sid": "SK123"}, "begins with AC"),
        ({"account_sid": "AC1/../x"}, "begins with AC"),
        ({"auth_token": ""}, "the auth token, or an API key"),
        ({"auth_token": "two words"}, "characters that none has"),
        ({"auth_token": "x\r\ny"}, "characters that none has"),
        ({"api_key_sid": "SK1"}, "its SID and its secret"),
        ({"sender": ""}, "needs a sender"),
        ({"sender": "0612345678 "}, "needs a sender"),
        ({"sender": "A name too long"}, "needs a sender"),
        ({"host": "api.twilio.com"}, "not a web address"),
    ],
)
def test_what_cannot_be_an_account_is_refused_at_the_start(
    changes: dict[str, str], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        account(**changes)


@pytest.mark.parametrize("sender", ["+33700000000", "38123", "Amber Sons", "MG" + "a" * 32])
def test_senders_that_twilio_knows(sender: str) -> None:
    assert account(sender=sender).sender == sender


@pytest.mark.parametrize(
    "base", ["", "dunning.example", "ftp://dunning.example", "https://my_host.example", "https://"]
)
def test_twilio_must_be_able_to_call_back(base: str) -> None:
    with pytest.raises(ValueError, match="cannot call back"):
        Twilio(account(), base)


@pytest.mark.parametrize("validity", [timedelta(0), timedelta(hours=10, seconds=1)])
def test_a_validity_that_twilio_refuses_is_refused_at_the_start(validity: timedelta) -> None:
    with pytest.raises(ValueError, match="10 hours"):
        Twilio(account(), BASE, validity=validity)


# The look-up


def record(sid: str, at: datetime, **fields: Any) -> dict[str, Any]:
    """A message in the list, as yet in the queue: it has no date of sending."""
    date = at.strftime("%a, %d %b %Y %H:%M:%S +0000")
    known = {"sid": sid, "body": sms().text, "status": "queued", "date_sent": None}
    return known | {"date_created": date} | fields


def listed(*records: dict[str, Any], more: bool = False) -> play.Script:
    page = {"messages": list(records), "page": 0, "next_page_uri": "/next.json" if more else None}
    return play.answer("200 OK", body=json.dumps(page))


def looked_up(*scripts: play.Script, text: str = "") -> tuple[LookUp, list[str]]:
    with provider(*scripts) as (address, requests):
        result = channel(address).look_up(sms(text=text) if text else sms(), NOON)
        return result, [head for head, _ in requests]


def test_a_message_in_the_queue_is_found() -> None:
    result, [head] = looked_up(listed(record("SM2", NOON)))
    assert result == Found("SM2")
    target = head.split()[1]
    assert target.startswith(f"/2010-04-01/Accounts/{SID}/Messages.json?")
    assert parse_qs(target.split("?")[1]) == {"To": ["+33612345678"], "PageSize": ["100"]}


def test_one_that_failed_later_was_accepted_all_the_same() -> None:
    assert looked_up(listed(record("SM2", NOON, status="failed")))[0] == Found("SM2")


def test_of_several_the_first_after_since_is_it() -> None:
    minute = timedelta(minutes=1)
    page = listed(
        record("SM4", NOON + 9 * minute),
        record("SM3", NOON + 2 * minute),
        record("SM2", NOON - minute),  # within what clocks may differ
        record("SM1", NOON - 2 * minute),
    )
    assert looked_up(page)[0] == Found("SM2")


@pytest.mark.parametrize(
    ("stored", "found"),
    [
        ("It\u2019s due.", True),
        ("It's due. \n", True),
        ("It's due!", False),
        ("it's due.", False),
        (None, False),
    ],
)
def test_the_text_is_the_same_but_for_what_a_gateway_rewrites(
    stored: str | None, found: bool
) -> None:
    result, _ = looked_up(listed(record("SM2", NOON, body=stored)), text="It's due. ")
    assert result == (Found("SM2") if found else NotFound())


def test_nothing_there_is_not_found() -> None:
    assert looked_up(listed())[0] == NotFound()
    assert looked_up(listed(record("SM1", NOON - timedelta(minutes=2))))[0] == NotFound()


def test_it_turns_three_pages_and_not_one_more() -> None:
    other = record("SM9", NOON + timedelta(hours=1), body="another")
    result, heads = looked_up(listed(other, more=True), listed(other, more=True), listed(other))
    assert result == NotFound()
    assert [head.split()[1] for head in heads][1:] == ["/next.json", "/next.json"]
    result, heads = looked_up(listed(other, more=True))
    assert isinstance(result, CannotTell)
    assert len(heads) == 3
    last = listed(record("SM2", NOON), more=True)
    assert looked_up(listed(other, more=True), listed(other, more=True), last)[0] == Found("SM2")


def test_pages_end_where_the_messages_are_old() -> None:
    """Twilio lists the newest first."""
    old = record("SM1", NOON - timedelta(days=2))
    result, heads = looked_up(listed(old, more=True))
    assert result == NotFound()
    assert len(heads) == 1


@pytest.mark.parametrize(
    "script",
    [
        play.silence,
        play.hang_up,
        play.garbage,
        refused("401 Unauthorized", 20003),
        refused("429 Too Many Requests", 20429),
        refused("500 Internal Server Error", 20500),
        play.answer("200 OK", body="<html>"),
        play.answer("200 OK", body="[]"),
        play.answer("200 OK", body='{"messages": [1]}'),
        play.answer("200 OK", body='{"messages": [', length=99),
        listed(record("SM2", NOON, date_created="some day")),
    ],
)
def test_a_look_up_that_fails_says_so(script: play.Script) -> None:
    assert isinstance(looked_up(script)[0], CannotTell)


def test_a_page_that_is_lost_is_not_an_empty_one() -> None:
    other = record("SM9", NOON, body="another")
    assert isinstance(looked_up(listed(other, more=True), play.hang_up)[0], CannotTell)


# The signature

PUBLISHED = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def signed(
    form: Mapping[str, str | list[str]] = PUBLISHED,
    url: str = URL,
    signature: str = SIGNATURE,
    how: str = "",
) -> Callback:
    headers = {"x-twilio-signature": signature, "x-twilio-webhooks-signature-settings": how}
    return Callback(url, urlencode(form, doseq=True).encode(), headers)


def test_the_published_signature_holds_with_any_of_the_tokens() -> None:
    assert verified(["12345"], signed(), NOON)
    assert verified(["old", "12345"], signed(), NOON)
    assert verified(["12345", "new"], signed(), NOON)


@pytest.mark.parametrize(
    ("tokens", "callback"),
    [
        ([], signed()),
        ([""], signed()),
        (["1234"], signed()),
        (["12345"], signed(signature="")),
        (["12345"], signed(signature=SIGNATURE[:-1])),
        (["12345"], signed(signature="é" * 28)),
        (["12345"], Callback(URL, urlencode(PUBLISHED).encode())),
        (["12345"], signed(PUBLISHED | {"Digits": "1235"})),
        (["12345"], signed(PUBLISHED | {"More": ""})),
        (["12345"], signed(PUBLISHED | {"Digits": ["1234", "9"]})),
        (["12345"], signed(url=URL.replace("bar=2", "bar=3"))),
        (["12345"], signed(url=URL.replace("https", "http"))),
        (["12345"], signed(url="https://mycompany.com:port/")),
        (["12345"], Callback(URL, b"\xff=%ff", {"x-twilio-signature": SIGNATURE})),
        (["12345"], Callback(URL, b"a&" * 9999, {"x-twilio-signature": SIGNATURE})),
        (["12345"], signed(how="algorithm=HMAC_SHA256")),
        (["12345"], signed(how="algorithm=NONE")),
    ],
)
def test_anything_else_is_not_twilio(tokens: list[str], callback: Callback) -> None:
    assert not verified(tokens, callback, NOON)


def test_a_call_without_a_token_cannot_be_forged_with_none() -> None:
    empty = base64.b64encode(hmac.digest(b"", URL.encode(), "sha1")).decode()
    assert not verified(["", ""], signed({}, signature=empty), NOON)


def test_a_field_given_twice_is_signed_twice() -> None:
    signature = base64.b64encode(hmac.digest(b"12345", f"{URL}a1a2".encode(), "sha1")).decode()
    assert verified(["12345"], signed({"a": ["2", "1"]}, signature=signature), NOON)


def test_the_newer_algorithm_is_understood() -> None:
    text = URL + "".join(name + PUBLISHED[name] for name in sorted(PUBLISHED))
    signature = base64.b64encode(hmac.digest(b"shared", text.encode(), "sha256")).decode()
    assert verified(
        ["shared"], signed(signature=signature, how="key=k1,algorithm=HMAC_SHA256"), NOON
    )
    assert not verified(["shared"], signed(signature=signature), NOON)


def test_the_auth_token_signs_unless_others_are_named() -> None:
    assert account().webhook_tokens == (TOKEN,)
    assert account(webhook_tokens=("a", "b")).webhook_tokens == ("a", "b")
    key = account(auth_token="", api_key_sid="SK1", api_key_secret="s3")
    assert key.webhook_tokens == ()


# What is in a callback


def report(status: str, path: str = f"/webhooks/twilio/status/{OURS}", **fields: str) -> Callback:
    form = {"MessageSid": SM, "MessageStatus": status, "To": "+33612345678", "From": "Amber"}
    body = urlencode({name: v for name, v in (form | fields).items() if v != "gone"}).encode()
    return Callback(BASE + path, body, {"i-twilio-idempotency-token": "t1"})


def events(callback: Callback) -> list[Event]:
    return [found for found in read(callback, NOON) if isinstance(found, Event)]


def event(callback: Callback) -> Event:
    [only] = events(callback)
    return only


def test_a_report_says_which_delivery_it_is() -> None:
    assert event(report("delivered")) == Event(
        fact=DeliveryFact.RECEIVED,
        at=NOON,
        delivery_id=OURS,
        provider_id=SM,
        address="+33612345678",
        key="t1",
    )
    assert event(report("sent", f"/own/place/webhooks/twilio/status/{OURS}")).delivery_id == OURS


@pytest.mark.parametrize(
    ("status", "code", "fact"),
    [
        ("accepted", "", DeliveryFact.SENT),
        ("scheduled", "", DeliveryFact.SENT),
        ("queued", "", DeliveryFact.SENT),
        ("sending", "", DeliveryFact.SENT),
        ("sent", "", DeliveryFact.SENT),
        ("delivered", "", DeliveryFact.RECEIVED),
        ("read", "", DeliveryFact.OPENED),
        ("undelivered", "", DeliveryFact.FAILED),
        ("undelivered", "30003", DeliveryFact.FAILED),
        ("undelivered", "30005", DeliveryFact.BOUNCED),
        ("undelivered", "30006", DeliveryFact.BOUNCED),
        ("undelivered", "30007", DeliveryFact.FAILED),
        ("failed", "21211", DeliveryFact.BOUNCED),
        ("failed", "21614", DeliveryFact.BOUNCED),
        ("failed", OPTED_OUT, DeliveryFact.UNSUBSCRIBED),
        ("failed", "99999", DeliveryFact.FAILED),
        ("canceled", "", DeliveryFact.FAILED),
        ("partially_delivered", "", DeliveryFact.NOTED),
        ("beamed", "", DeliveryFact.NOTED),
    ],
)
def test_what_a_status_means(status: str, code: str, fact: DeliveryFact) -> None:
    seen, *more = events(report(status, ErrorCode=code or "gone"))
    # A wish of the recipient's is not all: it was not sent either.
    assert [e.fact for e in more] == (
        [DeliveryFact.FAILED] if fact is DeliveryFact.UNSUBSCRIBED else []
    )
    assert (seen.fact, seen.code) == (fact, code)
    assert code in seen.reason
    assert bool(seen.reason) == (
        fact not in {DeliveryFact.SENT, DeliveryFact.RECEIVED, DeliveryFact.OPENED}
    )


def test_an_operator_that_takes_no_short_code_is_not_a_wrong_number() -> None:
    """Twilio, 30006: "a landline, or in the case of short codes an unreachable carrier"."""
    seen = event(report("undelivered", ErrorCode="30006", From="38123"))
    assert seen.fact is DeliveryFact.FAILED
    assert seen.reason == "the operator takes no SMS from a short code (Twilio 30006)"
    for sender in ("+33700000000", "Amber Sons"):
        seen = event(report("undelivered", ErrorCode="30006", From=sender))
        assert seen.fact is DeliveryFact.BOUNCED


def test_a_reason_is_in_plain_words() -> None:
    reason = event(report("undelivered", ErrorCode="30003")).reason
    assert reason == "the phone is switched off or out of reach (Twilio 30003)"


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2503041155", NOON - timedelta(minutes=5)),
        ("2503041200", NOON),
        ("2503041300", NOON),  # a carrier an hour ahead, or a wrong clock
        ("2503040655", NOON),  # a carrier five hours behind
        ("2599999999", NOON),
        ("soon", NOON),
        ("٢٥٠٣٠٤١١٥٥", NOON),
        ("", NOON),
    ],
)
def test_the_carriers_time_counts_where_it_can_be_utc(written: str, at: datetime) -> None:
    seen = event(report("delivered", RawDlrDoneDate=written)).at
    assert seen == at
    assert seen.tzinfo is UTC


def answered(**fields: str) -> Reply:
    [only] = read(report("received", "/webhooks/twilio/inbound", **fields), NOON)
    assert isinstance(only, Reply)
    return only


def test_what_a_customer_wrote_is_a_reply() -> None:
    seen = answered(
        Body="I paid\r\nyesterday \U0001f600\x00", From="+33612345678", To="+33700000000"
    )
    assert seen == Reply(
        at=NOON,
        sender="+33612345678",
        to="+33700000000",
        text="I paid\nyesterday \U0001f600",
        provider_id=SM,
    )


@pytest.mark.parametrize(
    ("body", "asked", "wanted"),
    [
        ("STOP", "gone", Wish.STOP),
        ("Arrêt", "gone", Wish.STOP),
        ("start", "gone", Wish.START),
        ("Adieu", "STOP", Wish.STOP),  # a word of the account's own
        ("Encore", "START", Wish.START),
        ("HELP", "HELP", None),
        ("I paid", "gone", None),
    ],
)
def test_a_wish_is_understood(body: str, asked: str, wanted: Wish | None) -> None:
    assert answered(Body=body, OptOutType=asked).wish is wanted


@pytest.mark.parametrize(
    "callback",
    [
        report("sent", MessageSid="gone"),
        report("sent", MessageStatus="gone"),
        report("sent", "/webhooks/twilio/status/"),
        report("sent", "/webhooks/twilio/status/a/b"),
        report("sent", "/webhooks/twilio/status/%00"),
        report("sent", "/webhooks/twilio"),
        Callback(f"{BASE}/webhooks/twilio/inbound", b""),
        Callback(f"{BASE}/webhooks/twilio/inbound", b"MessageSid=%ff"),
        Callback(f"{BASE}/webhooks/twilio/inbound", b"\xff"),
        Callback(f"{BASE}/webhooks/twilio/inbound", b'{"MessageSid": "SM1"}'),
        Callback(f"{BASE}/webhooks/twilio/inbound", b"a=1&" * 501),
    ],
)
def test_a_call_that_twilio_does_not_make_is_a_bad_one(callback: Callback) -> None:
    with pytest.raises(BadCallback):
        read(callback, NOON)
