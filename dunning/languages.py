"""Language tags (BCP 47): their normal form, and the fallbacks of a tag."""

from __future__ import annotations

import re

_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}")


def language_tag(text: str) -> str:
    """``pt_br`` as ``pt-BR``, ``zh-hant`` as ``zh-Hant``; empty if the text is no language tag."""
    text = text.strip()
    if not _TAG.fullmatch(text):
        return ""
    first, *more = text.replace("_", "-").split("-")
    return "-".join([first.lower(), *map(_subtag, more)])


def _subtag(part: str) -> str:
    if len(part) == 2:
        return part.upper()
    return part.capitalize() if len(part) == 4 and part.isalpha() else part.lower()


def lookup(text: str) -> tuple[str, ...]:
    """The tag, then its shorter forms down to the bare language (RFC 4647, 3.4); nothing if the
    text is no language tag."""
    parts = language_tag(text).split("-")
    return tuple(filter(None, ("-".join(parts[:n]) for n in range(len(parts), 0, -1))))
