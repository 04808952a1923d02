"""What a row of a book reports: an invoice or a credit note, and the payment of an invoice.

``sql/`` does the same for all rows of an import at once; a test holds the two against one another.
"""

from __future__ import annotations

from decimal import Decimal

from backoffice.ledger.applied import applications_of, applied_to, find_credit
from backoffice.ledger.credits import CreditFact, put_credit
from backoffice.ledger.invoices import InvoiceFact, put_invoice
from backoffice.ledger.kinds import CREDIT_NOTE, PAYMENT
from backoffice.ledger.reports import Change
from books.row import BookRow
from store import bulk
from store import tables as t
from store.unit import Unit


def put_row(unit: Unit, row: BookRow) -> Change:
    """Report the invoice or credit note of a row. What the row leaves empty stays as it is."""
    if row.credit_note:
        return put_credit(unit, _credit_note(unit, row))[1]
    known: t.Invoice | None = bulk.find(unit, t.Invoice, row.invoice)
    fact = InvoiceFact(
        external_id=row.invoice,
        customer=row.customer,
        number=known.number if known else row.invoice,
        issued_on=row.issued_on,
        total=row.total,
        currency=row.currency,
        due_on=row.due_on or (known.due_on if known else None),
    )
    return put_invoice(unit, fact)[1]


def _credit_note(unit: Unit, row: BookRow) -> CreditFact:
    known = find_credit(unit, CREDIT_NOTE, row.invoice)
    applied = applications_of(unit, known) if known else {}
    return CreditFact(
        kind=CREDIT_NOTE,
        external_id=row.invoice,
        customer=row.customer,
        amount=-row.total,
        currency=row.currency,
        on_date=row.issued_on,
        applied={bulk.invoice(unit, key).external_id: one.amount for key, one in applied.items()},
    )


def pay_row(unit: Unit, row: BookRow, key: str, *, corrected: bool = False) -> None:
    """``paid_on`` is a payment, with the external id ``key``, of what is then open on the invoice.

    A payment that is known gets another amount where the invoice was ``corrected`` by this report,
    or where it is too little. A void invoice needs no payment; a reversed payment stays reversed.
    """
    invoice: t.Invoice = bulk.find(unit, t.Invoice, row.invoice)
    known = find_credit(unit, PAYMENT, key)
    if row.paid_on is None or invoice.status == "void" or (known and known.reversed_at):
        return
    amount = known.amount if known else Decimal(0)
    open_without_it = invoice.total - _paid_by_others(unit, invoice, known)
    if open_without_it > 0 and (corrected or amount < open_without_it):
        amount = open_without_it
    if amount:
        fact = CreditFact(
            kind=PAYMENT,
            external_id=key,
            customer=row.customer,
            amount=amount,
            currency=row.currency,
            on_date=row.paid_on,
            applied={row.invoice: amount},
        )
        put_credit(unit, fact)


def _paid_by_others(unit: Unit, invoice: t.Invoice, known: t.Credit | None) -> Decimal:
    mine = applications_of(unit, known).get(invoice.id) if known else None
    return sum(applied_to(unit, invoice).values(), Decimal(0)) - (mine.amount if mine else 0)
