"""The characters that a letter prints."""

from __future__ import annotations

import re
import unicodedata

#: Spaces at which a line must not break.
NO_BREAK = re.compile("[\u00a0\u2007\u202f]")


def plain(text: str) -> str:
    """The text composed (NFC), with one kind of line break and without tabs and invisible marks.
    Every space becomes a plain one, except those of NO_BREAK."""
    text = re.sub("\r\n?", "\n", unicodedata.normalize("NFC", text)).replace("\t", "    ")
    table: dict[int, str] = {}
    for c in set(text):
        kind = unicodedata.category(c)
        if kind == "Cf":
            table[ord(c)] = ""
        elif kind == "Zs" and not NO_BREAK.match(c):
            table[ord(c)] = " "
    return text.translate(table)


def is_simple(code: int) -> bool:
    """Whether letters of this script stand side by side. The font has Devanagari too, but its
    letters join and change places, which fpdf2 does not do."""
    return code < 0x0590 or 0x1E00 <= code < 0x2E80
