"""A message is checked when it is created, so a malformed one never reaches a provider."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from dunning.plan import ActionType
from messages.lines import one_line
from messages.message import Attachment, BadMessage, Recipient, Role, header_text
from tests.cast.letters import ADA, BEN, email, sms

ODD = ["a\r\nBcc: evil@x.example", "a\nb", "a\x00b", "a\x0bb", "a\u2028b", "a\x85b", "a\ud800b"]


def refused(part: str, **changes: Any) -> None:
    with pytest.raises(BadMessage) as error:
        email(**changes)
    assert error.value.part == part


@pytest.mark.parametrize("text", ODD)
def test_a_line_break_or_control_character_in_a_header_is_refused(text: str) -> None:
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
def test_one_line_makes_any_text_valid_in_a_header(text: str) -> None:
    assert header_text("a name", one_line(text, 10), 10)


def test_one_line_shortens_a_text_and_collapses_its_spaces() -> None:
    assert one_line("  Acme \n\n GmbH\t", 50) == "Acme GmbH"
    assert one_line("a" * 20, 10) == "aaaaaaaaa…"


def test_reserved_malformed_and_repeated_headers_are_refused() -> None:
    for name in ("Bcc", "FROM", "subject", "Content-Type", "X-SG-ID", "X Y", "X:", "", "X-é"):
        refused("headers", headers=((name, "1"),))
    refused("headers", headers=(("X-A", "1"), ("x-a", "2")))
    email(headers=(("X-A", "1"), ("Auto-Submitted", "auto-generated")))


@pytest.mark.parametrize("address", ["", " ", "ada", "a b@x", "a@b@c", "<a@b>", "a,b@c", "a@"])
def test_a_malformed_email_address_is_refused(address: str) -> None:
    refused("recipient address", recipients=(Recipient(Role.TO, address),))


def test_a_message_without_a_to_recipient_is_refused() -> None:
    refused("recipients", recipients=(BEN,))
    refused("recipients", recipients=())
    refused("recipients", recipients=(ADA,) * 101)


@pytest.mark.parametrize("key", ["", "..", "../etc/passwd", "a/b", ".hidden", "a" * 129, "a\n"])
def test_ids_that_cannot_be_file_names_are_refused(key: str) -> None:
    refused("delivery_id", delivery_id=key)
    refused("organisation_id", organisation_id=key)


def test_parts_that_are_empty_or_too_large_are_refused() -> None:
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


def test_the_hash_covers_what_the_recipient_sees() -> None:
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
