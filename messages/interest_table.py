"""How the interest for late payment is calculated, line by line (``{{ interest_table }}``)."""

from __future__ import annotations

from babel import Locale
from babel.numbers import format_percent

from dunning.interest import LateInvoice, LatePayment
from messages.formats import day, money
from messages.lines import one_line
from messages.table import MAX_ROWS, Row, Side, Table
from messages.words import Labels, LateLabels

_SIDES: tuple[Side, ...] = ("start", "start", "start", "end", "end", "end", "end")


def interest_table(late: LatePayment | None, labels: Labels, locale: Locale) -> Table | None:
    """None when the organisation does not charge interest, or nothing is late."""
    if late is None or not late.invoices:
        return None
    words, rows = labels.late, _rows(late, locale)
    left_out = sum(len(i.interest.lines) for i in late.invoices) - MAX_ROWS
    return Table(
        head=_head(labels) if rows else (),
        sides=_SIDES,
        rows=rows,
        more=labels.more.format(count=left_out) if left_out > 0 else "",
        totals=_totals(late, words, locale),
        notes=_notes(late, words, locale),
    )


def _head(labels: Labels) -> Row:
    words = labels.late
    return (
        labels.invoice,
        words.first,
        words.last,
        words.days,
        labels.balance,
        words.rate,
        words.interest,
    )


def _rows(late: LatePayment, locale: Locale) -> tuple[Row, ...]:
    lines = [(invoice, line) for invoice in late.invoices for line in invoice.interest.lines]
    return tuple(
        (
            _number(invoice),
            day(line.first, locale, "medium"),
            day(line.last, locale, "medium"),
            str(line.days),
            money(invoice.balance, late.currency, locale),
            format_percent(line.percent / 100, locale=locale, decimal_quantization=False),
            money(line.amount, late.currency, locale),
        )
        for invoice, line in lines[:MAX_ROWS]
    )


def _totals(late: LatePayment, words: LateLabels, locale: Locale) -> tuple[tuple[str, str], ...]:
    sums = [(words.total_interest, late.interest), (words.fixed_sum, late.fixed_sum)]
    shown = [(label, amount) for label, amount in sums if amount]
    shown.append((words.total, late.total))
    return tuple((label, money(amount, late.currency, locale)) for label, amount in shown)


def _notes(late: LatePayment, words: LateLabels, locale: Locale) -> tuple[str, ...]:
    """Why an invoice has no interest: an unknown rate is never guessed."""
    country, currency = one_line(late.country, 10), one_line(late.currency, 10)
    notes = []
    for invoice in late.invoices:
        unknown = invoice.interest.unknown
        if unknown is None:
            continue
        form, limit = words.no_rate, unknown.after or unknown.before
        if limit is not None:
            form = words.no_rate_after if unknown.after else words.no_rate_before
        known = day(limit, locale, "medium") if limit is not None else ""
        notes.append(
            form.format(invoice=_number(invoice), country=country, day=known, currency=currency)
        )
    return tuple(notes[:MAX_ROWS])


def _number(invoice: LateInvoice) -> str:
    return one_line(invoice.number, 40)
