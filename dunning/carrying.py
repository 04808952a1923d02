"""Which invoice carries a customer's sequence, and until when (rules 1 to 9, 38 to 41)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from dunning.decision import Outcome, PromiseOutcome
from dunning.model import Account, Invoice, InvoiceStatus, Pause, Promise

_DAY = timedelta(days=1)
_OPEN = InvoiceStatus.OPEN
_CLOSED = {
    InvoiceStatus.PAID: (4, "is paid"),
    InvoiceStatus.VOID: (5, "is void"),
    InvoiceStatus.WRITTEN_OFF: (5, "is written off"),
}


def order(invoice: Invoice) -> tuple[date, Decimal, date, str]:
    """Rule 2: due date, then the highest total (not balance), then issue date, then id."""
    return (invoice.due_on, -invoice.total, invoice.issued_on, invoice.id)


def before(invoice: Invoice, other: Invoice | None) -> bool:
    """Rule 2: whether ``invoice`` comes before ``other``; True without another."""
    if other is None or invoice.due_on < other.due_on:
        return True
    return invoice.due_on == other.due_on and order(invoice) < order(other)


def owed(invoice: Invoice, account: Account) -> bool:
    """Open, with a balance above the organisation's tolerance (rule 3)."""
    return invoice.status is _OPEN and invoice.balance > account.tolerance


def can_carry(invoice: Invoice, account: Account, today: date) -> bool:
    """Rule 3."""
    return (
        invoice.status is _OPEN
        and invoice.balance > account.tolerance
        and invoice.issued_on <= today
        and not invoice.disputed
        and not (invoice.pauses and paused(invoice.pauses, today)[0])
        and not (invoice.promises and any(p.runs(today) for p in invoice.promises))
    )


def carrying_invoice(account: Account, today: date) -> Invoice | None:
    """Rule 1: the oldest unpaid invoice that can carry."""
    oldest: Invoice | None = None
    for invoice in account.invoices:
        if before(invoice, oldest) and can_carry(invoice, account, today):
            oldest = invoice
    return oldest


def why_not(invoice: Invoice, account: Account, today: date) -> tuple[int, str]:
    """The rule that stops an invoice from carrying, and a sentence: "INV-1 is disputed"."""
    if invoice.status in _CLOSED:
        rule, words = _CLOSED[invoice.status]
        return rule, invoice.closed_reason or words
    if invoice.balance <= account.tolerance:
        return 5, invoice.closed_reason or "has no balance above the tolerance"
    if invoice.disputed:
        return 41, "is disputed"
    stopped, until = paused(invoice.pauses, today)
    if stopped:
        return 38, f"is paused until {until}" if until else "is paused until resumed"
    running = [p.promised_on for p in invoice.promises if p.runs(today)]
    if running:
        return 40, f"is promised to be paid on {max(running)}"
    return 3, f"is issued on {invoice.issued_on}, which is still to come"


def paused(pauses: Sequence[Pause], today: date) -> tuple[bool, date | None]:
    """Rule 38: whether any pause runs, and the day on which the last ends (None = no end date)."""
    running = [p.until for p in pauses if p.runs(today)]
    ends = [until for until in running if until is not None]
    if not running or len(ends) < len(running):
        return bool(running), None
    return True, max(ends)


def changing(account: Account, today: date) -> list[Invoice]:
    """The invoices that time alone can change: promised, paused, or still to be issued."""
    return [i for i in account.invoices if i.promises or i.pauses or i.issued_on > today]


def next_change(
    dated: list[Invoice], account: Account, carrying: Invoice | None, today: date
) -> date | None:
    """The first later day on which another invoice becomes the carrying one, or a promise ends."""
    first: date | None = None
    for invoice in dated:
        days = [p.promised_on + _DAY for p in invoice.promises if _ends(p, today)]
        if before(invoice, carrying):
            back = _returns_on(invoice, account, today)
            days += [back] if back is not None else []
        for day in days:
            first = day if first is None or day < first else first
    return first


def _returns_on(invoice: Invoice, account: Account, today: date) -> date | None:
    """The first later day on which the invoice can carry without a new fact, if there is one."""
    if invoice.disputed or not owed(invoice, account):
        return None
    stopped, until = paused(invoice.pauses, today)
    if stopped and until is None:
        return None
    days = [invoice.issued_on, *([until] if until is not None else [])]
    for promise in invoice.promises:
        if promise.runs(today):
            if not _ends(promise, today):
                return None
            days.append(promise.promised_on + _DAY)
    return max(days) if max(days) > today else None


def _ends(promise: Promise, today: date) -> bool:
    """Whether the promise runs and the day after its last day exists."""
    return promise.runs(today) and promise.promised_on < date.max


def ended_promises(
    dated: list[Invoice], account: Account, today: date
) -> tuple[PromiseOutcome, ...]:
    """Rule 40: the outcomes of the promises that no longer run: kept, part-kept, broken, or ended
    with their invoice."""
    ended = [
        PromiseOutcome(promise.id, invoice.id, _outcome(promise, invoice, account))
        for invoice in dated
        for promise in invoice.promises
        if not promise.runs(today) or invoice.status is not _OPEN
    ]
    return tuple(sorted(ended, key=lambda o: (o.promise_id, o.invoice_id)))


def _outcome(promise: Promise, invoice: Invoice, account: Account) -> Outcome:
    promised = promise.amount if promise.amount is not None else promise.balance_then
    if promised > 0 and promise.paid >= promised:
        return Outcome.KEPT
    if invoice.status is InvoiceStatus.VOID or invoice.status is InvoiceStatus.WRITTEN_OFF:
        return Outcome.ENDED
    if invoice.status is InvoiceStatus.PAID or invoice.balance <= account.tolerance:
        return Outcome.KEPT  # nothing is owed now, because of payments or credit notes (rule 5)
    return Outcome.PART_KEPT if promise.paid > 0 else Outcome.BROKEN
