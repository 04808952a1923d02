"""The table of open invoices with its totals: aligned text, HTML, and one line for an SMS."""

from __future__ import annotations

import unicodedata
from html import escape

from babel import Locale

from messages.content import InvoiceFacts, MessageFacts
from messages.message import one_line
from messages.template import day, money
from messages.words import Labels

MAX_ROWS = 500
MAX_SMS_ROWS = 5
Row = tuple[str, ...]
_LEFT = 3  # the first columns are aligned left, the amounts and days right


def as_text(facts: MessageFacts, labels: Labels, locale: Locale) -> str:
    head = _head(labels)
    rows = [_row(i, locale) for i in facts.invoices[:MAX_ROWS]]
    parts = []
    if rows:
        lines = text_grid(head, rows, _LEFT)
        if more := _more(facts, labels):
            lines.append(more)
        parts.append("\n".join(lines))
    parts.append("\n".join(f"{label} {amount}" for label, amount in _sums(facts, labels, locale)))
    if note := totals_note(facts, labels, locale):
        parts.append(note)
    return "\n\n".join(parts)


def as_html(facts: MessageFacts, labels: Labels, locale: Locale) -> str:
    parts: list[str] = []
    rows = [_row(i, locale) for i in facts.invoices[:MAX_ROWS]]
    if rows:
        parts += html_grid(_head(labels), rows, _LEFT, locale)
        if more := _more(facts, labels):
            parts.append(f"<p>{escape(more)}</p>")
    sums = _sums(facts, labels, locale)
    lines = "<br>\n".join(f"{escape(label)} <b>{escape(amount)}</b>" for label, amount in sums)
    parts.append(f"<p>{lines}</p>")
    if note := totals_note(facts, labels, locale):
        parts.append(f"<p>{escape(note)}</p>")
    return "\n".join(parts)


def as_sms(facts: MessageFacts, locale: Locale) -> str:
    """ "INV-1 100 €, INV-2 50 €, +3": there is no room for more."""
    shown = facts.invoices[:MAX_SMS_ROWS]
    items = [f"{_number(i)} {money(i.balance, i.currency, locale)}" for i in shown]
    if len(facts.invoices) > len(shown):
        items.append(f"+{len(facts.invoices) - len(shown)}")
    return ", ".join(items)


def totals_note(facts: MessageFacts, labels: Labels, locale: Locale) -> str:
    """Why the invoices listed do not add up to the total (rule 9); empty when they do."""
    notes = []
    for t in facts.totals:
        if t.unlisted:
            amount, total = (money(v, t.currency, locale) for v in (t.unlisted, t.outstanding))
            notes.append(labels.unlisted_note.format(total=total, amount=amount))
        if t.credit:
            notes.append(labels.credit_note.format(amount=money(t.credit, t.currency, locale)))
    return " ".join(notes)


def text_grid(head: Row, rows: list[Row], left: int) -> list[str]:
    """The lines of an aligned table; the first ``left`` columns are aligned left."""
    widths = [max(map(_width, column)) for column in zip(head, *rows, strict=True)]
    lines = [_line(head, widths, left), "  ".join("-" * w for w in widths)]
    return lines + [_line(row, widths, left) for row in rows]


def html_grid(head: Row, rows: list[Row], left: int, locale: Locale) -> list[str]:
    """The same as HTML; what is in the cells is escaped."""
    start, end = ("right", "left") if locale.text_direction == "rtl" else ("left", "right")
    sides = [start] * left + [end] * (len(head) - left)
    style = "border-collapse: collapse; border-color: #ccc; white-space: nowrap"
    return [
        f'<table border="1" cellpadding="6" style="{style}">',
        f"<thead>{_tr('th', head, sides)}</thead>\n<tbody>",
        *(_tr("td", row, sides) for row in rows),
        "</tbody></table>",
    ]


def _head(labels: Labels) -> Row:
    return (labels.invoice, labels.issued, labels.due, labels.total, labels.balance, labels.days)


def _row(invoice: InvoiceFacts, locale: Locale) -> Row:
    return (
        _number(invoice),
        day(invoice.issued_on, locale, "medium"),
        day(invoice.due_on, locale, "medium"),
        money(invoice.total, invoice.currency, locale),
        money(invoice.balance, invoice.currency, locale),
        str(invoice.days_overdue or "–"),
    )


def _sums(facts: MessageFacts, labels: Labels, locale: Locale) -> list[tuple[str, str]]:
    sums: list[tuple[str, str]] = []
    for t in facts.totals:
        if t.differs:
            sums.append((labels.listed, money(t.listed, t.currency, locale)))
        sums.append((labels.outstanding, money(t.outstanding, t.currency, locale)))
        sums.append((labels.overdue, money(t.overdue, t.currency, locale)))
    return sums


def _more(facts: MessageFacts, labels: Labels) -> str:
    left_out = len(facts.invoices) - MAX_ROWS
    return labels.more.format(count=left_out) if left_out > 0 else ""


def _number(invoice: InvoiceFacts) -> str:
    return one_line(invoice.number, 40)


def _tr(tag: str, cells: Row, sides: list[str]) -> str:
    """Short on purpose: mail programs cut a message off at about 100 kB."""
    inside = (
        f'<{tag} align="{side}">{escape(cell)}</{tag}>'
        for cell, side in zip(cells, sides, strict=True)
    )
    return f"<tr>{''.join(inside)}</tr>"


def _line(cells: Row, widths: list[int], left: int) -> str:
    padded = []
    for i, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        space = " " * (width - _width(cell))
        padded.append(cell + space if i < left else space + cell)
    return "  ".join(padded).rstrip()


def _width(text: str) -> int:
    """Columns on a screen: East Asian characters take two, marks that combine none."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    none = sum(unicodedata.category(c) in ("Mn", "Cf") for c in text)
    return len(text) + wide - none
