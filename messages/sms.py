"""The text of an SMS: its segments, normalised to need few, and answers such as STOP.

GSM-7 is the alphabet of 3GPP TS 23.038: 160 characters in one segment. One character outside of it
turns the whole text into UCS-2, with 70.
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
_EXTENSION = frozenset("\f^{}\\[~]|€")  # an escape before each: two septets

#: What stands for the same thing in GSM-7.
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
#: Marks without a glyph. In another script they carry meaning, in a Latin text only a cost.
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufe0e\ufe0f\ufeff]")
_NUMBER_SIGN = re.compile(r"(?<=\b[Nn])°")  # French N° 12; elsewhere it is a degree

#: Twilio's default words, and Canada's French ones. YES, which Twilio takes for START, may
#: answer any question, so here it opens nothing.
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
    """``characters`` as the network counts them: an extension character of GSM-7, as €, and an
    emoji count two."""

    encoding: Literal["GSM-7", "UCS-2"]
    characters: int
    segments: int


def normalise(text: str) -> str:
    """The text with the GSM-7 look-alike for every space, quote, dash, dot, ligature and sign that
    has one; so it needs as few segments as it can without being misspelt.

    Letters stay letters: an accent that GSM-7 lacks (ê, ç, á, ł) is kept, and the text is then
    UCS-2, because without it another word may be read (Spanish "pagó", he paid, "pago", I pay).
    Only œ, which is "oe" without harm, is rewritten. Idempotent.
    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    plain = "".join(" " if unicodedata.category(c) == "Zs" else c for c in text)
    plain = _NUMBER_SIGN.sub("o", plain.translate(_ALIKE))
    bare = _UNSEEN.sub("", plain)
    return bare if _is_gsm7(bare) else plain


def segments(text: str) -> Segments:
    """The segments of the text as it is: it is not normalised. An empty text has none."""
    if _is_gsm7(text):
        sizes = [2 if c in _EXTENSION else 1 for c in text]
        return Segments("GSM-7", sum(sizes), _packed(sizes, 160, 153))
    sizes = [2 if ord(c) > 0xFFFF else 1 for c in text]
    return Segments("UCS-2", sum(sizes), _packed(sizes, 70, 67))


def wish(text: str) -> Wish | None:
    """What an answer of one word asks for: to close or to open SMS; None for anything longer, as
    "please stop"."""
    word = "".join(
        c for c in unicodedata.normalize("NFD", text.upper()) if not unicodedata.combining(c)
    ).strip(" \t\r\n.,;:!\"'")
    if word in _STOP:
        return Wish.STOP
    return Wish.START if word in _START else None


def _is_gsm7(text: str) -> bool:
    return all(c in _GSM7 or c in _EXTENSION for c in text)


def _packed(sizes: list[int], alone: int, joined: int) -> int:
    """How many segments: a character of two units is never split over two of them."""
    if sum(sizes) <= alone:
        return 1 if sizes else 0
    count, used = 1, 0
    for size in sizes:
        if used + size > joined:
            count, used = count + 1, 0
        used += size
    return count
