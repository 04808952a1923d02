"""What SendGrid calls back: the reports of its event webhook, and customers' replies to emails."""

from __future__ import annotations

import base64
import codecs
import html
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import Message as Mail
from email.parser import BytesParser
from email.policy import Compat32
from typing import Any

import nh3
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from sendgrid.helpers.eventwebhook import EventWebhook

from dunning.delivery import DeliveryFact
from dunning.learnt import Event, Reply
from messages.message import MAX_ADDRESS, MAX_SUBJECT, TEXT_CONTROL, one_line
from providers.callback import BadCallback, Callback

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_REPLY_ADDRESS = re.compile(rf"(?<![\w.+-])reply\+({_UUID})@", re.IGNORECASE)
_MAX_REASON = 500


def reply_address(delivery_id: str, domain: str) -> str:
    """Where an answer to this delivery goes: the way back of ``reference_in``."""
    return f"reply+{delivery_id}@{domain}"


def reference_in(address: str) -> str:
    """The delivery id in the first reply address of a header or a bare address; empty without."""
    found = _REPLY_ADDRESS.search(address)
    return found[1].lower() if found else ""


#: A callback that fails is repeated for 24 hours; nobody says whether it is then signed anew.
MAX_AGE = timedelta(hours=24, minutes=10)
MAX_AHEAD = timedelta(minutes=5)


