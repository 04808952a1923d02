"""The characters that a letter prints."""

from __future__ import annotations

import re
import unicodedata

#: Spaces at which no line is broken.
NO_BREAK = re.compile("[\u00a0\u2007\u202f]")


def plain(text: str) -> str:
    """The text composed (NFC), with one kind of line break, no tabs, no invisible marks, and a
    plain space for every space but those of NO_BREAK."""
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
    """Whether letters of this script stand one after the other. The font has Devanagari too, whose
    letters join and change places, which fpdf2 does not do on its own."""
    return code < 0x0590 or 0x1E00 <= code < 0x2E80
