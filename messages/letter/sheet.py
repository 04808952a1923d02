"""The sheets of a letter: one font, the width of a text, and text placed on a page.

Lengths are millimetres from the top left corner, type sizes are points.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from fpdf import FPDF
from fpdf.fonts import TTFFont

from messages.letter.characters import NO_BREAK, is_simple, plain
from messages.letter.paper import Form
from messages.message import BadMessage

SIZE = 10.5
LEADING = 4.9  # from one line to the next
_FAMILY = "Noto Sans"
_FILE = Path("files", "NotoSans[wdth,wght].ttf")
#: Tables of the font that are not used here: its other weights, and rules that join letters.
#: Without them a letter takes half the time.
_UNUSED = ("GDEF", "GPOS", "GSUB", "HVAR", "MVAR", "STAT", "avar", "fvar", "gvar")
_BOLDER = 0.13  # the outline that makes the regular letters bold


class Sheet:
    """A PDF in the making. Its bytes do not depend on the day or on the process."""

    def __init__(self, form: Form) -> None:
        self._pdf = FPDF(unit="mm", format=(form.width, form.height))
        self._pdf.set_creation_date(datetime(2000, 1, 1, tzinfo=UTC))
        self._pdf.set_auto_page_break(False)
        self._pdf.add_font(_FAMILY, "", str(Path(str(files("fontpkg_noto_sans"))) / _FILE))
        self._pdf.set_font(_FAMILY, "", SIZE)
        font = self._pdf.current_font
        assert isinstance(font, TTFFont)
        self._known = font.cmap
        for table in _UNUSED:
            del font.ttfont[table]

    def printable(self, part: str, text: str) -> str:
        """The text in characters that the font prints. Raises BadMessage, which names ``part``, for
        a character that the font lacks."""
        text = plain(text)
        lacking = [repr(c) for c in sorted(set(text)) if not self._prints(c)]
        if lacking:
            shown = ", ".join(lacking[:5]) + (" …" if len(lacking) > 5 else "")
            raise BadMessage(part, f"has characters that a letter cannot print: {shown}")
        return text

    def _prints(self, c: str) -> bool:
        if c in " \n" or NO_BREAK.match(c):
            return True
        return ord(c) in self._known and is_simple(ord(c))

    def width(self, text: str) -> float:
        """The width of the text in type of SIZE."""
        return float(self._pdf.get_string_width(NO_BREAK.sub(" ", text)))

    def wrap(self, text: str, width: float) -> Iterator[str]:
        """The lines of one paragraph. It breaks at plain spaces and inside too wide words."""
        space = self.width(" ")
        line, used = "", 0.0
        for number, word in enumerate(text.split(" ")):
            size = self.width(word)
            if number and used + space + size <= width:
                line, used = f"{line} {word}", used + space + size
                continue
            if number:
                yield line
            line, used = word, size
            if size > width:
                line, used = yield from self._cut(word, width)
        yield line

    def _cut(self, word: str, width: float) -> Generator[str, None, tuple[str, float]]:
        """The full lines of a word; returns the rest of it and the width of that rest."""
        line, used = "", 0.0
        for c in word:
            step = self.width(c)
            if line and used + step > width:
                yield line
                line, used = "", 0.0
            line, used = line + c, used + step
        return line, used

    def page(self) -> None:
        self._pdf.add_page()

    def size(self, points: float) -> None:
        """Sets the type size of the next text. Texts are measured in SIZE: set it back."""
        self._pdf.set_font_size(points)

    def put(self, x: float, y: float, text: str, *, bold: bool = False) -> None:
        """``y`` is the base line of the text."""
        if not text.strip():
            return
        text = NO_BREAK.sub(" ", text)
        if bold:
            with self._pdf.local_context(text_mode="FILL_STROKE", line_width=_BOLDER):
                self._pdf.text(x, y, text)
        else:
            self._pdf.text(x, y, text)

    def put_lines(self, x: float, y: float, lines: Iterable[str]) -> None:
        """The lines of an address or a letterhead, set closer than the text."""
        for number, line in enumerate(lines):
            self.put(x, y + number * LEADING * 0.9, line)

    def rule(self, x: float, y: float, length: float) -> None:
        """A thin line between two rows; ``y`` is the base line of the lower one."""
        self._pdf.set_line_width(0.2)
        self._pdf.line(x, y - LEADING / 2, x + length, y - LEADING / 2)

    def output(self) -> bytes:
        return bytes(self._pdf.output())
