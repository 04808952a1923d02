"""A message that leaves: immutable, and checked when it is made.

Providers rely on this check, because their official clients let line breaks in headers through.
``BadMessage`` is permanent: the same message is always refused.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from enum import StrEnum

from dunning.plan import CHANNELS, ActionType
from messages.body import Body
from messages.headers import RESERVED
from messages.lines import LINE_CONTROL, TEXT_CONTROL

MAX_SUBJECT = 255
MAX_NAME = 200
MAX_ADDRESS = 320
MAX_HEADER = 900
MAX_TEXT = 5_000_000
MAX_RECIPIENTS = 100
MAX_ATTACHMENTS = 20 * 1024 * 1024  # bytes, all together; base64 adds a third

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,75}")
_EMAIL = re.compile(r"[^\s@<>()\[\]\\,;:\"]+@[^\s@<>()\[\]\\,;:\"]+")


class BadMessage(ValueError):
    """A message that must not be handed to any provider: which part of it and why. Permanent."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part}: {reason}")
        self.part = part
        self.reason = reason


class BadAddress(BadMessage):
    """The channel cannot reach the recipient's address, with any message. ``contact_id``: the
    contact's id, None if it is unknown or the address is no contact's."""

    def __init__(self, address: str, reason: str, contact_id: str | None = None) -> None:
        super().__init__("recipient address", reason)
        self.address = address
        self.contact_id = contact_id


class Role(StrEnum):
    TO = "to"
    CC = "cc"
    BCC = "bcc"


@dataclass(frozen=True, slots=True)
class Postal:
    """A postal address in its parts; ``country`` has two letters, as FR."""

    line1: str
    city: str
    country: str
    line2: str = ""
    postal_code: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """``address``: an email address, a number in E.164, or the lines of a postal address. A letter
    has its parts in ``postal`` too.

    ``contact_id`` is None for a member or a fixed address.
    """

    role: Role
    address: str
    name: str = ""
    contact_id: str | None = None
    postal: Postal | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What leaves. Raises BadMessage for content that cannot be sent.

    ``delivery_id`` is the idempotency key of this one send: opaque, never a name or an address,
    because providers store it. ``html`` is None for an SMS and a letter, ``subject`` may then be
    empty. ``body`` has the content of ``text`` with tables as tables; a letter has it, for its PDF.
    ``sender_address`` is the member's email address; an SMS and a letter may leave it empty.
    """

    delivery_id: str
    organisation_id: str
    channel: ActionType
    recipients: tuple[Recipient, ...]
    text: str
    body: Body = ()
    subject: str = ""
    html: str | None = None
    sender_address: str = ""
    sender_name: str = ""
    reply_to: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    attachments: tuple[Attachment, ...] = ()
    open_tracking: bool = False
    registered: bool = False

    def __post_init__(self) -> None:
        _check(self)

    def addressed(self, role: Role) -> tuple[Recipient, ...]:
        return tuple(r for r in self.recipients if r.role is role)

    def content_hash(self) -> str:
        """SHA-256 of everything that the recipient would see: a changed message has another hash.

        ``text`` is hashed and not ``body``, which has the same content: letters that were stored
        without a body keep their hash.
        """
        seen = asdict(self)
        seen["attachments"] = [
            [a.name, a.content_type, hashlib.sha256(a.content).hexdigest()]
            for a in self.attachments
        ]
        for own in ("body", "delivery_id", "organisation_id", "open_tracking"):
            del seen[own]
        return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()


def header_text(part: str, value: str, limit: int) -> str:
    """The value, if it can stand in a header. Raises BadMessage naming ``part``."""
    if len(value) > limit:
        raise BadMessage(part, f"is longer than {limit} characters")
    if LINE_CONTROL.search(value):
        raise BadMessage(part, "has a line break or another control character")
    return value


def _check(message: Message) -> None:
    for part, value in (
        ("delivery_id", message.delivery_id),
        ("organisation_id", message.organisation_id),
    ):
        if not _ID.fullmatch(value):
            raise BadMessage(part, "use letters, digits, '_', '-' and '.', at most 128")
    if message.channel not in CHANNELS:
        raise BadMessage("channel", f"a {message.channel} does not leave; its owner works it")
    header_text("subject", message.subject, MAX_SUBJECT)
    if message.channel is ActionType.EMAIL and not message.subject.strip():
        raise BadMessage("subject", "is empty; an email needs one")
    _check_sender(message)
    _check_recipients(message)
    _check_headers(message)
    _check_text(message)
    _check_attachments(message)


def _check_sender(message: Message) -> None:
    header_text("sender name", message.sender_name, MAX_NAME)
    for part, address in (("sender", message.sender_address), ("reply-to", message.reply_to)):
        if address:
            _address(part, address, message.channel)
    if message.channel is ActionType.EMAIL and not message.sender_address:
        raise BadMessage("sender", "an email needs the address of its sender")


def _check_text(message: Message) -> None:
    for part, text in (("text", message.text), ("html", message.html or "")):
        if len(text) > MAX_TEXT:
            raise BadMessage(part, f"is longer than {MAX_TEXT} characters")
        if TEXT_CONTROL.search(text):
            raise BadMessage(part, "has a control character")
    if not message.text.strip():
        raise BadMessage("text", "is empty")


def _check_attachments(message: Message) -> None:
    for attachment in message.attachments:
        header_text("attachment name", attachment.name, MAX_NAME)
        if not attachment.name.strip() or not attachment.content:
            raise BadMessage("attachments", f"{attachment.name!r} is empty or has no name")
        if not re.fullmatch(r"[a-z]+/[A-Za-z0-9.+-]{1,100}", attachment.content_type):
            raise BadMessage("attachment type", f"{attachment.content_type!r} is not one")
    if sum(len(a.content) for a in message.attachments) > MAX_ATTACHMENTS:
        raise BadMessage("attachments", f"are more than {MAX_ATTACHMENTS // 2**20} MB together")


def _check_recipients(message: Message) -> None:
    if not message.addressed(Role.TO):
        raise BadMessage("recipients", "nobody to send to; CC alone is no recipient (rule 35)")
    if len(message.recipients) > MAX_RECIPIENTS:
        raise BadMessage("recipients", f"are more than {MAX_RECIPIENTS}")
    for recipient in message.recipients:
        header_text("recipient name", recipient.name, MAX_NAME)
        _address("recipient", recipient.address, message.channel)


def _check_headers(message: Message) -> None:
    seen: set[str] = set()
    for name, value in message.headers:
        lower = name.lower()
        if not _HEADER_NAME.fullmatch(name) or lower in RESERVED or lower in seen:
            raise BadMessage(
                "headers", f"{name[:80]!r} is no header that can be set here, or twice"
            )
        seen.add(lower)
        header_text(f"header {name}", value, MAX_HEADER)


def _address(part: str, address: str, channel: ActionType) -> None:
    if channel is ActionType.LETTER:  # lines, not a header
        for line in address.split("\n"):
            header_text(f"{part} address", line, MAX_NAME)
    else:
        header_text(f"{part} address", address, MAX_ADDRESS)
    if not address.strip():
        raise BadMessage(f"{part} address", "is empty")
    if channel is ActionType.EMAIL and not _EMAIL.fullmatch(address):
        raise BadMessage(f"{part} address", f"{address!r} is not an email address")
