"""What SendGrid reports and what customers reply (delivery facts, 1.3 to 1.5)."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dunning.delivery import DeliveryFact
from dunning.learnt import Event, Reply
from providers.callback import BadCallback, Callback
from providers.sendgrid.callbacks import read, verified
from providers.sendgrid.replies import MAX_REPLY

# SendGrid's own vector, from the tests of its library.
KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+"
    "2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
)
OTHER_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqTxd43gyp8IOEto2LdIfjRQrIbsd4SXZkLW6jDutdhXSJCWHw8REntlo"
    "7aNDthvj+y7GjUuFDb/R1NGe1OPzpA=="
)
SIGNATURE = (
    "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtE"
    "ZtM="
)
STAMP = "1600112502"
BODY = (
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address",'
    b'"sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
    b'"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",'
    b'"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]'
    b"\r\n"
)
SIGNED_AT = datetime.fromtimestamp(int(STAMP), UTC)
NOW = datetime(2025, 3, 4, 8, 30, tzinfo=UTC)

EVENTS = "https://dunning.example/webhooks/sendgrid"
INBOUND = f"{EVENTS}/inbound"
SIGNATURE_HEADER = "x-twilio-email-event-webhook-signature"
STAMP_HEADER = "x-twilio-email-event-webhook-timestamp"
OURS = "3f0c7b0e-0000-4000-8000-000000000001"


def signed(
    body: bytes = BODY, signature: str | None = SIGNATURE, stamp: str | None = STAMP
) -> Callback:
    headers = {SIGNATURE_HEADER: signature, STAMP_HEADER: stamp}
    return Callback(EVENTS, body, {k: v for k, v in headers.items() if v is not None})


def test_the_published_vector_is_verified() -> None:
    assert verified([KEY], signed(), SIGNED_AT)
    assert verified((OTHER_KEY, KEY), signed(), SIGNED_AT), "the second one of a rotation"
    assert verified([f" {KEY}\n"], signed(), SIGNED_AT), "as it is pasted"


@pytest.mark.parametrize(
    "callback",
    [
        signed(BODY.rstrip()),
        signed(json.dumps(json.loads(BODY)).encode() + b"\r\n"),
        signed(b""),
        signed(stamp="1600112503"),
        signed(stamp=None),
        signed(stamp=""),
        signed(stamp="timestamp"),
        signed(stamp=" 1600112502"),
        signed(stamp="١٦٠٠١١٢٥٠٢"),
        signed(stamp="9" * 5000),
        signed(signature=None),
        signed(signature=""),
        signed(signature="%%% no base64 %%%"),
        signed(signature="é"),
        signed(signature=base64.b64encode(b"no signature").decode()),
        signed(signature=SIGNATURE[:-8]),
    ],
)
def test_what_sendgrid_did_not_sign_is_not_verified(callback: Callback) -> None:
    assert verified([KEY], callback, SIGNED_AT) is False


@pytest.mark.parametrize(
    "keys",
    [[], [""], [OTHER_KEY], ["no key"], [KEY[:-8]], ["é"], ["-----BEGIN PUBLIC KEY-----"]],
)
def test_without_the_right_key_nothing_is_verified(keys: list[str]) -> None:
    assert verified(keys, signed(), SIGNED_AT) is False
    assert verified([*keys, KEY], signed(), SIGNED_AT) is True, "a bad key spoils no good one"


@pytest.mark.parametrize(
    ("later", "good"),
    [
        (timedelta(hours=24, minutes=9), True),
        (timedelta(hours=24, minutes=11), False),
        (timedelta(minutes=-4), True),
        (timedelta(minutes=-6), False),
    ],
)
def test_a_signature_holds_for_a_day(later: timedelta, good: bool) -> None:
    assert verified([KEY], signed(), SIGNED_AT + later) is good


def test_the_window_can_be_narrowed() -> None:
    later = SIGNED_AT + timedelta(minutes=6)
    assert not verified([KEY], signed(), later, max_age=timedelta(minutes=5))


def test_an_email_that_is_not_text_is_verified_as_well() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    body = form(text="fünf".encode("latin-1"))[0]
    signature = private.sign(STAMP.encode() + body, ec.ECDSA(hashes.SHA256()))
    callback = signed(body, base64.b64encode(signature).decode())
    assert verified([KEY, base64.b64encode(public).decode()], callback, SIGNED_AT)


def event(name: str, **more: object) -> dict[str, Any]:
    entry = {
        "event": name,
        "email": "ada@acme.example",
        "timestamp": 1741075200,  # 4 March 2025, 08:00 UTC
        "sg_event_id": "ZXZlbnQ",
        "sg_message_id": "-abc_1.recvd-85ab-1.0",
        "dunning_delivery_id": OURS,
    }
    return entry | more


def events(*entries: object, url: str = EVENTS) -> list[Event | Reply]:
    return read(Callback(url, json.dumps(entries).encode()), NOW)


def only(entry: object) -> Event:
    (said,) = events(entry)
    assert isinstance(said, Event)
    return said


def test_a_report_says_everything_that_is_known() -> None:
    reason = "550 5.1.1 No such user"
    assert only(event("bounce", type="bounce", reason=reason, status="5.1.1")) == Event(
        fact=DeliveryFact.BOUNCED,
        at=datetime(2025, 3, 4, 8, 0, tzinfo=UTC),
        delivery_id=OURS,
        provider_id="-abc_1",
        address="ada@acme.example",
        reason=reason,
        code="5.1.1",
        key="ZXZlbnQ",
    )


@pytest.mark.parametrize(
    ("entry", "fact"),
    [
        (event("processed"), DeliveryFact.SENT),
        (event("deferred", response="400 try again later"), DeliveryFact.SENT),
        (event("delivered", response="250 OK"), DeliveryFact.RECEIVED),
        (event("bounce", type="bounce"), DeliveryFact.BOUNCED),
        (event("bounce"), DeliveryFact.BOUNCED),
        (event("bounce", type="blocked"), DeliveryFact.BLOCKED),
        (event("open"), DeliveryFact.OPENED),
        (event("open", sg_machine_open=False), DeliveryFact.OPENED),
        (event("open", sg_machine_open=True), DeliveryFact.OPENED_BY_MACHINE),
        (event("click", url="https://amber.example"), DeliveryFact.CLICKED),
        (event("spamreport"), DeliveryFact.COMPLAINED),
        (event("unsubscribe"), DeliveryFact.UNSUBSCRIBED),
        (event("group_unsubscribe", asm_group_id=1), DeliveryFact.UNSUBSCRIBED),
        (event("group_resubscribe", asm_group_id=1), DeliveryFact.RESUBSCRIBED),
    ],
)
def test_each_event_is_one_fact(entry: dict[str, Any], fact: DeliveryFact) -> None:
    assert only(entry).fact is fact


@pytest.mark.parametrize(
    ("given", "fact", "reason"),
    [
        ("Bounced Address", DeliveryFact.BOUNCED, "the address has bounced before"),
        ("Bounced Address\n", DeliveryFact.BOUNCED, "the address has bounced before"),
        ("Invalid", DeliveryFact.BOUNCED, "the address is not valid"),
        (
            "Unsubscribed Address",
            DeliveryFact.UNSUBSCRIBED,
            "the address is unsubscribed at SendGrid",
        ),
        (
            "Spam Reporting Address",
            DeliveryFact.COMPLAINED,
            "the recipient has reported mail as spam before",
        ),
        ("Invalid SMTPAPI header", DeliveryFact.FAILED, "Invalid SMTPAPI header"),
        ("Spam Content", DeliveryFact.FAILED, "Spam Content"),
        (None, DeliveryFact.FAILED, "SendGrid does not say why"),
    ],
)
def test_what_was_dropped_says_why(given: str | None, fact: DeliveryFact, reason: str) -> None:
    said, *more = events(event("dropped", reason=given))
    assert isinstance(said, Event)
    assert (said.fact, said.reason) == (fact, f"not attempted: {reason}")
    # A wish of the recipient's is not all: it was not sent either.
    wish = fact in (DeliveryFact.UNSUBSCRIBED, DeliveryFact.COMPLAINED)
    assert more == ([replace(said, fact=DeliveryFact.FAILED)] if wish else [])


def test_a_delay_says_why_and_a_success_says_nothing() -> None:
    assert only(event("deferred", response="400 later\r\n")).reason == "400 later"
    assert only(event("delivered", response="250 OK")).reason == ""


def test_a_bounce_that_comes_late_has_no_delivery_id() -> None:
    late = event("bounce", type="bounce", reason="mailbox\u2028gone")
    del late["dunning_delivery_id"], late["sg_message_id"]
    said = only(late)
    assert (said.delivery_id, said.provider_id, said.address, said.reason) == (
        "",
        "",
        "ada@acme.example",
        "mailbox gone",
    )


@pytest.mark.parametrize("delivery_id", ["17", f"{OURS}x", f"{{{OURS}}}", "", None, 17, [OURS]])
def test_a_delivery_id_that_is_none_is_left_out(delivery_id: object) -> None:
    assert only(event("open", dunning_delivery_id=delivery_id)).delivery_id == ""


@pytest.mark.parametrize("at", [None, "soon", "", 0, -1, True, 1e300, 9999999999999, [1], 1e9])
def test_an_impossible_time_is_now(at: object) -> None:
    assert only(event("open", timestamp=at)).at == NOW


def test_a_time_may_be_a_text_or_have_a_fraction() -> None:
    assert only(event("open", timestamp="1741075200")).at == datetime(2025, 3, 4, 8, tzinfo=UTC)
    assert only(event("open", timestamp=1741075200.0)).at == datetime(2025, 3, 4, 8, tzinfo=UTC)
    (nan,) = read(Callback(EVENTS, b'[{"event":"open","email":"a@b.c","timestamp":NaN}]'), NOW)
    assert nan.at == NOW


def test_a_report_without_a_recipient_blames_nobody() -> None:
    """An event without an address would stand for all recipients of the delivery."""
    said = only(event("dropped", reason="Invalid", email=""))
    assert (said.fact, said.address, said.delivery_id) == (DeliveryFact.NOTED, "", OURS)


def test_a_bad_entry_leaves_the_others() -> None:
    bad: list[object] = [
        None,
        1,
        "open",
        [],
        {},
        {"event": None},
        {"event": ["open"]},
        {"event": {}},
        event("account_status_change", type="compliance_suspend"),
        event("cancel_drop"),
        event("an event of 2031"),
    ]
    said = events(event("processed"), *bad, event("delivered", email=None), event("open"))
    facts = [e.fact for e in said if isinstance(e, Event)]
    assert facts == [DeliveryFact.SENT, DeliveryFact.NOTED, DeliveryFact.OPENED]


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"null", b"[", b"\xff", b"[" * 100_000, b'{"event":"open"}', b"9" * 5000]
)
def test_a_body_that_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(BadCallback):
        read(Callback(EVENTS, body), NOW)


@pytest.mark.parametrize("more", ["", "/", f"/{OURS}", f"/{OURS}/", "?a=/inbound"])
def test_events_come_to_the_account_of_all_or_of_one_organisation(more: str) -> None:
    assert len(events(event("open"), url=EVENTS + more)) == 1


@pytest.mark.parametrize(
    "url", [f"{EVENTS}/a/b", "https://dunning.example/webhooks/twilio", "", "/"]
)
def test_another_address_is_refused(url: str) -> None:
    with pytest.raises(BadCallback):
        events(event("open"), url=url)


HEADERS = """\
Received: from mail.acme.example by mx.sendgrid.net
From: =?utf-8?q?Ad=C3=A9le_Byron=2C?= Acme <Ada@acme.example>
To: Amber & Sons <sam@amber.example>
Subject: =?utf-8?q?Re=3A_INV-1?=
Message-ID: <abc@mail.acme.example>
Content-Type: multipart/alternative; boundary="x"
"""


def form(**fields: str | bytes) -> tuple[bytes, Mapping[str, str]]:
    """A form as SendGrid posts it, bytes as they are."""
    parts = [
        b'--xYzZY\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (name.replace("_", "-").encode(), v if isinstance(v, bytes) else v.encode())
        for name, v in fields.items()
    ]
    head = {"content-type": "multipart/form-data; boundary=xYzZY"}
    return b"".join([*parts, b"--xYzZY--\r\n"]), head


def envelope(sender: str = "ada@acme.example", to: str = f"reply+{OURS}@in.amber.example") -> str:
    return json.dumps({"to": [to], "from": sender})


def reply(**fields: str | bytes) -> Reply:
    whole = {"headers": HEADERS, "envelope": envelope(), "text": "I paid."} | fields
    (said,) = read(Callback(INBOUND, *form(**whole)), NOW)
    assert isinstance(said, Reply)
    return said


def test_a_reply_says_who_wrote_what_to_which_delivery() -> None:
    said = reply(
        **{"from": "Adéle Byron, Acme <Ada@acme.example>"},
        to="Amber & Sons <sam@amber.example>",
        subject="Re: INV-1",
        text="I paid on Monday.\r\n\r\n> Dear Ada,\r\n> €100 is open.\r\n",
        html="<p>ignored</p>",
        attachments="0",
        charsets='{"text":"UTF-8"}',
        dkim="{@acme.example : pass}",
    )
    assert said == Reply(
        at=NOW,
        sender="Ada@acme.example",
        to=f"reply+{OURS}@in.amber.example",
        text="I paid on Monday.\n\n> Dear Ada,\n> €100 is open.",
        subject="Re: INV-1",
        provider_id="abc@mail.acme.example",
        reference=OURS,
        automatic=False,
    )


def test_each_field_has_its_charset() -> None:
    said = reply(
        charsets='{"subject":"cp850","text":"windows-1252","to":"UTF-8"}',
        subject=b"Como usted pidi\xa2",
        text=b"It\x92s paid\x85",
    )
    assert (said.subject, said.text) == ("Como usted pidió", "It’s paid…")


@pytest.mark.parametrize(
    "charsets",
    [
        "",
        "[]",
        "{",
        '{"text":"klingon"}',
        '{"text":"zlib"}',
        '{"text":"idna"}',
        '{"text":"undefined"}',
        '{"text":"a\\u0000b"}',
        '{"text":8}',
    ],
)
def test_an_unknown_charset_loses_no_reply(charsets: str) -> None:
    assert reply(charsets=charsets, text="payé".encode()).text == "payé"
    assert reply(charsets=charsets, text=b"pay\xe9").text == "pay\ufffd"


@pytest.mark.parametrize("charset", ["idna", "Punycode"])
def test_a_charset_that_takes_for_ever_is_not_used(charset: str) -> None:
    assert reply(charsets=json.dumps({"text": charset}), text="xn--pay-dma-").text == "xn--pay-dma-"


def test_without_a_text_the_page_is_read() -> None:
    page = """<html><head><style>p { color: red }</style><title>Mail</title></head>
    <body class="x"><script>alert(1)</script><p>I  have
    paid &euro;100 &lt;today&gt;</p><div>Ada<br>Acme</div></body></html>"""
    assert reply(text=" \r\n", html=page).text == "I have paid €100 <today>\nAda\nAcme"


def test_a_long_reply_is_cut_and_has_no_control_characters() -> None:
    assert len(reply(text="word " * 10_000).text) <= MAX_REPLY
    assert reply(text="a\0b\x1b[31mc\u2029d\te").text == "a b [31mc\nd\te"
    assert reply(subject="a\r\nBcc: b\0").subject == "a Bcc: b"
    assert len(reply(html="<div>" * 200_000 + "x", text="").text) <= MAX_REPLY


def test_an_attachment_is_not_the_text() -> None:
    body, head = form(headers=HEADERS, envelope=envelope())
    named = (
        '--xYzZY\r\nContent-Disposition: form-data; name="text"; filename="é.pdf"\r\n'
        "Content-Type: application/pdf\r\n\r\n"
    )
    body = named.encode() + bytes(range(256)) * 10 + b"\r\n" + body
    (said,) = read(Callback(INBOUND, body, head), NOW)
    assert isinstance(said, Reply)
    assert (said.text, said.reference) == ("", OURS)


def raw(**headers: str) -> EmailMessage:
    mail = EmailMessage()
    for name, value in (
        {"From": "Ada <ada@acme.example>", "Subject": "Re: INV-1"} | headers
    ).items():
        mail[name] = value
    return mail


def test_a_raw_email_is_read_as_well() -> None:
    mail = raw(To=f"reply+{OURS}@in.amber.example")
    forwarded = raw()
    forwarded.set_content("Not this.")
    mail.set_content("J'ai payé.\n", charset="iso-8859-15", cte="quoted-printable")
    mail.add_alternative("<p>no</p>", subtype="html")
    mail.add_attachment("not this either", filename="a.txt")
    mail.add_attachment(forwarded)
    (said,) = read(Callback(INBOUND, *form(email=mail.as_bytes(), subject="Re: INV-1")), NOW)
    assert isinstance(said, Reply)
    assert (said.sender, said.text, said.subject) == ("ada@acme.example", "J'ai payé.", "Re: INV-1")
    assert (said.to, said.reference) == (f"reply+{OURS}@in.amber.example", OURS)


def test_a_raw_email_may_have_a_page_only() -> None:
    mail = raw()
    mail.set_content("<p>Paid &amp; done</p>", subtype="html")
    attached = raw()
    attached.set_content("Not this.")
    mail.add_attachment(attached)
    (said,) = read(Callback(INBOUND, *form(email=mail.as_bytes())), NOW)
    assert isinstance(said, Reply)
    assert said.text == "Paid & done"


@pytest.mark.parametrize(
    ("where", "reference"),
    [
        ({"envelope": envelope(to="sam@amber.example"), "to": f"x <reply+{OURS}@a.b>"}, OURS),
        ({"envelope": envelope(to="sam@amber.example"), "cc": f"s@a.b, reply+{OURS}@a.b"}, OURS),
        ({"envelope": envelope(to="sam@amber.example")}, ""),
        ({"envelope": envelope(to="reply+17@in.amber.example")}, ""),
        ({"text": f"reply+{OURS}@a.b", "envelope": "{}"}, ""),
    ],
)
def test_the_reference_is_read_from_the_addresses_alone(
    where: dict[str, str], reference: str
) -> None:
    assert reply(**where).reference == reference


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        ("Ada <ada@acme.example>", "ada@acme.example"),
        ('"Byron, <fake@x.y>" <ada@acme.example>', "ada@acme.example"),
        ("Byron, Ada <ada@acme.example>", "ada@acme.example"),
        ("ada@acme.example (Ada)", "ada@acme.example"),
        ("undisclosed", "bounce@acme.example"),
        ("", "bounce@acme.example"),
    ],
)
def test_the_sender_is_the_address_of_from(sender: str, address: str) -> None:
    said = reply(headers=f"From: {sender}\n", envelope=envelope("bounce@acme.example"))
    assert said.sender == address


@pytest.mark.parametrize(
    ("header", "automatic"),
    [
        ("Auto-Submitted: auto-replied", True),
        ("auto-submitted: Auto-Generated; owner=x", True),
        ("Auto-Submitted: no", False),
        ("Precedence: bulk", True),
        ("Precedence: auto_reply", True),
        ("Precedence: LIST", True),
        ("Precedence: normal", False),
        ("X-Autoreply: yes", True),
        ("X-Autorespond: Away", True),
        ("X-Auto-Response-Suppress: All", True),
        ("X-Auto-Response-Suppress: DR, OOF, AutoReply", True),
        ("X-Auto-Response-Suppress: DR, RN", False),
        ("Return-Path: <>", True),
        ("Return-Path: <ada@acme.example>", False),
        ("X-Mailer: none", False),
    ],
)
def test_an_answer_of_a_machine_is_marked(header: str, automatic: bool) -> None:
    assert reply(headers=f"{HEADERS}{header}\n").automatic is automatic


def test_an_empty_envelope_sender_is_a_machine() -> None:
    assert reply(envelope=envelope(sender="")).automatic is True
    assert reply(envelope="{}").automatic is False, "nothing is known of it"
    assert reply(envelope="[1").automatic is False


@pytest.mark.parametrize(
    ("body", "head"),
    [
        (b"[]", {"content-type": "application/json"}),
        (b"", {}),
        (b"", {"content-type": "multipart/form-data; boundary=x"}),
        (b"a=b", {"content-type": "multipart/form-data"}),
        form(spam_score="1.7"),
    ],
)
def test_what_is_no_email_is_refused(body: bytes, head: Mapping[str, str]) -> None:
    with pytest.raises(BadCallback):
        read(Callback(INBOUND, body, head), NOW)


@pytest.mark.parametrize("unit", [';\\"', ";a", ";a=1", ";name*0=a", " a@", "=?utf-8?q?a?= "])
@pytest.mark.parametrize("name", ["Content-Type", "Content-Disposition", "From", "To", "Subject"])
def test_a_header_of_any_length_is_read_at_once(name: str, unit: str) -> None:
    began = time.process_time()
    hostile = (
        f'{name}: text/plain; a="{unit * 100_000}\r\nMessage-ID: <1@acme.example>\r\n\r\nHello'
    )
    assert reply(email=hostile, to="reply@in.amber.example").provider_id == "1@acme.example"
    assert time.process_time() - began < 1


def test_an_email_nested_a_thousand_times_is_refused() -> None:
    deep = b"From: a@b.c\r\n" + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
        for n in range(2000)
    )
    with pytest.raises(BadCallback):
        read(Callback(INBOUND, *form(email=deep)), NOW)


@pytest.mark.parametrize("path", [f"{EVENTS}/{OURS}/inbound", f"{INBOUND}/", f"{INBOUND}?a=1"])
def test_replies_come_to_the_account_of_all_or_of_one_organisation(path: str) -> None:
    (said,) = read(Callback(path, *form(headers=HEADERS, envelope=envelope())), NOW)
    assert isinstance(said, Reply)
