"""The port that every provider implements: one message out, one answer back.

A ``Message`` is checked when it is made, so no provider needs to: the official clients let line
breaks in headers through. ``BadMessage`` is permanent: the same message is refused again.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable

from dunning.plan import CHANNELS, ActionType

MAX_SUBJECT = 255
MAX_NAME = 200
MAX_ADDRESS = 320
MAX_HEADER = 900
MAX_TEXT = 5_000_000
MAX_RECIPIENTS = 100
MAX_ATTACHMENTS = 20 * 1024 * 1024  # bytes, all together; base64 makes a third more of them

#: Control characters, every kind of line break, and halves of a surrogate pair.
LINE_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
#: The same for a text of many lines.
TEXT_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,75}")
_EMAIL = re.compile(r"[^\s@<>()\[\]\\,;:\"]+@[^\s@<>()\[\]\\,;:\"]+")
_RESERVED = frozenset({
    "bcc", "cc", "content-transfer-encoding", "content-type", "date", "dkim-signature", "from",
    "message-id", "mime-version", "received", "reply-to", "return-path", "sender", "subject", "to",
    "x-sg-eid", "x-sg-id",
})  # fmt: skip


class BadMessage(ValueError):
    """A message that must not be handed to any provider: which part of it and why. Permanent."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part}: {reason}")
        self.part = part
        self.reason = reason


class BadAddress(BadMessage):
    """The recipient's address cannot be reached by this channel, whatever the message."""

    contact_id: str | None = None  # whose it is, where that is known

    def __init__(self, address: str, reason: str) -> None:
        super().__init__("recipient address", reason)
        self.address = address


class Role(StrEnum):
    TO = "to"
    CC = "cc"
    BCC = "bcc"


@dataclass(frozen=True, slots=True)
class Postal:
    """A postal address in its parts; ``country`` is two letters, as FR."""

    line1: str
    city: str
    country: str
    line2: str = ""
    postal_code: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """``address``: an email address, a number in E.164, or the lines of a postal address, which a
    letter has in its parts as well.

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
    """What leaves, frozen. Raises BadMessage when it cannot be a message.

    ``delivery_id`` is the stable key of this one send; opaque, never a name or an address, because
    providers store it. ``html`` is None for an SMS and a letter, ``subject`` may then be empty.
    ``sender_address`` is the member's email address; an SMS and a letter may leave it empty.
    """

    delivery_id: str
    organisation_id: str
    channel: ActionType
    recipients: tuple[Recipient, ...]
    text: str
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
        """SHA-256 of all that the recipient would see: an altered message is another message."""
        seen = asdict(self)
        seen["attachments"] = [
            [a.name, a.content_type, hashlib.sha256(a.content).hexdigest()]
            for a in self.attachments
        ]
        for own in ("delivery_id", "organisation_id", "open_tracking"):
            del seen[own]
        return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has it. ``provider_id`` may be empty: not every answer carries one."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider will not send it, ever. ``recipient_invalid``: the address is to blame;
    ``opted_out``: the recipient told the provider to stop. ``asked``: False when we refused it
    ourselves, which says nothing about whether the account works."""

    reason: str
    code: str
    recipient_invalid: bool = False
    opted_out: bool = False
    asked: bool = True


@dataclass(frozen=True, slots=True)
class NotSent:
    """It has certainly not left; try again, after ``retry_after`` when the provider says so.

    ``holds_channel``: the provider refuses this account or is misconfigured for it, whatever the
    message: nothing of this account can leave until somebody mends it. ``retry_after`` is not
    given then; the sender chooses the pause.
    """

    reason: str
    retry_after: timedelta | None = None
    holds_channel: bool = False


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Nobody knows whether it left: never send again before a look-up or a person says no."""

    reason: str


Result = Accepted | Rejected | NotSent | Ambiguous


@dataclass(frozen=True, slots=True)
class Found:
    provider_id: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """The provider answered and does not have it (yet)."""


@dataclass(frozen=True, slots=True)
class CannotTell:
    """The look-up itself failed, or this account may not look up."""

    reason: str


LookUp = Found | NotFound | CannotTell


class Channel(Protocol):
    """One account at one provider. Used from several threads at once."""

    @property
    def name(self) -> str:
        """The provider's name, as it is stored with a delivery."""

    @property
    def type(self) -> ActionType: ...

    @property
    def account(self) -> str:
        """The mark of the account (``channels.fingerprint``), stored with each delivery: the same
        key is the same message, and a look-up finds it, at the same account alone."""

    @property
    def signers(self) -> tuple[str, ...]:
        """The marks of the keys that sign this account's callbacks; none where none can come."""

    @property
    def idempotent(self) -> bool:
        """Sending the same ``delivery_id`` again has no second effect, at the same account."""

    def send(self, message: Message) -> Result:
        """One attempt, no retry, in bounded time. Never raises for transport. A message of another
        type is Rejected before anything is handed over (``not_its_type``)."""


def not_its_type(channel: Channel, message: Message) -> Rejected | None:
    """A message that would enter a channel of another type: a mistake of ours, which says nothing
    about the recipient's address."""
    if message.channel is channel.type:
        return None
    reason = (
        f"a mistake of this program: {channel.name} sends {channel.type}, not {message.channel}"
    )
    return Rejected(f"{reason}; nothing was sent", "type", asked=False)


@runtime_checkable
class LooksUp(Protocol):
    """A channel that can find a message whose answer was lost."""

    def look_up(self, message: Message, since: datetime) -> LookUp:
        """Whether the provider has this very message, handed over after ``since`` (UTC)."""


def one_line(text: str, limit: int) -> str:
    """The text as one header line: control characters and line breaks gone, cut to ``limit``."""
    line = " ".join(LINE_CONTROL.sub(" ", text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


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
    header_text("sender name", message.sender_name, MAX_NAME)
    for part, address in (("sender", message.sender_address), ("reply-to", message.reply_to)):
        if address:
            _address(part, address, message.channel)
    if message.channel is ActionType.EMAIL and not message.sender_address:
        raise BadMessage("sender", "an email needs the address of its sender")
    _check_recipients(message)
    _check_headers(message)
    for part, text in (("text", message.text), ("html", message.html or "")):
        if len(text) > MAX_TEXT:
            raise BadMessage(part, f"is longer than {MAX_TEXT} characters")
        if TEXT_CONTROL.search(text):
            raise BadMessage(part, "has a control character")
    if not message.text.strip():
        raise BadMessage("text", "is empty")
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
        if not _HEADER_NAME.fullmatch(name) or lower in _RESERVED or lower in seen:
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
