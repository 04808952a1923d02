"""A message as the body of SendGrid's POST /v3/mail/send."""

from __future__ import annotations

import base64
from typing import Any

from messages.email_address import for_the_wire, in_ascii
from messages.message import Message, Recipient, Role
from providers.sendgrid.reply_address import reply_address


def request(message: Message, inbound_domain: str = "") -> dict[str, Any]:
    """The body of POST /v3/mail/send. With ``inbound_domain`` customers' replies come to us. Raises
    BadAddress for an address that SendGrid cannot carry."""
    body: dict[str, Any] = {
        "personalizations": [_personalization(message)],
        "from": _person(message.sender_address, message.sender_name),
        "subject": message.subject,
        "content": _content(message),
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": {"enable": message.open_tracking},
            "subscription_tracking": {"enable": False},
            "ganalytics": {"enable": False},
        },
    }
    reply_to = message.reply_to
    if inbound_domain:
        reply_to = reply_address(message.delivery_id, inbound_domain)
    if reply_to:
        body["reply_to"] = _person(reply_to, "")
    if message.headers:
        body["headers"] = dict(message.headers)
    if message.attachments:
        body["attachments"] = _attachments(message)
    return body


def unique(recipients: tuple[Recipient, ...]) -> dict[Role, list[Recipient]]:
    """Each address once, in its most visible role, because SendGrid refuses duplicates."""
    chosen: dict[Role, list[Recipient]] = {role: [] for role in Role}
    seen: set[str] = set()
    for role in Role:
        for recipient in recipients:
            address = in_ascii(recipient.address).casefold()
            if recipient.role is role and address not in seen:
                seen.add(address)
                chosen[role].append(recipient)
    return chosen


def _personalization(message: Message) -> dict[str, Any]:
    """The recipients, and our delivery id, which SendGrid gives back in events and logs."""
    found: dict[str, Any] = {"custom_args": {"dunning_delivery_id": message.delivery_id}}
    for role, recipients in unique(message.recipients).items():
        if recipients:
            found[role.value] = [_person(r.address, r.name) for r in recipients]
    return found


def _content(message: Message) -> list[dict[str, str]]:
    """Leaves an empty HTML part out, because SendGrid refuses it."""
    parts = [{"type": "text/plain", "value": message.text}]
    if message.html and message.html.strip():
        parts.append({"type": "text/html", "value": message.html})
    return parts


def _attachments(message: Message) -> list[dict[str, str]]:
    return [
        {
            "content": base64.b64encode(a.content).decode(),
            "filename": a.name,
            "type": a.content_type,
            "disposition": "attachment",
        }
        for a in message.attachments
    ]


def _person(address: str, name: str) -> dict[str, str]:
    email = for_the_wire(address)
    return {"email": email, "name": name} if name else {"email": email}
