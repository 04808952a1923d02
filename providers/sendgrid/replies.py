"""Reads a callback of SendGrid's inbound parse as a customer's reply."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.message import Message as Mail
from typing import Any

from dunning.learnt import Reply
from messages.lines import TEXT_CONTROL, one_line
from messages.message import MAX_SUBJECT
from providers.callback import BadCallback, Callback
from providers.sendgrid import mail as email
from providers.sendgrid.reply_address import reference_in

#: The most characters of a reply that are stored, including the quoted original.
MAX_REPLY = 20_000


def reply(callback: Callback, now: datetime) -> Reply:
    """``provider_id`` is the Message-ID. The time is ``now`` (UTC), because an email's own Date
    cannot be trusted. Raises BadCallback."""
    try:
        fields = _form(callback)
        mail = email.parsed(fields.get("email") or fields.get("headers", b""))
        charsets = _object(fields.get("charsets", b""))
        texts = {name: email.decoded(raw, charsets.get(name)) for name, raw in fields.items()}
        text = texts.get("text", "").strip() or email.stripped(texts.get("html", ""))
        if "email" in fields:
            text = email.body(mail, "plain").strip() or email.stripped(email.body(mail, "html"))
    except RecursionError:
        raise BadCallback("the email is nested too deeply") from None
    if not fields.keys() & {"headers", "email", "from"}:
        raise BadCallback("the body is not an email of the inbound parse")
    envelope = _object(fields.get("envelope", b""))
    to = _recipients(envelope, texts, mail)
    everywhere = [*to, *(texts.get(name) or email.header(mail, name) for name in ("to", "cc"))]
    return Reply(
        at=now.astimezone(UTC),
        sender=email.address(email.header(mail, "From") or texts.get("from", ""))
        or email.address(str(envelope.get("from", ""))),
        subject=one_line(texts.get("subject", "") or email.header(mail, "Subject"), MAX_SUBJECT),
        text=TEXT_CONTROL.sub(" ", "\n".join(text.splitlines()))[:MAX_REPLY].rstrip(),
        provider_id=one_line(email.header(mail, "Message-ID").strip("<> "), 200),
        reference=reference_in(" , ".join(everywhere)),
        automatic=envelope.get("from") == "" or email.by_machine(mail),
    )


def _recipients(envelope: dict[str, Any], texts: dict[str, str], mail: Mail) -> list[str]:
    """The addresses at which it arrived, then the address in its To header."""
    arrived = envelope.get("to")
    to = [email.address(str(a)) for a in arrived] if isinstance(arrived, list) else []
    return [*to, email.address(texts.get("to", "") or email.header(mail, "To"))]


def _form(callback: Callback) -> dict[str, bytes]:
    """The fields of a form without its files. The email parser reads the form, because it is
    lenient: an unusual file name must not lose the reply. Raises BadCallback."""
    kind = " ".join(callback.headers.get("content-type", "").split())
    if not kind.lower().startswith("multipart/form-data"):
        raise BadCallback("the body is not a form")
    head = b"Content-Type: " + kind.encode("latin-1", "replace") + b"\r\n\r\n"
    fields: dict[str, bytes] = {}
    for part in email.parts(email.parsed(head + callback.body)):
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes) and part.get_filename() is None:
            fields[name] = content
    return fields


def _object(raw: bytes) -> dict[str, Any]:
    """The JSON object; empty for anything else."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
