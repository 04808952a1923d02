"""A letter read back from its PDF: the texts and their positions in points."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from dunning.plan import ActionType
from messages.letter.paper import Paper
from messages.letter.pdf import pdf
from messages.message import Message, Postal, Recipient, Role
from tests.cast import letters

MM, INCH = 72 / 25.4, 72
ADDRESS = "12 rue de l'Église\n75011 Paris"
ADA = Recipient(Role.TO, ADDRESS, "Ada Byron", "contact-ada", Postal("12 rue", "Paris", "FR"))
FONT = TTFont(str(files("fontpkg_noto_sans") / "files" / "NotoSans[wdth,wght].ttf"))


def letter(**changes: Any) -> Message:
    plain = {"channel": ActionType.LETTER, "recipients": (ADA,), "subject": "Payment reminder"}
    return letters.sms(**(plain | changes))


@dataclass(frozen=True)
class Piece:
    """A text at ``x`` from the left and ``y`` from the bottom, in points."""

    text: str
    x: float
    y: float
    size: float
    bold: bool

    @property
    def end(self) -> float:
        names, widths = FONT.getBestCmap(), FONT["hmtx"]
        units = sum(widths[names[ord(c)]][0] for c in self.text)
        return self.x + float(units * self.size / FONT["head"].unitsPerEm)


def pages(made: bytes) -> list[list[Piece]]:
    letter_of = {
        int(code, 16): bytes.fromhex(target.decode()).decode("utf-16-be")
        for code, target in re.findall(rb"\n<([0-9A-F]{4})> <([0-9A-F]+)>(?=\n<|\nend)", made)
    }
    packed = re.findall(rb"/FlateDecode.*?stream\r?\n(.*?)\r?\nendstream", made, re.DOTALL)
    contents = [zlib.decompress(stream) for stream in packed]
    return [_pieces(content, letter_of) for content in contents if b" Td" in content]


def _pieces(content: bytes, letter_of: dict[int, str]) -> list[Piece]:
    pieces, size = [], 0.0
    for m in re.finditer(
        rb"/F\d+ ([\d.]+) Tf|BT ([\d.]+) ([\d.]+) Td  ?(2 Tr)?[^(]*?\((.*?)(?<!\\)((?:\\\\)*)\) Tj",
        content,
        re.DOTALL,
    ):
        if m[1]:
            size = float(m[1])
            continue
        raw = re.sub(rb"(?s)\\(.)", lambda e: b"\r" if e[1] == b"r" else e[1], m[5] + m[6])
        codes = [raw[i] * 256 + raw[i + 1] for i in range(0, len(raw), 2)]
        text = "".join(letter_of[c] for c in codes)
        pieces.append(Piece(text, float(m[2]), float(m[3]), size, bool(m[4])))
    return pieces


def lines(message: Message, paper: Paper = Paper.A4) -> list[Piece]:
    return [piece for page in pages(pdf(message, paper)) for piece in page]


def texts(message: Message, paper: Paper = Paper.A4) -> list[str]:
    return [piece.text for piece in lines(message, paper)]


def size_of(made: bytes) -> list[float]:
    found = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", made)
    assert found
    return [float(found[1]), float(found[2])]
