"""An email as JSON for SendGrid, and emails that SendGrid cannot accept."""

from __future__ import annotations

import pytest

from messages.message import Attachment, Recipient, Role
from providers.port import (
    Accepted,
    Rejected,
)
from providers.sendgrid.account import SendGridAccount
from providers.sendgrid.reply_address import reference_in, reply_address
from providers.sendgrid.request import request
from providers.sendgrid.send import SendGrid
from tests.cast import stand_in as play
from tests.cast.at_sendgrid import KEY, SHORT, sent_to
from tests.cast.letters import ADA, BEN, email


def test_the_request_has_every_field_and_tracking_is_off() -> None:
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


def test_a_repeated_address_is_sent_once_in_its_most_visible_role() -> None:
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


def test_an_attachment_is_sent_with_all_its_bytes() -> None:
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


def test_an_international_domain_is_sent_as_ascii() -> None:
    here = Recipient(Role.TO, "ada@bücher.example", "Ada")
    twice = Recipient(Role.CC, "ada@xn--bcher-kva.example")
    sent = request(email(recipients=(here, twice), sender_address="sam@größe.example"))
    assert sent["personalizations"][0]["to"] == [
        {"email": "ada@xn--bcher-kva.example", "name": "Ada"}
    ]
    assert "cc" not in sent["personalizations"][0], "one address in two spellings is one"
    assert sent["from"]["email"] == "sam@xn--gre-6ka8i.example"


def test_an_address_that_sendgrid_cannot_accept_is_rejected_without_a_call() -> None:
    result, provider = sent_to(
        play.answer("202 Accepted"), email(sender_address="sam..s@amber.example")
    )
    why = "a dot stands first, last or twice before the @"
    assert result == Rejected(f"'sam..s@amber.example' is no email address: {why}", "address")
    assert provider.requests == []


def test_an_empty_html_part_is_left_out() -> None:
    assert [c["type"] for c in request(email(html=" \n"))["content"]] == ["text/plain"]


def test_with_an_inbound_domain_replies_are_sent_to_it() -> None:
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
def test_a_reply_address_is_found_anywhere_in_a_header(address: str, found: bool) -> None:
    delivery_id = email().delivery_id
    ours = reply_address(delivery_id, "in.amber.example")
    assert reference_in(address.format(ours)) == (delivery_id if found else "")
    assert reference_in(address.format(ours).upper()) == (delivery_id if found else "")
