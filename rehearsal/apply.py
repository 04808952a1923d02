"""Applies the events of a rehearsal: rows of the book, and facts of its script."""

from __future__ import annotations

from backoffice.ledger.book_rows import pay_row, put_row
from backoffice.ledger.customers import put_customer
from backoffice.ledger.kinds import CREDIT_NOTE, PAYMENT
from backoffice.ledger.reports import Change
from books.facts import Fact
from books.row import BookRow
from rehearsal.book import Event
from rehearsal.facts import report
from store import bulk
from store.errors import DunningError
from store.locks import lock_customers
from store.unit import Unit


def apply_all(unit: Unit, group: list[Event]) -> list[str]:
    """Apply the events of one moment: the rows of the book in one batch, then the facts in order.

    Returns the facts that were refused, by line; they change nothing.
    """
    _put_rows(unit, [event for event in group if isinstance(event.what, BookRow)])
    facts = [event.what for event in group if isinstance(event.what, Fact)]
    lock_customers(unit, [fact.customer for fact in facts])
    refused = []
    for fact in facts:
        try:
            with unit.session.begin_nested():
                report(unit, fact)
        except DunningError as e:
            refused.append(f"facts line {fact.line}: {e.detail}")
    return refused


def _put_rows(unit: Unit, group: list[Event]) -> None:
    """First changes of customers, then invoices and credit notes, then payments."""
    rows = [event.what for event in group if isinstance(event.what, BookRow)]
    if not rows:
        return
    known = [event.what for event in group if isinstance(event.what, BookRow) and not event.paid]
    paid = [event.what for event in group if isinstance(event.what, BookRow) and event.paid]
    customers = {row.customer for row in rows} | {row.parent for row in rows if row.parent}
    credit_keys = {(PAYMENT, _payment(row)) for row in paid}
    credit_keys |= {(CREDIT_NOTE, row.invoice) for row in known if row.credit_note}
    invoices = {row.invoice for row in rows if not row.credit_note}
    with bulk.batch(unit, customers, invoices, credit_keys, nudge_once=False):
        for event in group:
            if event.news is not None:
                put_customer(unit, event.news)
        changes = {row.invoice: put_row(unit, row) for row in known}
        for row in paid:
            corrected = changes.get(row.invoice) is Change.UPDATED
            pay_row(unit, row, _payment(row), corrected=corrected)


def _payment(row: BookRow) -> str:
    return f"paid/{row.invoice}"
