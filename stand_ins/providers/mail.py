"""Reads an email as SendGrid does and checks it: by the schema of SendGrid's document, and here for
what that document says in words only."""

from __future__ import annotations

import base64
import json
from typing import Any

from stand_ins.providers import specification
from stand_ins.providers.server import Request

MAX_RECIPIENTS = 1000
MAX_CUSTOM_ARGS = 10_000  # bytes
#: Headers that may not be set, in lower case (the description of ``headers`` in the document).
RESERVED = frozenset(
    {
        "x-sg-id",
        "x-sg-eid",
        "received",
        "dkim-signature",
        "content-type",
        "content-transfer-encoding",
        "to",
        "from",
        "subject",
        "reply-to",
        "cc",
        "bcc",
    }
)


class Refused(Exception):
    """A request that SendGrid answers with 400, and the field it names."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


def read(request: Request) -> dict[str, Any]:
    """The JSON object of the request. Raises Refused."""
    try:
        value = json.loads(request.body)
    except ValueError:
        value = None
    if request.header("Content-Type") != "application/json" or not isinstance(value, dict):
        raise Refused("Bad Request")
    return value


def checked(mail: dict[str, Any]) -> tuple[str, ...]:
    """Every address of the mail. Raises Refused, also for a second block: we never send one."""
    for wrong in specification.wrong("sendgrid", "mail", mail):
        raise Refused(wrong.message, wrong.field or None)
    blocks = mail["personalizations"]
    if len(blocks) != 1:
        raise Refused("The personalizations field is required: one block", "personalizations")
    for place, part in (("", mail), ("personalizations.0.", blocks[0])):
        for name in part.get("headers", {}):
            if name.lower() in RESERVED:
                raise Refused(f"The header {name} may not be set", f"{place}headers.{name}")
    if len(json.dumps(blocks[0].get("custom_args", {})).encode()) > MAX_CUSTOM_ARGS:
        raise Refused("may not exceed 10,000 bytes", "personalizations.0.custom_args")
    if "reply_to" in mail and "reply_to_list" in mail:
        raise Refused("Use reply_to or reply_to_list, but not both", "reply_to_list")
    kinds = [content["type"] for content in mail["content"]]
    if "text/plain" in kinds[1:]:
        raise Refused("If present, text/plain must be first, followed by text/html.", "content")
    _check_attachments(mail)
    return _addresses(blocks[0])


def _check_attachments(mail: dict[str, Any]) -> None:
    for n, attachment in enumerate(mail.get("attachments", [])):
        try:
            base64.b64decode(attachment["content"], validate=True)
        except ValueError:
            text = "The attachment content must be base64 encoded."
            raise Refused(text, f"attachments.{n}.content") from None


def _addresses(block: dict[str, Any]) -> tuple[str, ...]:
    people = [person for role in ("to", "cc", "bcc") for person in block.get(role, [])]
    if len(people) > MAX_RECIPIENTS:
        raise Refused("The total number of recipients must be at most 1000", "personalizations")
    seen: dict[str, str] = {}
    for person in people:
        address = person["email"]
        if address.casefold() in seen:
            text = "Each email address in the personalization block should be unique"
            raise Refused(f"{text} between to, cc, and bcc: {address}", "personalizations")
        seen[address.casefold()] = address
    return tuple(seen.values())