def verified(
    keys: Sequence[str], callback: Callback, now: datetime, *, max_age: timedelta = MAX_AGE
) -> bool:
    """Whether one of these public keys signed this call, not too long before ``now`` (UTC).

    Both of SendGrid's callbacks: the signed event webhook and the security policy of the inbound
    parse sign the timestamp and the raw body (ECDSA, P-256, SHA-256). Never raises.
    """
    stamp = callback.headers.get("x-twilio-email-event-webhook-timestamp", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        return False
    age = now.timestamp() - int(stamp)
    if not -MAX_AHEAD.total_seconds() <= age <= max_age.total_seconds():
        return False
    try:
        given = callback.headers.get("x-twilio-email-event-webhook-signature", "")
        signature = base64.b64decode(given, validate=True)
    except ValueError:
        return False
    return any(_signed(key, signature, stamp.encode() + callback.body) for key in keys)


def _signed(key: str, signature: bytes, text: bytes) -> bool:
    """The library reads the key. Its ``verify_signature`` takes text alone, and an inbound email
    with an attachment is not text."""
    try:
        EventWebhook("".join(key.split())).public_key.verify(
            signature, text, ec.ECDSA(hashes.SHA256())
        )
    except Exception:  # noqa: BLE001 - another signature, no key, a key of another kind
        return False
    return True


def read(callback: Callback, now: datetime) -> list[Event | Reply]:
    """The reports of the event webhook (``…/webhooks/sendgrid`` and one more part at most), or the
    reply of the inbound parse (``…/inbound``).

    ``now`` (UTC) stands for a time that is missing or impossible. An entry of the event webhook
    that makes no sense, or that is about no message, is left out. Raises BadCallback.
    """
    path = callback.url.partition("?")[0].rstrip("/")
    if path.endswith("/inbound"):
        return [_reply(callback, now)]
    if not re.search(r"/webhooks/sendgrid(/[^/]+)?\Z", path):
        raise BadCallback("this is not an address of SendGrid's callbacks")
    try:
        entries = json.loads(callback.body)
    except (ValueError, RecursionError):
        raise BadCallback("the body is not JSON") from None
    if not isinstance(entries, list):
        raise BadCallback("the body is not a list of events")
    return [event for entry in entries if isinstance(entry, dict) for event in _events(entry, now)]


#: What each event of the webhook says, where its name alone decides.
_FACTS = {
    "processed": DeliveryFact.SENT,
    "deferred": DeliveryFact.SENT,
    "delivered": DeliveryFact.RECEIVED,
    "bounce": DeliveryFact.BOUNCED,
    "dropped": DeliveryFact.FAILED,
    "open": DeliveryFact.OPENED,
    "click": DeliveryFact.CLICKED,
    "spamreport": DeliveryFact.COMPLAINED,
    "unsubscribe": DeliveryFact.UNSUBSCRIBED,
    "group_unsubscribe": DeliveryFact.UNSUBSCRIBED,
    "group_resubscribe": DeliveryFact.RESUBSCRIBED,
}
#: Why SendGrid did not even try, where the recipient is the reason.
_DROPPED = {
    "bounced address": (DeliveryFact.BOUNCED, "the address has bounced before"),
    "invalid": (DeliveryFact.BOUNCED, "the address is not valid"),
    "unsubscribed address": (DeliveryFact.UNSUBSCRIBED, "the address is unsubscribed at SendGrid"),
    "spam reporting address": (
        DeliveryFact.COMPLAINED,
        "the recipient has reported mail as spam before",
    ),
}
_DELIVERY = re.compile(_UUID, re.IGNORECASE)
_SENDGRID_BEGAN = datetime(2009, 1, 1, tzinfo=UTC).timestamp()


def _events(entry: dict[str, Any], now: datetime) -> list[Event]:
    """What SendGrid did not try because of the recipient's wish is that wish, and a failure."""
    event = _event(entry, now)
    if event is None:
        return []
    dropped = entry.get("event") == "dropped"
    if dropped and event.fact in (DeliveryFact.UNSUBSCRIBED, DeliveryFact.COMPLAINED):
        return [event, replace(event, fact=DeliveryFact.FAILED)]
    return [event]


def _event(entry: dict[str, Any], now: datetime) -> Event | None:
    """None for what is about no message: a change of the account, an event of a later year."""
    kind = _said(entry, "event", 50)
    fact = _FACTS.get(kind)
    if fact is None:
        return None
    reason = _said(entry, "response" if kind == "deferred" else "reason")
    if fact is DeliveryFact.BOUNCED and _said(entry, "type") == "blocked":
        fact = DeliveryFact.BLOCKED
    elif fact is DeliveryFact.FAILED:
        fact, why = _DROPPED.get(reason.lower(), (fact, reason or "SendGrid does not say why"))
        reason = f"not attempted: {why}"
    elif fact is DeliveryFact.OPENED and entry.get("sg_machine_open") in (True, "true"):
        fact = DeliveryFact.OPENED_BY_MACHINE
    address = _said(entry, "email", MAX_ADDRESS)
    if not address:  # an empty one means every recipient, and nobody said that
        fact = DeliveryFact.NOTED
    delivery_id = _said(entry, "dunning_delivery_id")
    return Event(
        fact=fact,
        at=_at(entry.get("timestamp"), now),
        delivery_id=delivery_id.lower() if _DELIVERY.fullmatch(delivery_id) else "",
        provider_id=_said(entry, "sg_message_id", 200).split(".")[0],
        address=address,
        reason=reason,
        code=_said(entry, "status", 50),
        key=_said(entry, "sg_event_id", 200),
    )


def _said(entry: dict[str, Any], name: str, limit: int = _MAX_REASON) -> str:
    value = entry.get(name)
    return one_line(str(value), limit) if isinstance(value, str | int) else ""


def _at(value: object, now: datetime) -> datetime:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        value = int(value)
    latest = now.timestamp() + timedelta(days=1).total_seconds()
    if isinstance(value, int | float) and _SENDGRID_BEGAN <= value <= latest:
        return datetime.fromtimestamp(value, UTC)
    return now.astimezone(UTC)


#: Characters of a reply that are kept, the quoted original among them.
MAX_REPLY = 20_000
#: Stripping tags takes the square of their depth: this much is a second at worst.
_MAX_HTML = 60_000
_MACHINES_PRECEDENCE = frozenset({"bulk", "list", "junk", "auto_reply"})
_SUPPRESSES_ANSWERS = re.compile(r"\b(all|oof|autoreply)\b", re.IGNORECASE)
_ANGLED = re.compile(r"<([^<>\s@]+@[^<>\s@]+)>")
_BARE = re.compile(r"[^\s<>()\[\],;:\"@]+@[^\s<>()\[\],;:\"@]+")
_LINE_ENDS = re.compile(r"<(?=br\b|/(?:p|div|tr|li|h[1-6]|blockquote)\b)", re.IGNORECASE)
#: Their decoders take the square of the length, and the sender of an email names its charset.
_SLOW_CHARSETS = frozenset({"idna", "punycode"})


_MAX_HEADER = 2_000


class _ShortHeaders(Compat32):
    """Headers are cut: the time to take one apart grows faster than with the square of its length,
    and whoever writes to us writes them."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_MAX_HEADER]


_SHORT = _ShortHeaders()


def _parsed(email: bytes) -> Mail:
    return BytesParser(policy=_SHORT).parsebytes(email)


def _reply(callback: Callback, now: datetime) -> Reply:
    """``provider_id`` is the Message-ID. The time is ours: an email's own is whatever it says."""
    try:
        fields = _form(callback)
        mail = _parsed(fields.get("email") or fields.get("headers", b""))
        charsets = _object(fields.get("charsets", b""))
        said = {name: _decoded(raw, charsets.get(name)) for name, raw in fields.items()}
        text = said.get("text", "").strip() or _stripped(said.get("html", ""))
        if "email" in fields:
            text = _body(mail, "plain").strip() or _stripped(_body(mail, "html"))
    except RecursionError:
        raise BadCallback("the email is nested too deeply") from None
    if not fields.keys() & {"headers", "email", "from"}:
        raise BadCallback("the body is not an email of the inbound parse")
    envelope = _object(fields.get("envelope", b""))
    arrived = envelope.get("to")
    to = [_address(str(a)) for a in arrived] if isinstance(arrived, list) else []
    to += [_address(said.get("to", "") or _header(mail, "To"))]
    everywhere = " , ".join([*to, *(said.get(f) or _header(mail, f) for f in ("to", "cc"))])
    return Reply(
        at=now.astimezone(UTC),
        sender=_address(_header(mail, "From") or said.get("from", ""))
        or _address(str(envelope.get("from", ""))),
        to=next(filter(None, to), ""),
        subject=one_line(said.get("subject", "") or _header(mail, "Subject"), MAX_SUBJECT),
        text=TEXT_CONTROL.sub(" ", "\n".join(text.splitlines()))[:MAX_REPLY].rstrip(),
        provider_id=one_line(_header(mail, "Message-ID").strip("<> "), 200),
        reference=reference_in(everywhere),
        automatic=envelope.get("from") == "" or _by_machine(mail),
    )


def _form(callback: Callback) -> dict[str, bytes]:
    """The fields of a form without its files. The parser of emails reads it, because it forgives:
    an odd file name of a customer must not lose the reply."""
    kind = " ".join(callback.headers.get("content-type", "").split())
    if not kind.lower().startswith("multipart/form-data"):
        raise BadCallback("the body is not a form")
    head = b"Content-Type: " + kind.encode("latin-1", "replace") + b"\r\n\r\n"
    fields: dict[str, bytes] = {}
    for part in _parts(_parsed(head + callback.body)):
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes) and part.get_filename() is None:
            fields[name] = content
    return fields


