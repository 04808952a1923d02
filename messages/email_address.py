"""Email addresses as providers take them: the form of RFC 5321, an international domain as ASCII
(RFC 5891, "punycode")."""

from __future__ import annotations

import re

import idna

from messages.message import BadAddress

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_MAX_LOCAL, _MAX_ALL = 64, 254


def check_email(address: str) -> None:
    """Raises BadAddress for an address to which no email can be sent."""
    reason = why_not(address)
    if reason:
        raise BadAddress(address, f"{address!r} is no email address: {reason}")


def for_the_wire(address: str) -> str:
    """The address with its domain in ASCII. Raises BadAddress."""
    check_email(address)
    local, _, domain = address.rpartition("@")
    return f"{local}@{_ascii(domain)}"


def in_ascii(address: str) -> str:
    """``for_the_wire``, but an address without an ASCII form is returned as it is."""
    try:
        return for_the_wire(address)
    except BadAddress:
        return address


def why_not(address: str) -> str:
    """Why no email can be sent to this address; empty if it can be tried."""
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain:
        return "it is not name@domain"
    if not local.isascii():
        return "the name before the @ has letters that email does not know everywhere"
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return "a dot stands first, last or twice before the @"
    if not _LOCAL.fullmatch(local):
        return "the name before the @ has a character that none can have"
    if domain.startswith(".") or domain.endswith(".") or ".." in domain:
        return "a dot stands first, last or twice in the domain"
    try:
        ascii_domain = _ascii(domain)
    except (idna.IDNAError, UnicodeError):
        return "no domain can be named so"
    labels = ascii_domain.split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        return "no domain can be named so"
    if labels[-1].isdigit():
        return "its domain ends with a number"
    if len(local) > _MAX_LOCAL or len(local) + 1 + len(ascii_domain) > _MAX_ALL:
        return f"it is longer than {_MAX_ALL} characters, or than {_MAX_LOCAL} before the @"
    return ""


def _ascii(domain: str) -> str:
    """A domain in ASCII is not checked: an underscore or a double hyphen is allowed."""
    if domain.isascii():
        return domain
    return idna.encode(domain, uts46=True).decode()
