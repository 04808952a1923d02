"""What is open on an invoice, and whether that closes it or opens it again (rules 5 and 7).

The import's SQL does the same for many invoices at once (``sql/balances.sql``); a test holds the
two against one another.
"""

from __future__ import annotations

from decimal import Decimal

from backoffice.ledger.applied import applied_to
from backoffice.ledger.kinds import CREDIT_NOTE
from store import tables as t
from store.pending import write
from store.timeline import money, note
from store.unit import Unit


def rebalance(unit: Unit, customer: t.Customer, invoice: t.Invoice) -> None:
    """Work out an invoice's balance anew, and close or reopen it accordingly."""
    applied = applied_to(unit, invoice)
    covered = sum(applied.values(), Decimal(0))
    balance = max(invoice.total - covered, Decimal(0))
    if balance != invoice.balance:
        invoice.balance = balance
    if invoice.status == "open" and balance == 0 and (covered > 0 or invoice.total == 0):
        invoice.status = "paid"
        invoice.closed_at = unit.now
        invoice.closed_reason = _why_paid(invoice, applied)
        text = f"{invoice.number} {invoice.closed_reason}"
        note(unit, customer, "invoice_paid", text, invoice_id=invoice.id, by=unit.by)
    elif invoice.status == "paid" and balance > 0:
        invoice.status = "open"
        invoice.closed_at = None
        invoice.closed_reason = ""
        text = f"{invoice.number} is open again: {money(balance, invoice.currency)}"
        note(unit, customer, "invoice_reopened", text, invoice_id=invoice.id, by=unit.by)
    write(unit)


def _why_paid(invoice: t.Invoice, applied: dict[str, Decimal]) -> str:
    if invoice.total == 0:
        return "asks for nothing"
    credited = applied.get(CREDIT_NOTE, Decimal(0)) >= invoice.total
    return "is fully credited" if credited else "is paid"
