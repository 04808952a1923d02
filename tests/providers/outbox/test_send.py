"""The outbox: a table (here a fake) and files that a mail program can open."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.plan import ActionType
from messages.message import Attachment, BadMessage, Message, Recipient, Role
from providers.outbox.files import as_eml
from providers.outbox.send import Outbox
from providers.port import Accepted, Channel, NotSent
from tests.cast.letters import ADA, email, sms


class Table:
    """The outbox table: one row for each delivery. ``down``: every write fails."""

    def __init__(self, *, down: bool = False) -> None:
        self.rows: dict[str, Message] = {}
        self.down = down

    def store(self, message: Message) -> None:
        if self.down:
            raise ConnectionError("the database is away")
        self.rows.setdefault(message.delivery_id, message)


def read(path: Path) -> EmailMessage:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_the_outbox_is_an_idempotent_channel() -> None:
    channel: Channel = Outbox(ActionType.SMS, Table().store)
    assert (channel.name, channel.type, channel.idempotent) == ("outbox", ActionType.SMS, True)


def test_an_email_becomes_a_row_and_a_file(tmp_path: Path) -> None:
    table = Table()
    pdf = Attachment("facture é.pdf", "application/pdf", b"%PDF")
    message = email(
        subject="Rappel : 1\u202f234,56\xa0€", attachments=(pdf,), headers=(("X-Dunning", "1"),)
    )
    result = Outbox(ActionType.EMAIL, table.store, tmp_path).send(message)
    assert result == Accepted(f"outbox-{message.delivery_id}")
    assert table.rows == {message.delivery_id: message}
    seen = read(tmp_path / "amber" / f"{message.delivery_id}.eml")
    assert seen["Subject"] == "Rappel : 1\u202f234,56\xa0€"
    assert seen["From"] == "Sam <sam@amber.example>"
    assert seen["To"] == "Ada Byron <ada@acme.example>"
    assert seen["Cc"] == "Ben <ben@acme.example>"
    assert seen["Reply-To"] == "sam@amber.example"
    assert seen["X-Dunning"] == "1"
    plain, html = seen.get_body(("plain",)), seen.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().splitlines() == ["Dear Ada,", "", "€100 is open."]
    assert "<p>Dear Ada,</p>" in html.get_content()
    [attached] = seen.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("facture é.pdf", b"%PDF")


@pytest.mark.parametrize("kind", [ActionType.SMS, ActionType.LETTER])
def test_an_sms_and_a_letter_become_text(tmp_path: Path, kind: ActionType) -> None:
    lines = Recipient(Role.TO, "1 rue de la Paix\n75002 Paris", "Acme")
    to = lines if kind is ActionType.LETTER else sms().recipients[0]
    message = sms(channel=kind, recipients=(to,), registered=kind is ActionType.LETTER)
    assert isinstance(Outbox(kind, Table().store, tmp_path).send(message), Accepted)
    text = (tmp_path / "amber" / f"{message.delivery_id}.txt").read_text()
    assert "INV-1: 100 EUR is open." in text
    wanted = "registered letter" if kind is ActionType.LETTER else "+33612345678"
    assert wanted in text


def test_sending_a_message_twice_stores_it_once(tmp_path: Path) -> None:
    table = Table()
    outbox = Outbox(ActionType.EMAIL, table.store, tmp_path)
    first, second = outbox.send(email()), outbox.send(email())
    assert first == second
    assert len(table.rows) == 1
    assert len(list(tmp_path.rglob("*.*"))) == 1


def test_a_rehearsal_writes_no_files(tmp_path: Path) -> None:
    table = Table()
    assert isinstance(Outbox(ActionType.EMAIL, table.store, None).send(email()), Accepted)
    assert len(table.rows) == 1
    assert list(tmp_path.iterdir()) == []


def test_an_outbox_without_its_database_stores_no_file(tmp_path: Path) -> None:
    table = Table(down=True)
    outbox = Outbox(ActionType.EMAIL, table.store, tmp_path)
    assert outbox.send(email()) == NotSent("the outbox could not store it; the log says why")
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
    table.down = False
    assert isinstance(outbox.send(email()), Accepted)


def test_a_message_whose_file_cannot_be_written_is_not_sent(tmp_path: Path) -> None:
    table = Table()
    (tmp_path / "amber").write_text("a file is in the way")
    assert isinstance(Outbox(ActionType.EMAIL, table.store, tmp_path).send(email()), NotSent)
    assert table.rows == {}


words = st.text(max_size=60)


@given(subject=words, name=words, text=words, user=words, domain=words)
def test_every_valid_message_can_be_written_as_a_file(
    subject: str, name: str, text: str, user: str, domain: str
) -> None:
    to = (Recipient(Role.TO, f"{user}@{domain}", name), ADA)
    try:
        message = email(subject=subject, recipients=to, text=text, sender_name=name, html=text)
    except BadMessage:
        return
    seen = message_from_bytes(as_eml(message), policy=policy.SMTP)
    expected = {"subject", "from", "to", "reply-to", "message-id", "mime-version", "content-type"}
    assert {key.lower() for key in seen} == expected
