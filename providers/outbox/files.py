"""A message of the outbox as a file for people."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from messages.message import Message, Recipient, Role


def as_eml(message: Message) -> bytes:
    """The email with its attachments, as mail programs open it."""
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
    """An SMS or a letter: its sender, its recipients and its text."""
    kind = "registered letter" if message.registered else message.channel.value
    lines = [f"Type: {kind}"]
    lines += [f"From: {message.sender_name} {message.sender_address}".rstrip()]
    for recipient in message.recipients:
        address = recipient.address.replace("\n", ", ")
        name = "" if address.startswith(recipient.name) else recipient.name
        lines.append(f"To: {name} {address}".replace("  ", " "))
    if message.subject:
        lines.append(f"Subject: {message.subject}")
    lines += [f"Attachment: {a.name}" for a in message.attachments]
    return "\n".join([*lines, "", message.text, ""])


def _address(recipient: Recipient) -> Address:
    user, _, domain = recipient.address.rpartition("@")
    return Address(display_name=recipient.name, username=user, domain=domain)
