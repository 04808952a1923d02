"""Reads a letter as Lob does, from JSON or a form, and checks it: by the schema of Lob's document,
and here for what that document says in words only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qsl

from stand_ins.providers import specification
from stand_ins.providers.server import Request

MAX_LINES_US = 50  # both lines of a US street together
_FLAGS = {"true": True, "false": False}


class Refused(Exception):
    """A letter that Lob answers with 422."""

    def __init__(self, message: str, *, code: str = "invalid") -> None:
        super().__init__(message)
        self.code = code


def fields(request: Request) -> dict[str, Any]:
    """The letter's fields, with ``to[name]`` as ``{"to": {"name": …}}``. Raises Refused."""
    declared = request.header("Content-Type")
    kind = declared.partition(";")[0].strip()
    try:
        if kind == "application/json":
            value = json.loads(request.body)
            if not isinstance(value, dict):
                raise Refused("the body must be an object")
            return value
        if kind == "application/x-www-form-urlencoded":
            return nested(parse_qsl(request.body.decode(), keep_blank_values=True))
        if kind == "multipart/form-data":
            return nested(_parts(declared, request.body))
    except ValueError as error:
        raise Refused("the body cannot be read") from error
    raise Refused(f"Content-Type {kind} is not supported")


def checked(letter: dict[str, Any]) -> dict[str, Any]:
    """The same letter, its metadata always there. Raises Refused."""
    content = letter.get("file")
    content = content.encode("utf-8", "replace") if isinstance(content, str) else content
    if not isinstance(content, bytes) or not content.startswith(b"%PDF"):
        raise Refused("file is required, and must be a PDF", code="invalid_file")
    for name in ("color", "double_sided"):
        if isinstance(letter.get(name), str):  # of a form
            letter[name] = _FLAGS.get(letter[name], letter[name])
    for wrong in specification.wrong("lob", "letter_request", _without(letter, "file")):
        raise Refused(f"{wrong.field} {wrong.message}".strip())
    _check_place(letter)
    letter.setdefault("metadata", {})
    return letter


def _check_place(letter: Mapping[str, Any]) -> None:
    """Checks that depend on the destination; Lob's document has them in words only."""
    for part in ("to", "from"):
        address = letter[part]
        lines = address["address_line1"], address.get("address_line2", "")
        if address.get("address_country", "US") == "US" and len("".join(lines)) > MAX_LINES_US:
            text = f"{part}.address_line1 and address_line2 must be at most {MAX_LINES_US} together"
            raise Refused(text, code="address_length_exceeds_limit")
    extra = letter.get("extra_service")
    abroad = letter["to"].get("address_country", "US") != "US"
    if extra is not None and abroad != (extra == "registered"):
        raise Refused(f"extra_service {extra} is not available for this destination")


def _without(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != name}


def nested(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        outer, bracket, inner = name.partition("[")
        place = found.setdefault(outer, {}) if bracket else found
        key = inner.removesuffix("]") if bracket else name
        if not isinstance(place, dict) or key in place:
            raise ValueError(f"{name} is given twice")
        place[key] = value
    return found


def _parts(declared: str, body: bytes) -> list[tuple[str, Any]]:
    """The parts of a multipart form: a file as bytes, JSON as its value, the others as text."""
    boundary = message_from_bytes(f"Content-Type: {declared}\r\n\r\n".encode()).get_boundary()
    if not boundary:
        raise ValueError("no boundary")
    found: list[tuple[str, Any]] = []
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = message_from_bytes(head + b"\r\n\r\n")
        name = str(headers.get_param("name", header="content-disposition"))
        if headers.get_filename() is not None:
            found.append((name, content))
        elif headers.get_content_type() == "application/json":
            found.append((name, json.loads(content)))
        else:
            found.append((name, content.decode()))
    return found
