"""A letter as Lob reads it: JSON or a form, and what its specification demands (lob-openapi)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qsl

from bench.stand_ins.server import Request

_STATE = re.compile(r"[A-Za-z]{2}")
_ZIP = re.compile(r"[0-9]{5}(-[0-9]{4})?")
_COUNTRY = re.compile(r"[A-Z]{2}")
_EXTRA = {None, "certified", "certified_return_receipt", "registered"}
_LENGTHS = {"name": 40, "company": 40}
_LENGTHS_US = {"address_line1": 64, "address_line2": 64, "address_city": 200}
_LENGTHS_ABROAD = {"address_line1": 200, "address_line2": 200, "address_city": 200}


class Refused(Exception):
    """A letter that Lob answers with 422."""


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
            return _nested(parse_qsl(request.body.decode(), keep_blank_values=True))
        if kind == "multipart/form-data":
            return _nested(_parts(declared, request.body))
    except ValueError as error:
        raise Refused("the body cannot be read") from error
    raise Refused(f"Content-Type {kind} is not supported")


def checked(letter: dict[str, Any]) -> dict[str, Any]:
    """The same letter, its metadata always there. Raises Refused."""
    for name in ("to", "from", "file", "color", "use_type"):
        if letter.get(name) in (None, ""):
            raise Refused(f"{name} is required")
    _address("to", letter["to"])
    _address("from", letter["from"])
    if letter["from"].get("address_country", "US") != "US":
        raise Refused("from must be a US address")
    file = letter["file"]
    content = file.encode("utf-8", "replace") if isinstance(file, str) else file
    if not isinstance(content, bytes) or not content.startswith(b"%PDF"):
        raise Refused("file must be a PDF")
    letter["color"] = _flag("color", letter["color"])
    if "double_sided" in letter:
        letter["double_sided"] = _flag("double_sided", letter["double_sided"])
    if letter["use_type"] not in {"marketing", "operational"}:
        raise Refused("use_type must be one of [marketing, operational]")
    if letter.get("mail_type", "usps_first_class") not in {"usps_first_class", "usps_standard"}:
        raise Refused("mail_type must be one of [usps_first_class, usps_standard]")
    extra = letter.get("extra_service")
    if extra not in _EXTRA:
        raise Refused("extra_service must be one of [certified, ..., registered]")
    abroad = letter["to"].get("address_country", "US") != "US"
    if extra is not None and abroad != (extra == "registered"):
        raise Refused(f"extra_service {extra} is not available for this destination")
    metadata = letter.setdefault("metadata", {})
    if not isinstance(metadata, dict) or len(metadata) > 20:
        raise Refused("metadata must be an object of at most 20 keys")
    for name, value in metadata.items():
        if not isinstance(value, str) or len(name) > 40 or len(value) > 500:
            raise Refused(f"metadata {name} is not a text or too long")
    return letter


def _address(part: str, address: Any) -> None:
    if not isinstance(address, Mapping):
        raise Refused(f"{part} must be an address")
    if not address.get("name") and not address.get("company"):
        raise Refused(f"{part}.name or {part}.company is required")
    country = address.get("address_country", "US")
    if not isinstance(country, str) or not _COUNTRY.fullmatch(country):
        raise Refused(f"{part}.address_country must be a 2 letter country short-name code")
    needed = ["address_line1"]
    if country == "US":
        needed += ["address_city", "address_state", "address_zip"]
    for name in needed:
        if not address.get(name):
            raise Refused(f"{part}.{name} is required")
    for name, most in (_LENGTHS | (_LENGTHS_US if country == "US" else _LENGTHS_ABROAD)).items():
        value = address.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > most):
            raise Refused(f"{part}.{name} must be a text of at most {most} characters")
    if country == "US" and not _STATE.fullmatch(str(address["address_state"])):
        raise Refused(f"{part}.address_state must be a 2 letter state short-name code")
    if country == "US" and not _ZIP.fullmatch(str(address["address_zip"])):
        raise Refused(f"{part}.address_zip must be in a valid zip format")


def _flag(name: str, value: Any) -> bool:
    if value not in (True, False, "true", "false"):
        raise Refused(f"{name} must be a boolean")
    return value in (True, "true")


def _nested(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        outer, bracket, inner = name.partition("[")
        if bracket:
            found.setdefault(outer, {})[inner.removesuffix("]")] = value
        else:
            found[name] = value
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