def _parts(mail: Mail) -> Iterator[Mail]:
    """The leaves of a multipart, but not those of an email that is attached to it."""
    if mail.is_multipart() and mail.get_content_maintype() == "multipart":
        for part in mail.get_payload():
            if isinstance(part, Mail):
                yield from _parts(part)
    else:
        yield mail


def _body(mail: Mail, kind: str) -> str:
    for part in _parts(mail):
        content = part.get_payload(decode=True)
        if (
            part.get_content_type() == f"text/{kind}"
            and part.get_content_disposition() != "attachment"
            and isinstance(content, bytes)
        ):
            return _decoded(content, part.get_content_charset())
    return ""


def _decoded(content: bytes, charset: object) -> str:
    try:
        codec = codecs.lookup(str(charset or "utf-8")).name
        return content.decode("utf-8" if codec in _SLOW_CHARSETS else codec, "replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")


def _stripped(page: str) -> str:
    """The words of an HTML page, line by line."""
    start = re.search(r"<body\b", page, re.IGNORECASE)
    inner = page[start.start() if start else 0 :][:_MAX_HTML]
    lines = _LINE_ENDS.sub("\n<", " ".join(inner.split()))
    words = html.unescape(nh3.clean(lines, tags=set()))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.strip() for line in words.split("\n"))).strip()


def _by_machine(mail: Mail) -> bool:
    """An absence note or the like, by the marks that RFC 3834 and custom give it."""
    submitted = _header(mail, "Auto-Submitted").partition(";")[0].strip().lower()
    return (
        submitted not in ("", "no")
        or _header(mail, "Precedence").strip().lower() in _MACHINES_PRECEDENCE
        or "X-Autoreply" in mail
        or "X-Autorespond" in mail
        or bool(_SUPPRESSES_ANSWERS.search(_header(mail, "X-Auto-Response-Suppress")))
        or ("Return-Path" in mail and _header(mail, "Return-Path").strip("<> ") == "")
    )


def _header(mail: Mail, name: str) -> str:
    return one_line(str(mail.get(name, "")), _MAX_HEADER)


def _address(header: str) -> str:
    header = one_line(header, _MAX_HEADER)
    found = _ANGLED.findall(header)[-1:] or _BARE.findall(header)[:1]
    return one_line(found[0], MAX_ADDRESS) if found else ""


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
