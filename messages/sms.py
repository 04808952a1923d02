"""The text of an SMS: its segments, normalised to need few, and answers such as STOP.

GSM-7 is the alphabet of 3GPP TS 23.038: 160 characters in one segment. One character outside of it
changes the whole text to UCS-2, with 70.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from dunning.learnt import Wish

_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")  # each needs an escape: two septets

#: Characters, and what replaces them in GSM-7.
_ALIKE = str.maketrans(
    dict.fromkeys("‘’‚‛‹›ʹʻʼˈ′‵`´", "'")
    | dict.fromkeys("“”„‟«»″‶〝〞", '"')
    | dict.fromkeys("‐‑‒–—―−⁃﹘﹣－•‣◦", "-")
    | dict.fromkeys("\u2028\u2029", "\n")
    | {"\t": " ", "…": "...", "‥": "..", "⁄": "/", "∕": "/", "×": "x", "·": ".", "¦": "|"}
    | {"œ": "oe", "Œ": "OE", "ĳ": "ij", "Ĳ": "IJ", "ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl"}
    | {"ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "№": "No", "º": "o", "ª": "a"}
    | {"™": "(TM)", "©": "(C)", "®": "(R)"}
)
#: Marks without a glyph. They carry meaning in other scripts, but not in a Latin text.
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufe0e\ufe0f\ufeff]")
_NUMBER_SIGN = re.compile(r"(?<=\b[Nn])°")  # in French N° 12; elsewhere it is a degree

#: Twilio's default words, and Canada's French ones. YES, which Twilio takes for START, may answer
#: any question, so here it is not an opt-in.
_STOP = frozenset(
    {
        "STOP",
        "STOPALL",
        "UNSUBSCRIBE",
        "CANCEL",
        "END",
        "QUIT",
        "REVOKE",
        "OPTOUT",
        "ARRET",
        "ARRETT",
        "ARRETE",
    }
)
_START = frozenset({"START", "UNSTOP"})


@dataclass(frozen=True, slots=True)
class Segments:
    """``characters`` as the network counts them: an emoji, and an extension character of GSM-7 such
    as €, count two."""

    encoding: Literal["GSM-7", "UCS-2"]
    characters: int
    segments: int


def normalise(text: str) -> str:
    """The text with the GSM-7 look-alike of every space, quote, dash, dot, ligature and sign that
    has one. So it needs as few segments as possible without wrong spelling.

    Accents that GSM-7 lacks (ê, ç, á, ł) are kept, and the text is then UCS-2: without the accent
    it could be another word (Spanish "pagó", he paid, "pago", I pay). Of the letters only œ is
    replaced, by "oe". Idempotent.
    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    plain = "".join(" " if unicodedata.category(c) == "Zs" else c for c in text)
    plain = _NUMBER_SIGN.sub("o", plain.translate(_ALIKE))
    bare = _UNSEEN.sub("", plain)
    return bare if _is_gsm7(bare) else plain


def segments(text: str) -> Segments:
    """The segments of the text as it is, without normalising it. An empty text has none."""
    if _is_gsm7(text):
        sizes = [2 if c in _EXTENSION else 1 for c in text]
        return Segments("GSM-7", sum(sizes), _packed(sizes, 160, 153))
    sizes = [2 if ord(c) > 0xFFFF else 1 for c in text]
    return Segments("UCS-2", sum(sizes), _packed(sizes, 70, 67))


def wish(text: str) -> Wish | None:
    """What an answer of one word asks for: to close or to open SMS; None for a longer answer, such
    as "please stop"."""
    word = "".join(
        c for c in unicodedata.normalize("NFD", text.upper()) if not unicodedata.combining(c)
    ).strip(" \t\r\n.,;:!\"'")
    if word in _STOP:
        return Wish.STOP
    return Wish.START if word in _START else None


def _is_gsm7(text: str) -> bool:
    return all(c in _GSM7 or c in _EXTENSION for c in text)


def _packed(sizes: list[int], alone: int, joined: int) -> int:
    """The number of segments: a character of two units is never split between two of them."""
    if sum(sizes) <= alone:
        return 1 if sizes else 0
    count, used = 1, 0
    for size in sizes:
        if used + size > joined:
            count, used = count + 1, 0
        used += size
    return count
