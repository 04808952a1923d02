"""The embedded default of every channel: messages go into our own table and a folder, not out.

The table is the truth, the files are for a person with a mail program. Both are keyed by the
delivery, so sending twice leaves one message.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from channels.port import Accepted, Message, NotSent, Recipient, Result, Role
from dunning.plan import ActionType

_log = logging.getLogger(__name__)


class Outbox:
    """Never rejects. ``store`` writes the message idempotently by its ``delivery_id``; ``folder``
    None writes no files (rehearsals). A message is ``<organisation_id>/<delivery_id>.eml`` below
    ``folder``, or ``.txt`` for an SMS and a letter."""

    name = "outbox"
    idempotent = True

    def __init__(
        self,
        type: ActionType,  # noqa: A002
        store: Callable[[Message], None],
        folder: Path | None = None,
    ) -> None:
        self.type = type
        self._store = store
        self._folder = folder

    def send(self, message: Message) -> Result:
        try:
            if self._folder is None:
                self._store(message)
            else:
                self._store_and_write(message, self._folder)
        except Exception as error:  # noqa: BLE001 - nothing left: the caller tries again
            _log.warning("outbox: %s was not stored: %s", message.delivery_id, error)
            return NotSent(f"the outbox could not store it: {type(error).__name__}")
        return Accepted(f"outbox-{message.delivery_id}")

    def _store_and_write(self, message: Message, folder: Path) -> None:
        """What can fail comes before the table, and the file appears whole or not at all."""
        is_mail = message.channel is ActionType.EMAIL
        content = as_eml(message) if is_mail else as_txt(message).encode()
        place = folder / message.organisation_id
        place.mkdir(parents=True, exist_ok=True)
        draft = place / f".{message.delivery_id}.{os.getpid()}.{id(message)}"
        try:
            draft.write_bytes(content)
            self._store(message)
            draft.replace(place / f"{message.delivery_id}.{'eml' if is_mail else 'txt'}")
        finally:
            draft.unlink(missing_ok=True)


def as_eml(message: Message) -> bytes:
    """The email as a file that a mail program opens, attachments included."""
    addresses = [r.address for r in message.recipients]
    addresses += [message.sender_address, message.reply_to]
    ascii_only = all(address.isascii() for address in addresses)
    mail = EmailMessage(policy=SMTP if ascii_only else SMTP.clone(utf8=True))
    mail["Subject"] = message.subject
    mail["From"] = _address(Recipient(Role.TO, message.sender_address, message.sender_name))
    for role in Role:
        if recipients := message.addressed(role):
            mail[role.value.title()] = tuple(map(_address, recipients))
    if message.reply_to:
        mail["Reply-To"] = _address(Recipient(Role.TO, message.reply_to))
    mail["Message-ID"] = f"<{message.delivery_id}@outbox.invalid>"
    for name, value in message.headers:
        mail[name] = value
    mail.set_content(message.text)
    if message.html is not None:
        mail.add_alternative(message.html, subtype="html")
    for attachment in message.attachments:
        main, _, sub = attachment.content_type.partition("/")
        mail.add_attachment(
            attachment.content, maintype=main, subtype=sub, filename=attachment.name
        )
    return mail.as_bytes()


def as_txt(message: Message) -> str:
    """An SMS or a letter: to whom, and what."""
    kind = "registered letter" if message.registered else message.channel.value
    lines = [f"Type: {kind}"]
    lines += [f"From: {message.sender_name} {message.sender_address}".rstrip()]
    for recipient in message.recipients:
        address = recipient.address.replace("\n", ", ")
        lines.append(f"To: {recipient.name} {address}".replace("  ", " "))
    if message.subject:
        lines.append(f"Subject: {message.subject}")
    lines += [f"Attachment: {a.name}" for a in message.attachments]
    return "\n".join([*lines, "", message.text, ""])


def _address(recipient: Recipient) -> Address:
    user, _, domain = recipient.address.rpartition("@")
    return Address(display_name=recipient.name, username=user, domain=domain)
