"""SendGrid's inbound parse: replies of customers."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from email.message import EmailMessage

import pytest

from dunning.learnt import Reply
from providers.callback import BadCallback, Callback
from providers.sendgrid.callbacks import read
from providers.sendgrid.replies import MAX_REPLY
from tests.cast.sendgrid_callbacks import EVENTS, HEADERS, INBOUND, NOW, OURS, form


def envelope(sender: str = "ada@acme.example", to: str = f"reply+{OURS}@in.amber.example") -> str:
    return json.dumps({"to": [to], "from": sender})


def reply(**fields: str | bytes) -> Reply:
    whole = {"headers": HEADERS, "envelope": envelope(), "text": "I paid."} | fields
    (said,) = read(Callback(INBOUND, *form(**whole)), NOW)
    assert isinstance(said, Reply)
    return said


def test_a_reply_has_its_sender_text_and_delivery() -> None:
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
        text="I paid on Monday.\n\n> Dear Ada,\n> €100 is open.",
        subject="Re: INV-1",
        provider_id="abc@mail.acme.example",
        reference=OURS,
        automatic=False,
    )


def test_each_field_is_read_in_its_own_charset() -> None:
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
def test_a_charset_that_decodes_slowly_is_not_used(charset: str) -> None:
    assert reply(charsets=json.dumps({"text": charset}), text="xn--pay-dma-").text == "xn--pay-dma-"


def test_without_a_text_part_the_html_is_read() -> None:
    page = """<html><head><style>p { color: red }</style><title>Mail</title></head>
    <body class="x"><script>alert(1)</script><p>I  have
    paid &euro;100 &lt;today&gt;</p><div>Ada<br>Acme</div></body></html>"""
    assert reply(text=" \r\n", html=page).text == "I have paid €100 <today>\nAda\nAcme"


def test_a_long_reply_is_truncated_and_control_characters_are_removed() -> None:
    assert len(reply(text="word " * 10_000).text) <= MAX_REPLY
    assert reply(text="a\0b\x1b[31mc\u2029d\te").text == "a b [31mc\nd\te"
    assert reply(subject="a\r\nBcc: b\0").subject == "a Bcc: b"
    assert len(reply(html="<div>" * 200_000 + "x", text="").text) <= MAX_REPLY


def test_the_text_of_a_reply_is_never_that_of_an_attachment() -> None:
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


def test_a_raw_email_is_read() -> None:
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
    assert said.reference == OURS


def test_a_raw_email_may_have_only_html() -> None:
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
def test_the_delivery_id_is_read_only_from_addresses(where: dict[str, str], reference: str) -> None:
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
def test_the_sender_is_the_address_in_from(sender: str, address: str) -> None:
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
def test_an_automatic_reply_is_marked_as_such(header: str, automatic: bool) -> None:
    assert reply(headers=f"{HEADERS}{header}\n").automatic is automatic


def test_a_reply_with_an_empty_envelope_sender_is_automatic() -> None:
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
def test_a_body_that_is_not_an_email_is_refused(body: bytes, head: Mapping[str, str]) -> None:
    with pytest.raises(BadCallback):
        read(Callback(INBOUND, body, head), NOW)


@pytest.mark.parametrize("unit", [';\\"', ";a", ";a=1", ";name*0=a", " a@", "=?utf-8?q?a?= "])
@pytest.mark.parametrize("name", ["Content-Type", "Content-Disposition", "From", "To", "Subject"])
def test_a_long_header_is_read_quickly(name: str, unit: str) -> None:
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
def test_replies_are_read_on_both_webhook_paths(path: str) -> None:
    (said,) = read(Callback(path, *form(headers=HEADERS, envelope=envelope())), NOW)
    assert isinstance(said, Reply)
