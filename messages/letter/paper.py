"""Paper sizes of a letter: margins, and the place of the envelope's window. Millimetres."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from messages.message import Recipient


class Paper(Enum):
    """US_LETTER: 8.5 by 11 in. The areas in the two windows of Lob's #10 envelope stay empty,
    because Lob prints both addresses there (its letter template, ``top_first_page``). A4: for a DL
    envelope; the address is on the right for France (NF Z 11-001), else on the left (DIN 5008 form
    B)."""

    US_LETTER = "us_letter"
    A4 = "a4"


@dataclass(frozen=True, slots=True)
class Form:
    """``window``: where the first line of the address begins; None = the window stays empty.
    ``body``: where the text begins on the first page; ``head``: the left edge of the letterhead;
    ``pages``: the most pages of a letter."""

    width: float
    height: float
    left: float
    right: float
    head: float
    body: float
    window: tuple[float, float] | None
    top: float = 25
    bottom: float = 22
    pages: int = 20

    @property
    def measure(self) -> float:
        """The width of a line of text."""
        return self.width - self.left - self.right


# Paper moves inside its envelope: up to 4.63 in from the left and 3.13 in from the top can show in
# #10. Six sheets printed on both sides fill it. Lob sends more sheets in a flat envelope, whose
# window shows the first lines of the text, and none abroad.
_US = Form(215.9, 279.4, left=22, right=20, head=125, body=88, window=None, pages=12)
_LEFT = Form(210, 297, left=25, right=20, head=125, body=105, window=(25, 63))
_RIGHT = Form(210, 297, left=20, right=20, head=20, body=105, window=(112, 54))


def form_of(paper: Paper, to: Recipient) -> Form:
    if paper is Paper.US_LETTER:
        return _US
    return _RIGHT if to.postal and to.postal.country.upper() == "FR" else _LEFT
