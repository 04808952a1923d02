"""A letter as PDF, made here: the same message gives the same bytes, whenever it is made.

Providers print what they are given, and keep an idempotency key for exactly that: so no date of
today, no random id. The window of the envelope decides where an address may stand.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

from fpdf import FPDF
from fpdf.fonts import TTFFont

from messages.message import BadMessage, Message, Recipient, Role

_FAMILY = "Noto Sans"
_FILE = Path("files", "NotoSans[wdth,wght].ttf")
#: The file holds every weight, and rules to join letters, that are not used here; without these
#: tables it is the regular weight alone, and a letter is made in half the time.
_UNUSED = ("GDEF", "GPOS", "GSUB", "HVAR", "MVAR", "STAT", "avar", "fvar", "gvar")
_SIZE = 10.5  # points, as all sizes of type; all lengths are millimetres
_SMALLEST = 5.0
_LEADING = 4.9
_GAP = 4.0  # between two columns of a table
_BOLDER = 0.13  # the outline that makes the regular letters bold
_NO_BREAK = re.compile("[\u00a0\u2007\u202f]")
_RULE = re.compile(r"-+(?:  -+)+")


class Paper(Enum):
    """US_LETTER: 8.5 by 11 in; what shows in the two windows of Lob's #10 envelope stays clear,
    because Lob prints both addresses there (its letter template, ``top_first_page``).
    A4: for a DL envelope; the address stands right for France (NF Z 11-001), else left (DIN 5008
    form B).
    """

    US_LETTER = "us_letter"
    A4 = "a4"


@dataclass(frozen=True, slots=True)
class _Form:
    """``window`` is where the first line of the address stands, None = it must stay clear.
    ``body``: where the text begins on the first page; ``head``: the left edge of the letterhead;
    ``pages``: how many a letter may have.
    """

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
        return self.width - self.left - self.right


# Paper slides in its envelope: 4.63 in from the left and 3.13 in from the top can show in #10.
# Six sheets printed on both sides fill it. More would go in a flat one, whose window shows the
# first lines of the text, and abroad not at all.
_US = _Form(215.9, 279.4, left=22, right=20, head=125, body=88, window=None, pages=12)
_LEFT = _Form(210, 297, left=25, right=20, head=125, body=105, window=(25, 63))
_RIGHT = _Form(210, 297, left=20, right=20, head=20, body=105, window=(112, 54))
_WINDOW_WIDTH = 78.0
_WINDOW_LINES = 6
_HEAD = 18.0
_HEAD_WIDTH = 65.0


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of a page: pieces of text, each so far from the left margin. ``rule`` is the length
    of a line that is drawn instead."""

    pieces: tuple[tuple[float, str], ...] = ()
    size: float = _SIZE
    bold: bool = False
    rule: float = 0


def pdf(message: Message, paper: Paper) -> bytes:
    """The letter, for its first TO. Raises BadMessage for a character that the font lacks, for an
    address that is too large for the window, and for more pages than 20 (12 of US_LETTER)."""
    to = message.addressed(Role.TO)[0]
    form = _form(paper, to)
    sheet = _sheet(form)
    heading = _printable(sheet, "subject", message.subject)
    text = _printable(sheet, "text", message.text)
    sender = _printable(sheet, "sender name", message.sender_name)
    address = _address(sheet, to) if form.window else []
    pages = _pages(form, _rows(sheet, form, heading, text))
    for number, page in enumerate(pages, 1):
        sheet.add_page()
        if number == 1:
            _lines(sheet, form.head, _HEAD, _wrap(sheet, sender, _HEAD_WIDTH))
            if form.window:
                _lines(sheet, *form.window, address)
        for y, row in page:
            _draw(sheet, form, y, row)
        count = f"{number} / {len(pages)}"
        sheet.text((form.width - sheet.get_string_width(count)) / 2, form.height - 10, count)
    return bytes(sheet.output())


def _form(paper: Paper, to: Recipient) -> _Form:
    if paper is Paper.US_LETTER:
        return _US
    return _RIGHT if to.postal and to.postal.country.upper() == "FR" else _LEFT


def _sheet(form: _Form) -> FPDF:
    sheet = FPDF(unit="mm", format=(form.width, form.height))
    sheet.set_creation_date(datetime(2000, 1, 1, tzinfo=UTC))  # the same bytes every day
    sheet.set_auto_page_break(False)
    sheet.add_font(_FAMILY, "", str(Path(str(files("fontpkg_noto_sans"))) / _FILE))
    sheet.set_font(_FAMILY, "", _SIZE)
    for table in _UNUSED:
        del _font(sheet).ttfont[table]
    return sheet


def _font(sheet: FPDF) -> TTFFont:
    font = sheet.current_font
    assert isinstance(font, TTFFont)
    return font


def _printable(sheet: FPDF, part: str, text: str) -> str:
    """The text in the characters that are printed: composed, one kind of line break, no tabs, no
    invisible marks, every space but the unbreakable ones a plain space."""
    text = re.sub("\r\n?", "\n", unicodedata.normalize("NFC", text)).replace("\t", "    ")
    known = _font(sheet).cmap
    table, lacking = {}, []
    for c in sorted(set(text)):
        kind = unicodedata.category(c)
        if kind == "Cf":
            table[ord(c)] = ""
        elif kind == "Zs" and not _NO_BREAK.match(c):
            table[ord(c)] = " "
        elif kind != "Zs" and c != "\n" and not (ord(c) in known and _unjoined(ord(c))):
            lacking.append(repr(c))
    if lacking:
        shown = ", ".join(lacking[:5]) + (" …" if len(lacking) > 5 else "")
        raise BadMessage(part, f"has characters that a letter cannot print: {shown}")
    return text.translate(table)


