"""A mail as SendGrid reads it, and what its specification demands (sendgrid-oai, mail/send)."""

from __future__ import annotations

import json
import re
from typing import Any

from bench.stand_ins.server import Request

_EMAIL = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+")


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
    blocks = mail.get("personalizations")
    if not isinstance(blocks, list) or len(blocks) != 1 or not isinstance(blocks[0], dict):
        raise Refused("The personalizations field is required: one block", "personalizations")
    if not blocks[0].get("to"):
        raise Refused(
            "The to array is required for all personalization objects.", "personalizations.0.to"
        )
    seen: list[str] = []
    for role in ("to", "cc", "bcc"):
        for n, person in enumerate(blocks[0].get(role, [])):
            address = _address(person, f"personalizations.0.{role}.{n}.email")
            if address.casefold() in (other.casefold() for other in seen):
                text = "Each email address in the personalization block should be unique"
                raise Refused(f"{text} between to, cc, and bcc: {address}", "personalizations")
            seen.append(address)
    arguments = blocks[0].get("custom_args", {})
    if not isinstance(arguments, dict) or not all(isinstance(v, str) for v in arguments.values()):
        text = "The custom_args must be an object of strings."
        raise Refused(text, "personalizations.0.custom_args")
    if not isinstance(mail.get("custom_args", ""), str):
        raise Refused("Invalid type. Expected: string, given: object.", "custom_args")
    _address(mail.get("from"), "from.email")
    if not isinstance(mail.get("subject"), str) or not mail["subject"]:
        raise Refused("The subject is required.", "subject")
    contents = mail.get("content")
    if not isinstance(contents, list) or not contents:
        raise Refused("The content field is required.", "content")
    for n, content in enumerate(contents):
        if not isinstance(content, dict) or not isinstance(content.get("value"), str):
            raise Refused("The content value must be a string.", f"content.{n}.value")
        if not content["value"] or not content.get("type"):
            text = "The content value must be a string at least one character in length."
            raise Refused(text, f"content.{n}.value")
    kinds = [content["type"] for content in contents]
    if "text/plain" in kinds[1:]:
        raise Refused("If present, text/plain must be first, followed by text/html.", "content")
    return tuple(seen)


def _address(person: Any, field: str) -> str:
    address = person.get("email") if isinstance(person, dict) else None
    if not isinstance(address, str) or not _EMAIL.fullmatch(address):
        raise Refused("Does not contain a valid address.", field)
    return address
