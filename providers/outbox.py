"""The embedded default of every channel: messages go into our own table and a folder, not out.

The table is the truth, the files are for a person with a mail program. Both are keyed by the
delivery, so sending twice leaves one message. What would become of a message is simulated by a
callback that is signed with a key of our own: ``simulated``, ``verified``, ``read``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from dunning.delivery import DeliveryFact
from dunning.learnt import Event, Reply
from dunning.plan import ActionType
from messages.message import Message, Recipient, Role
from providers.callback import BadCallback, Callback
from providers.fingerprint import fingerprint
from providers.port import (
    Accepted,
    CannotTell,
    Found,
    LookUp,
    NotFound,
    NotSent,
    Result,
    not_its_type,
)

_log = logging.getLogger(__name__)

#: The outbox is one account, whatever key signs what is simulated.
OUTBOX_ACCOUNT = fingerprint("outbox")


class Outbox:
    """Rejects nothing of its own type. ``store`` writes the message idempotently by its
    ``delivery_id``, ``has`` says whether it is there; ``folder`` None writes no files (rehearsals).
    A message is ``<organisation_id>/<delivery_id>.eml`` below ``folder``, or ``.txt`` for an SMS
    and a letter.
    """

    name = "outbox"
    account = OUTBOX_ACCOUNT
    signers = ()
    idempotent = True

    def __init__(
        self,
        type: ActionType,  # noqa: A002
        store: Callable[[Message], None],
        folder: Path | None = None,
        has: Callable[[str], bool] | None = None,
    ) -> None:
        self.type = type
        self._store = store
        self._has = has
        self._folder = folder

    def send(self, message: Message) -> Result:
        wrong = not_its_type(self, message)
        if wrong is not None:
            return wrong
        try:
            if self._folder is None:
                self._store(message)
            else:
                self._store_and_write(message, self._folder)
        except Exception as error:  # noqa: BLE001 - nothing left: the caller tries again
            _log.warning("outbox: %s was not stored: %s", message.delivery_id, error)
            return NotSent("the outbox could not store it; the log says why")
        return Accepted(f"outbox-{message.delivery_id}")

    def look_up(self, message: Message, since: datetime) -> LookUp:
        if self._has is None:
            return CannotTell("this outbox cannot be asked")
        try:
            known = self._has(message.delivery_id)
        except Exception as error:  # noqa: BLE001 - it is asked again
            _log.warning("outbox: %s was not looked up: %s", message.delivery_id, error)
            return CannotTell("the outbox did not answer; the log says why")
        return Found(f"outbox-{message.delivery_id}") if known else NotFound()

    def _store_and_write(self, message: Message, folder: Path) -> None:
        """What can fail comes before the table, and the file appears whole or not at all."""
        is_mail = message.channel is ActionType.EMAIL
        content = as_eml(message) if is_mail else as_txt(message).encode()
        place = folder / message.organisation_id
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.mkdir(mode=0o700, exist_ok=True)
        draft = place / f".{message.delivery_id}.{os.getpid()}.{id(message)}"
        try:
            with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as f:
                f.write(content)
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
        name = "" if address.startswith(recipient.name) else recipient.name
        lines.append(f"To: {name} {address}".replace("  ", " "))
    if message.subject:
        lines.append(f"Subject: {message.subject}")
    lines += [f"Attachment: {a.name}" for a in message.attachments]
    return "\n".join([*lines, "", message.text, ""])


def _address(recipient: Recipient) -> Address:
    user, _, domain = recipient.address.rpartition("@")
    return Address(display_name=recipient.name, username=user, domain=domain)


#: What can be simulated, and the reason that is given for it.
SIMULATED: dict[str, tuple[DeliveryFact, str]] = {
    "delivered": (DeliveryFact.RECEIVED, ""),
    "opened": (DeliveryFact.OPENED, ""),
    "clicked": (DeliveryFact.CLICKED, ""),
    "bounced": (DeliveryFact.BOUNCED, "there is no such address (simulated)"),
    "failed": (DeliveryFact.FAILED, "the provider could not get it out (simulated)"),
    "returned": (DeliveryFact.RETURNED, "the post returned it to the sender (simulated)"),
    "complained": (DeliveryFact.COMPLAINED, ""),
    "unsubscribed": (DeliveryFact.UNSUBSCRIBED, ""),
}
_SIGNATURE, _TIMESTAMP = "x-dunning-signature", "x-dunning-timestamp"
_WINDOW = timedelta(minutes=5)


def simulated(key: str, url: str, delivery_id: str, event: str, at: datetime) -> Callback:
    """A signed callback of the outbox. KeyError for an event that is none of SIMULATED."""
    fact, reason = SIMULATED[event]
    body = json.dumps(
        {"delivery_id": delivery_id, "fact": fact.value, "reason": reason, "at": at.isoformat()}
    ).encode()
    stamp = str(int(at.timestamp()))
    headers = {
        "content-type": "application/json",
        _TIMESTAMP: stamp,
        _SIGNATURE: _sign(key, stamp, body),
    }
    return Callback(url, body, headers)


def verified(keys: Sequence[str], callback: Callback, now: datetime) -> bool:
    """Whether one of our keys signed it, not more than five minutes ago. Never raises."""
    stamp, signature = callback.headers.get(_TIMESTAMP, ""), callback.headers.get(_SIGNATURE, "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        return False
    if abs(now - datetime.fromtimestamp(int(stamp), UTC)) > _WINDOW:
        return False
    signs = [_sign(key, stamp, callback.body) for key in keys if key]
    return any(hmac.compare_digest(s.encode(), signature.encode()) for s in signs)


def read(callback: Callback, now: datetime) -> list[Event | Reply]:
    """The one event of a simulated callback. Raises BadCallback."""
    try:
        data = json.loads(callback.body)
        return [
            Event(
                fact=DeliveryFact(data["fact"]),
                at=min(datetime.fromisoformat(data["at"]), now),
                delivery_id=str(data["delivery_id"]),
                reason=str(data["reason"]),
            )
        ]
    except (ValueError, KeyError, TypeError):
        raise BadCallback("this is no callback of the outbox") from None


def _sign(key: str, stamp: str, body: bytes) -> str:
    return hmac.new(key.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
