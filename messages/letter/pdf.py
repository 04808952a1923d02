"""A letter as PDF: the same message always gives the same bytes.

A retry under an idempotency key must hand over the same file, so the PDF has no date of today and
no random id. The envelope's window decides where the address is.
"""

from __future__ import annotations

from collections.abc import Iterable

from messages.body import as_text
from messages.letter.characters import plain
from messages.letter.paper import Form, Paper, form_of
from messages.letter.rows import Row, rows_of
from messages.letter.sheet import LEADING, SIZE, Sheet
from messages.message import BadMessage, Message, Recipient, Role

# Millimetres.
_WINDOW_WIDTH = 78.0
_WINDOW_LINES = 6
_HEAD = 18.0
_HEAD_WIDTH = 65.0


def pdf(message: Message, paper: Paper) -> bytes:
    """The letter to its first TO. Raises BadMessage for a character that the font lacks, for an
    address too large for the window, and for more than 20 pages (12 of US_LETTER)."""
    to = message.addressed(Role.TO)[0]
    form = form_of(paper, to)
    sheet = Sheet(form)
    heading = sheet.printable("subject", message.subject)
    body = message.body or (plain(message.text).strip("\n"),)
    sheet.printable("text", as_text(body))
    sender = sheet.printable("sender name", message.sender_name)
    address = _address(sheet, to) if form.window else []
    pages = _pages(form, rows_of(sheet, form.measure, heading, body))
    for number, page in enumerate(pages, 1):
        sheet.page()
        if number == 1:
            sheet.put_lines(form.head, _HEAD, sheet.wrap(sender, _HEAD_WIDTH))
            if form.window:
                sheet.put_lines(*form.window, address)
        for y, row in page:
            _draw(sheet, form, y, row)
        count = f"{number} / {len(pages)}"
        sheet.put((form.width - sheet.width(count)) / 2, form.height - 10, count)
    return sheet.output()


def _address(sheet: Sheet, to: Recipient) -> list[str]:
    given = to.address.split("\n")
    if to.name and to.name not in given:
        given.insert(0, to.name)
    lines = [
        line
        for whole in given
        if whole.strip()
        for line in sheet.wrap(sheet.printable("recipient address", whole), _WINDOW_WIDTH)
    ]
    if len(lines) > _WINDOW_LINES:
        reason = f"is longer than the {_WINDOW_LINES} lines that an envelope shows"
        raise BadMessage("recipient address", reason)
    return lines


def _pages(form: Form, rows: Iterable[Row]) -> list[list[tuple[float, Row]]]:
    """The rows of each page, each with its place in millimetres from the top."""
    pages: list[list[tuple[float, Row]]] = [[]]
    y = form.body
    for row in rows:
        if y > form.height - form.bottom:
            pages.append([])
            y = form.top
            if len(pages) > form.pages:
                raise BadMessage("text", f"is longer than the {form.pages} pages of a letter")
        if pages[-1] or row.pieces or row.rule:  # a page does not begin with an empty line
            pages[-1].append((y, row))
            y += LEADING
    return pages


def _draw(sheet: Sheet, form: Form, y: float, row: Row) -> None:
    if row.rule:
        sheet.rule(form.left, y, row.rule)
    sheet.size(row.size)
    for x, text in row.pieces:
        sheet.put(form.left + x, y, text, bold=row.bold)
    sheet.size(SIZE)
