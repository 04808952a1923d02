"""How the interest for late payment is worked out, line by line: aligned text, and HTML."""

from __future__ import annotations

from html import escape

from babel import Locale
from babel.numbers import format_percent

from dunning.interest import LateInvoice, LatePayment
from messages.message import one_line
from messages.table import MAX_ROWS, Row, html_grid, text_grid
from messages.template import day, money
from messages.words import Labels

_LEFT = 3


def as_text(late: LatePayment | None, labels: Labels, locale: Locale) -> str:
    """Empty when the law on late payment is not asked for, or nothing is late."""
    if late is None or not late.invoices:
        return ""
    parts = []
    if rows := _rows(late, locale):
        parts.append("\n".join(text_grid(_head(labels), rows, _LEFT) + _more(late, labels)))
    parts.append("\n".join(f"{label} {amount}" for label, amount in _sums(late, labels, locale)))
    if notes := _notes(late, labels, locale):
        parts.append("\n".join(notes))
    return "\n\n".join(parts)


def as_html(late: LatePayment | None, labels: Labels, locale: Locale) -> str:
    """The same as HTML; what is in it is escaped."""
    if late is None or not late.invoices:
        return ""
    parts: list[str] = []
    if rows := _rows(late, locale):
        parts += html_grid(_head(labels), rows, _LEFT, locale)
        parts += [f"<p>{escape(more)}</p>" for more in _more(late, labels)]
    sums = _sums(late, labels, locale)
    lines = "<br>\n".join(f"{escape(label)} <b>{escape(amount)}</b>" for label, amount in sums)
    parts.append(f"<p>{lines}</p>")
    if notes := _notes(late, labels, locale):
        parts.append(f"<p>{'<br>'.join(map(escape, notes))}</p>")
    return "\n".join(parts)


def _head(labels: Labels) -> Row:
    words = labels.late
    return (
        labels.invoice, words.first, words.last, words.days, labels.balance, words.rate,
        words.interest,
    )  # fmt: skip


def _rows(late: LatePayment, locale: Locale) -> list[Row]:
    rows: list[Row] = [
        (
            _number(invoice),
            day(line.first, locale, "medium"),
            day(line.last, locale, "medium"),
            str(line.days),
            money(invoice.balance, late.currency, locale),
            format_percent(line.percent / 100, locale=locale, decimal_quantization=False),
            money(line.amount, late.currency, locale),
        )
        for invoice in late.invoices
        for line in invoice.interest.lines
    ]
    return rows[:MAX_ROWS]


def _more(late: LatePayment, labels: Labels) -> list[str]:
    left_out = sum(len(i.interest.lines) for i in late.invoices) - MAX_ROWS
    return [labels.more.format(count=left_out)] if left_out > 0 else []


def _sums(late: LatePayment, labels: Labels, locale: Locale) -> list[tuple[str, str]]:
    words = labels.late
    sums = [(words.total_interest, late.interest), (words.fixed_sum, late.fixed_sum)]
    shown = [(label, amount) for label, amount in sums if amount]
    shown.append((words.total, late.total))
    return [(label, money(amount, late.currency, locale)) for label, amount in shown]


def _notes(late: LatePayment, labels: Labels, locale: Locale) -> list[str]:
    """Why there is no interest on an invoice: a rate that is not known is never guessed."""
    notes = []
    for invoice in late.invoices:
        unknown = invoice.interest.unknown
        if unknown is None:
            continue
        if unknown.after is not None:
            form, limit = labels.late.no_rate_after, day(unknown.after, locale, "medium")
        elif unknown.before is not None:
            form, limit = labels.late.no_rate_before, day(unknown.before, locale, "medium")
        else:
            form, limit = labels.late.no_rate, ""
        notes.append(
            form.format(
                invoice=_number(invoice),
                country=one_line(late.country, 10),
                day=limit,
                currency=one_line(late.currency, 10),
            )
        )
    return notes[:MAX_ROWS]


def _number(invoice: LateInvoice) -> str:
    return one_line(invoice.number, 40)
