"""Reads an email from a customer: its parts, texts and addresses.

Nothing in it can be trusted, so sizes are limited before anything is parsed.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator
from email.message import Message as Mail
from email.parser import BytesParser
from email.policy import Compat32

import nh3

from messages.lines import one_line
from messages.message import MAX_ADDRESS

#: Stripping tags takes quadratic time in their depth: with this many characters at most a second.
_MAX_HTML = 60_000
_MAX_HEADER = 2_000
_ANGLED = re.compile(r"<([^<>\s@]+@[^<>\s@]+)>")
_BARE = re.compile(r"[^\s<>()\[\],;:\"@]+@[^\s<>()\[\],;:\"@]+")
_LINE_ENDS = re.compile(r"<(?=br\b|/(?:p|div|tr|li|h[1-6]|blockquote)\b)", re.IGNORECASE)
#: Charsets whose decoders take quadratic time. An email's sender chooses its charset.
_SLOW_CHARSETS = frozenset({"idna", "punycode"})
_MACHINES_PRECEDENCE = frozenset({"bulk", "list", "junk", "auto_reply"})
_SUPPRESSES_ANSWERS = re.compile(r"\b(all|oof|autoreply)\b", re.IGNORECASE)


class _ShortHeaders(Compat32):
    """Cuts long headers: parsing a header takes more than quadratic time in its length."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_MAX_HEADER]


_SHORT = _ShortHeaders()


def parsed(email: bytes) -> Mail:
    """Raises RecursionError for an email that is nested too deeply."""
    return BytesParser(policy=_SHORT).parsebytes(email)


def parts(mail: Mail) -> Iterator[Mail]:
    """The leaves of a multipart. An attached email is one leaf."""
    if mail.is_multipart() and mail.get_content_maintype() == "multipart":
        for part in mail.get_payload():
            if isinstance(part, Mail):
                yield from parts(part)
    else:
        yield mail


def body(mail: Mail, kind: str) -> str:
    """The first ``text/<kind>`` that is not an attachment; empty if there is none."""
    for part in parts(mail):
        content = part.get_payload(decode=True)
        if (
            part.get_content_type() == f"text/{kind}"
            and part.get_content_disposition() != "attachment"
            and isinstance(content, bytes)
        ):
            return decoded(content, part.get_content_charset())
    return ""


def decoded(content: bytes, charset: object) -> str:
    """The text; read as UTF-8 if the charset is unknown or slow to decode."""
    try:
        codec = codecs.lookup(str(charset or "utf-8")).name
        return content.decode("utf-8" if codec in _SLOW_CHARSETS else codec, "replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")


def stripped(page: str) -> str:
    """The text of an HTML page, line by line."""
    start = re.search(r"<body\b", page, re.IGNORECASE)
    inner = page[start.start() if start else 0 :][:_MAX_HTML]
    lines = _LINE_ENDS.sub("\n<", " ".join(inner.split()))
    words = html.unescape(nh3.clean(lines, tags=set()))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.strip() for line in words.split("\n"))).strip()


def header(mail: Mail, name: str) -> str:
    return one_line(str(mail.get(name, "")), _MAX_HEADER)


def address(header: str) -> str:
    """The address in a header, without the name beside it; empty if there is none."""
    header = one_line(header, _MAX_HEADER)
    found = _ANGLED.findall(header)[-1:] or _BARE.findall(header)[:1]
    return one_line(found[0], MAX_ADDRESS) if found else ""


def by_machine(mail: Mail) -> bool:
    """Whether it is an out-of-office note or another automatic answer (RFC 3834, older headers)."""
    submitted = header(mail, "Auto-Submitted").partition(";")[0].strip().lower()
    return (
        submitted not in ("", "no")
        or header(mail, "Precedence").strip().lower() in _MACHINES_PRECEDENCE
        or "X-Autoreply" in mail
        or "X-Autorespond" in mail
        or bool(_SUPPRESSES_ANSWERS.search(header(mail, "X-Auto-Response-Suppress")))
        or ("Return-Path" in mail and header(mail, "Return-Path").strip("<> ") == "")
    )
