"""Sending by Twilio: one attempt; a lost answer is ambiguous."""

from __future__ import annotations

import base64
import ipaddress
import logging
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dunning.plan import ActionType
from messages.message import Message, Recipient, Role
from providers.port import (
    Accepted,
    Ambiguous,
    Channel,
    LooksUp,
    NotSent,
    Rejected,
)
from tests.cast import stand_in as play
from tests.cast.at_twilio import (
    BASE,
    OURS,
    SHORT,
    SID,
    SM,
    TOKEN,
    account,
    channel,
    listed,
    looked_up,
    made,
    provider,
    refused,
    sent_to,
)
from tests.cast.letters import ADA, sms


def test_twilio_is_not_idempotent_and_has_a_look_up() -> None:
    one: Channel = channel("")
    assert (one.name, one.type, one.idempotent) == ("twilio", ActionType.SMS, False)
    assert isinstance(one, LooksUp)


def test_the_request_has_every_field() -> None:
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


def test_an_api_key_signs_in_and_a_messaging_service_is_the_sender() -> None:
    service = "MG" + "a" * 32
    _, [(head, form)] = sent_to(made(), api_key_sid="SK1", api_key_secret="s3", sender=service)
    assert f"/Accounts/{SID}/" in head
    assert f"Basic {base64.b64encode(b'SK1:s3').decode()}\r\n" in head
    assert form["MessagingServiceSid"] == service
    assert "From" not in form


def test_twilios_region_is_not_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_an_sms_that_twilio_cannot_accept_is_rejected_without_a_call(
    message: Message, code: str, invalid: bool
) -> None:
    result, requests = sent_to(made(), message)
    assert isinstance(result, Rejected)
    assert (result.code, result.recipient_invalid) == (code, invalid)
    assert requests == []


def test_an_sms_of_1600_characters_is_sent() -> None:
    result, [(_, form)] = sent_to(made(), sms(text="a" * 1600))
    assert isinstance(result, Accepted)
    assert len(form["Body"]) == 1600


def test_a_refused_connection_is_not_sent() -> None:
    with play.refusing_port() as address:
        result = channel(address).send(sms())
    assert isinstance(result, NotSent)
    assert result.reason == "Twilio was not reached: the connection was refused"


def test_a_connection_that_times_out_is_not_sent() -> None:
    with play.full_backlog() as address:
        assert isinstance(channel(address).send(sms()), NotSent)


def test_a_name_that_does_not_resolve_is_not_sent() -> None:
    assert isinstance(channel("http://twilio.invalid").send(sms()), NotSent)


def test_a_server_without_tls_is_not_sent() -> None:
    """The handshake fails before any byte of the message or the key is sent."""
    with provider(play.hang_up) as (address, _):
        result = channel(address.replace("http:", "https:")).send(sms())
    assert isinstance(result, NotSent)


def certified(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's certificate for 127.0.0.1, and the CA file with which a client trusts it."""
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


def test_over_tls_an_untrusted_server_is_sent_nothing_and_a_lost_answer_is_ambiguous(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, known = certified(tmp_path)
    with provider(made(), play.hang_up, tls=tls) as (address, requests):
        secure = channel(address.replace("http:", "https:"))
        assert isinstance(secure.send(sms()), NotSent), "its certificate is not trusted"
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
        "silence",
        "hang-up",
        "reset",
        "garbage",
        "cut",
        "html",
        "list",
        "empty",
        "no-sid",
        "odd-sid",
        "gzip",
        "408",
        "500",
        "500-busy",
        "502",
        "503-cut",
    ],
)
def test_an_answer_lost_after_the_request_left_is_ambiguous(script: play.Script) -> None:
    result, requests = sent_to(script)
    assert isinstance(result, Ambiguous)
    assert len(requests) == 1, "there must be one attempt only"


def test_a_redirect_is_not_followed() -> None:
    with provider(made()) as (elsewhere, requests):
        for status in ("300 Many", "302 Found", "304 Same", "307 Temporary Redirect", "308 There"):
            result, _ = sent_to(play.answer(status, f"Location: {elsewhere}/x"))
            assert isinstance(result, NotSent)
            assert result.holds_channel
        assert requests == []


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"HTTP/1.1 201 Created\r\nX-Y: ", Ambiguous),
        (b"HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n", Ambiguous),
        (b"HTTP/1.1 429 No\r\nContent-Length: 100000\r\n\r\n", NotSent),
    ],
    ids=["in-the-head", "in-the-body", "after-429"],
)
def test_a_slow_answer_ends_at_the_limit(start: bytes, kind: type) -> None:
    began = time.monotonic()
    result, _ = sent_to(play.dribble(start))
    assert isinstance(result, kind)
    assert time.monotonic() - began < 2 * SHORT.total_seconds() + 0.5


@pytest.mark.parametrize(
    "body", ["", "[]", "7", "null", '"sid"', "{", "[" * 100_000, '{"date_created": "soon"}']
)
def test_a_success_that_cannot_be_read_is_ambiguous(body: str) -> None:
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