def _unjoined(code: int) -> bool:
    """Whether letters of this script stand one after the other; the font has Devanagari too, whose
    letters join and change places, which fpdf2 does not do on its own."""
    return code < 0x0590 or 0x1E00 <= code < 0x2E80


def _address(sheet: FPDF, to: Recipient) -> list[str]:
    given = to.address.split("\n")
    if to.name and to.name not in given:
        given.insert(0, to.name)
    lines = [
        line
        for whole in given
        if whole.strip()
        for line in _wrap(sheet, _printable(sheet, "recipient address", whole), _WINDOW_WIDTH)
    ]
    if len(lines) > _WINDOW_LINES:
        reason = f"is longer than the {_WINDOW_LINES} lines that an envelope shows"
        raise BadMessage("recipient address", reason)
    return lines


def _rows(sheet: FPDF, form: _Form, subject: str, text: str) -> Iterator[_Row]:
    for line in _wrap(sheet, subject, form.measure - 5) if subject else ():  # bold is wider
        yield _Row(((0, line),), bold=True)
    if subject:
        yield _Row()
    lines = text.strip("\n").split("\n")
    at = 0
    while at < len(lines):
        end = at
        if at + 1 < len(lines) and _RULE.fullmatch(lines[at + 1]):
            spans = [m.span() for m in re.finditer("-+", lines[at + 1])]
            while end < len(lines) and _fits(lines[end], spans):
                end += 1
        if end > at + 1 and (table := _table(sheet, form, lines[at:end], spans)):
            yield from table
            at = end
        else:
            for line in _wrap(sheet, lines[at], form.measure):
                yield _Row(((0, line),) if line else ())
            at += 1


def _fits(line: str, spans: list[tuple[int, int]]) -> bool:
    """Whether the line is one of the table: nothing between the columns, nothing after them."""
    between = [line[a[1] : b[0]] for a, b in pairwise(spans)]
    return bool(line.strip()) and not "".join(between).strip() and len(line) <= spans[-1][1]


def _table(sheet: FPDF, form: _Form, lines: list[str], spans: list[tuple[int, int]]) -> list[_Row]:
    """The columns of aligned text, in type that is not monospaced; empty if they are too wide."""
    padded = [line.ljust(spans[-1][1]) for line in lines]
    columns = [[line[a:b] for line in padded] for a, b in spans]
    widths = [
        max(_width(sheet, c.strip()) for i, c in enumerate(column) if i != 1) for column in columns
    ]
    gaps = _GAP * (len(columns) - 1)
    scale = min(1.0, (form.measure - gaps) / sum(widths))
    if scale * _SIZE < _SMALLEST:
        return []
    rows = []
    starts = [sum(widths[:i]) * scale + _GAP * i for i in range(len(columns))]
    for number in range(len(lines)):
        if number == 1:
            rows.append(_Row(rule=sum(widths) * scale + gaps))
            continue
        pieces = []
        for column, start, width in zip(columns, starts, widths, strict=True):
            cell = column[number].strip()
            if any(c.startswith(" ") for c in column if c.strip()):  # it is aligned right
                start += (width - _width(sheet, cell)) * scale
            pieces.append((start, cell))
        rows.append(_Row(tuple(pieces), size=_SIZE * scale))
    return rows


def _pages(form: _Form, rows: Iterator[_Row]) -> list[list[tuple[float, _Row]]]:
    pages: list[list[tuple[float, _Row]]] = [[]]
    y = form.body
    for row in rows:
        if y > form.height - form.bottom:
            pages.append([])
            y = form.top
            if len(pages) > form.pages:
                raise BadMessage("text", f"is longer than the {form.pages} pages of a letter")
        if pages[-1] or row.pieces or row.rule:  # a page does not begin with an empty line
            pages[-1].append((y, row))
            y += _LEADING
    return pages


def _wrap(sheet: FPDF, text: str, width: float) -> Iterator[str]:
    """The lines of one paragraph; it breaks at plain spaces, and inside a word that is too wide."""
    space = _width(sheet, " ")
    line, used = "", 0.0
    for number, word in enumerate(text.split(" ")):
        size = _width(sheet, word)
        if number and used + space + size <= width:
            line, used = f"{line} {word}", used + space + size
            continue
        if number:
            yield line
        line, used = word, size
        if size > width:
            line, used = "", 0.0
            for c in word:
                step = _width(sheet, c)
                if line and used + step > width:
                    yield line
                    line, used = "", 0.0
                line, used = line + c, used + step
    yield line


def _width(sheet: FPDF, text: str) -> float:
    return float(sheet.get_string_width(_NO_BREAK.sub(" ", text)))


def _lines(sheet: FPDF, x: float, y: float, lines: Iterable[str]) -> None:
    for number, line in enumerate(lines):
        _put(sheet, x, y + number * _LEADING * 0.9, line)


def _draw(sheet: FPDF, form: _Form, y: float, row: _Row) -> None:
    if row.rule:
        sheet.set_line_width(0.2)
        sheet.line(form.left, y - _LEADING / 2, form.left + row.rule, y - _LEADING / 2)
    sheet.set_font_size(row.size)
    for x, text in row.pieces:
        if row.bold:
            with sheet.local_context(text_mode="FILL_STROKE", line_width=_BOLDER):
                _put(sheet, form.left + x, y, text)
        else:
            _put(sheet, form.left + x, y, text)
    sheet.set_font_size(_SIZE)


def _put(sheet: FPDF, x: float, y: float, text: str) -> None:
    if text.strip():
        sheet.text(x, y, _NO_BREAK.sub(" ", text))
