"""What cannot be a message is refused before any provider sees it."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from dunning.plan import CHANNELS, ActionType
from messages.lines import one_line
from messages.message import Attachment, BadMessage, Message, Postal, Recipient, Role, header_text
from providers.lob.account import LobAccount
from providers.lob.send import Lob
from providers.outbox.send import Outbox
from providers.port import Channel, Rejected
from providers.sendgrid.account import SendGridAccount
from providers.sendgrid.send import SendGrid
from providers.twilio.account import TwilioAccount
from providers.twilio.send import Twilio
from tests.cast.letters import ADA, BEN, email, sms
from tests.cast.stand_in import answer, stand_in

ODD = ["a\r\nBcc: evil@x.example", "a\nb", "a\x00b", "a\x0bb", "a\u2028b", "a\x85b", "a\ud800b"]


def refused(part: str, **changes: Any) -> None:
    with pytest.raises(BadMessage) as error:
        email(**changes)
    assert error.value.part == part


@pytest.mark.parametrize("text", ODD)
def test_no_header_takes_a_line_break_or_a_control_character(text: str) -> None:
    refused("subject", subject=text)
    refused("sender name", sender_name=text)
    refused("recipient name", recipients=(Recipient(Role.TO, "ada@acme.example", text),))
    refused("recipient address", recipients=(Recipient(Role.TO, f"{text}@acme.example"),))
    refused("sender address", sender_address=f"{text}@amber.example")
    refused("reply-to address", reply_to=f"{text}@amber.example")
    refused("header X-Dunning", headers=(("X-Dunning", text),))
    refused("attachment name", attachments=(Attachment(text, "application/pdf", b""),))
    with pytest.raises(BadMessage):
        header_text("a number", text, 100)


@pytest.mark.parametrize("text", ODD)
def test_one_line_makes_a_header_of_any_text(text: str) -> None:
    assert header_text("a name", one_line(text, 10), 10)


def test_one_line_cuts_and_collapses() -> None:
    assert one_line("  Acme \n\n GmbH\t", 50) == "Acme GmbH"
    assert one_line("a" * 20, 10) == "aaaaaaaaa…"


def test_headers_that_are_ours_cannot_be_set() -> None:
    for name in ("Bcc", "FROM", "subject", "Content-Type", "X-SG-ID", "X Y", "X:", "", "X-é"):
        refused("headers", headers=((name, "1"),))
    refused("headers", headers=(("X-A", "1"), ("x-a", "2")))
    email(headers=(("X-A", "1"), ("Auto-Submitted", "auto-generated")))


@pytest.mark.parametrize("address", ["", " ", "ada", "a b@x", "a@b@c", "<a@b>", "a,b@c", "a@"])
def test_what_is_no_email_address_is_refused(address: str) -> None:
    refused("recipient address", recipients=(Recipient(Role.TO, address),))


def test_cc_alone_is_no_recipient() -> None:
    refused("recipients", recipients=(BEN,))
    refused("recipients", recipients=())
    refused("recipients", recipients=(ADA,) * 101)


@pytest.mark.parametrize("key", ["", "..", "../etc/passwd", "a/b", ".hidden", "a" * 129, "a\n"])
def test_ids_can_be_file_names(key: str) -> None:
    refused("delivery_id", delivery_id=key)
    refused("organisation_id", organisation_id=key)


def test_limits() -> None:
    refused("subject", subject="a" * 256)
    refused("text", text="  \n")
    refused("text", text="a\x00b")
    refused("html", html="a\x00b")
    refused("text", text="a" * 5_000_001)
    pdf = Attachment("a.pdf", "application/pdf", bytes(11 * 2**20))
    refused("attachments", attachments=(pdf, pdf))
    refused("attachment type", attachments=(Attachment("a", "pdf\r\n", b"1"),))
    refused("attachments", attachments=(Attachment("a.pdf", "application/pdf", b""),))
    refused("attachments", attachments=(Attachment(" ", "application/pdf", b"1"),))
    refused("subject", subject=" ")
    refused("sender", sender_address="")
    refused("channel", channel=ActionType.CALL)


def test_an_sms_and_a_letter_need_no_sender() -> None:
    sms()
    lines = "Acme\n1 rue de la Paix\n75002 Paris"
    sms(channel=ActionType.LETTER, recipients=(Recipient(Role.TO, lines, "Acme"),))


def test_the_hash_is_of_what_the_recipient_sees() -> None:
    again = email(delivery_id="another", open_tracking=True)
    assert again.content_hash() == email().content_hash()
    pdf = Attachment("a.pdf", "application/pdf", b"1")
    changed = [
        email(text="€200 is open"),
        email(subject="x"),
        email(recipients=(ADA,)),
        email(attachments=(pdf,)),
    ]
    assert len({m.content_hash() for m in [email(), *changed]}) == 5


def test_a_message_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        email().text = "x"  # type: ignore[misc]


def test_a_refusal_names_the_part_and_the_reason() -> None:
    with pytest.raises(BadMessage, match=r"^subject: has a line break"):
        email(subject="a\nb")


PARTS = Postal("185 Berry St", "San Francisco", "US", "", "94107", "CA")


def test_a_message_of_another_type_enters_no_channel() -> None:
    """It is our mistake: nothing is handed over, and no address is to blame."""
    letter = (Recipient(Role.TO, "185 Berry St", "Ada", None, PARTS),)
    messages = {
        ActionType.EMAIL: email(),
        ActionType.SMS: sms(),
        ActionType.LETTER: email(channel=ActionType.LETTER, recipients=letter, html=None),
    }
    stored: list[Message] = []
    with stand_in(answer("202 Accepted")) as provider:
        at = provider.address
        channels: list[Channel] = [
            SendGrid(SendGridAccount("SG.1", at)),
            Twilio(TwilioAccount("AC1", "token", sender="Amber", host=at), "https://us.example"),
            Lob(LobAccount("live_1", PARTS, "Amber", host=at)),
            *(Outbox(kind, stored.append) for kind in CHANNELS),
        ]
        for channel in channels:
            for kind, message in messages.items():
                if kind is not channel.type:
                    result = channel.send(message)
                    assert isinstance(result, Rejected), (channel.name, kind)
                    assert (result.code, result.recipient_invalid) == ("type", False)
                    assert f"sends {channel.type}, not {kind}" in result.reason
        assert provider.requests == []
    assert stored == []
