"""The table of open invoices with its totals (``{{ invoices_table }}``)."""

from __future__ import annotations

from babel import Locale

from messages.content import InvoiceFacts, MessageFacts
from messages.formats import day, money
from messages.lines import one_line
from messages.table import MAX_ROWS, Row, Side, Table
from messages.words import Labels

#: An SMS has no room for more.
MAX_SMS_INVOICES = 5
_SIDES: tuple[Side, ...] = ("start", "start", "start", "end", "end", "end")


def invoices_table(facts: MessageFacts, labels: Labels, locale: Locale) -> Table:
    """The listed invoices, the totals of each currency, and why the two differ (rule 9)."""
    left_out = len(facts.invoices) - MAX_ROWS
    note = totals_note(facts, labels, locale)
    return Table(
        head=_head(labels) if facts.invoices else (),
        sides=_SIDES,
        rows=tuple(_row(invoice, locale) for invoice in facts.invoices[:MAX_ROWS]),
        more=labels.more.format(count=left_out) if left_out > 0 else "",
        totals=_totals(facts, labels, locale),
        notes=(note,) if note else (),
        brief=_brief(facts, locale),
    )


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


def _totals(facts: MessageFacts, labels: Labels, locale: Locale) -> tuple[tuple[str, str], ...]:
    totals: list[tuple[str, str]] = []
    for t in facts.totals:
        if t.differs:
            totals.append((labels.listed, money(t.listed, t.currency, locale)))
        totals.append((labels.outstanding, money(t.outstanding, t.currency, locale)))
        totals.append((labels.overdue, money(t.overdue, t.currency, locale)))
    return tuple(totals)


def _brief(facts: MessageFacts, locale: Locale) -> str:
    """ "INV-1 100 €, INV-2 50 €, +3": the open balances."""
    shown = facts.invoices[:MAX_SMS_INVOICES]
    items = [f"{_number(i)} {money(i.balance, i.currency, locale)}" for i in shown]
    if len(facts.invoices) > len(shown):
        items.append(f"+{len(facts.invoices) - len(shown)}")
    return ", ".join(items)


def _number(invoice: InvoiceFacts) -> str:
    return one_line(invoice.number, 40)
