"""Payments and credit notes (rules 3, 5 and 42): the one place that writes them, beside the
import's SQL, which a test compares with it."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from sqlmodel import col, select

from backoffice.ledger.ahead import CREDIT, too_far
from backoffice.ledger.applied import applications_of, apply, find_credit, made
from backoffice.ledger.balances import rebalance
from backoffice.ledger.find import reported_customer
from backoffice.ledger.kinds import PAYMENT, WORDS
from backoffice.ledger.reports import Change, stale
from dunning.ids import InvoiceId
from store import bulk
from store import tables as t
from store.calendars import calendar_of
from store.errors import Conflict, Invalid, NotFound
from store.ids import named
from store.locks import lock_customer
from store.nudges import nudge
from store.timeline import money, note
from store.unit import Unit


@dataclass(frozen=True, slots=True)
class CreditFact:
    """A payment or credit note. ``applied``: external ids of invoices to amounts; what is left over
    is the customer's unapplied credit."""

    kind: str
    external_id: str
    customer: str
    amount: Decimal
    currency: str
    on_date: date
    applied: Mapping[str, Decimal] = field(default_factory=dict)
    source_updated_at: datetime | None = None


def put_credit(unit: Unit, fact: CreditFact) -> tuple[t.Credit, Change]:
    """Report a payment or credit note.

    Raises Invalid for an unknown customer or invoice, another currency than the invoice's, more
    applied than there is, or a day that is too far ahead (``ahead``); Conflict when a
    reversed one is reported again with other content.
    """
    customer = reported_customer(unit, fact.customer)
    wanted = _applications(unit, customer, fact)
    row = find_credit(unit, fact.kind, fact.external_id)
    created = row is None
    if row is None:
        _refuse_too_far(unit, fact)
        row = _new(unit, customer, fact)
    else:
        if row.customer_id != customer.id:
            raise Invalid.at("/customer", f"{fact.external_id!r} is another customer's")
        if stale(row, fact.source_updated_at):
            return row, Change.STALE
        if row.on_date != fact.on_date:
            _refuse_too_far(unit, fact)
        row.source_updated_at = fact.source_updated_at or row.source_updated_at
        if _same(unit, row, fact, wanted):
            return row, Change.UNCHANGED
        if row.reversed_at is not None:
            raise Conflict(f"{WORDS[fact.kind]} {fact.external_id!r} was reversed; use a new id")
        row.amount, row.currency, row.on_date = fact.amount, fact.currency, fact.on_date
    touched = apply(unit, row, wanted)
    _rebalance(unit, customer, row, touched, "is reported" if created else "is changed")
    return row, Change.CREATED if created else Change.UPDATED


def _new(unit: Unit, customer: t.Customer, fact: CreditFact) -> t.Credit:
    row = t.Credit(
        organisation_id=unit.organisation_id,
        customer_id=customer.id,
        kind=fact.kind,
        external_id=fact.external_id,
        amount=fact.amount,
        currency=fact.currency,
        on_date=fact.on_date,
        source_updated_at=fact.source_updated_at,
        created_at=unit.now,
    )
    made(unit, row)
    return row


def _same(unit: Unit, row: t.Credit, fact: CreditFact, wanted: Mapping[InvoiceId, Decimal]) -> bool:
    if (row.amount, row.currency, row.on_date) != (fact.amount, fact.currency, fact.on_date):
        return False
    return {key: one.amount for key, one in applications_of(unit, row).items()} == wanted


def _refuse_too_far(unit: Unit, fact: CreditFact) -> None:
    today = calendar_of(unit.organisation).today(unit.now)
    if far := too_far(fact.on_date, today, CREDIT):
        raise Invalid.at("/paid_on" if fact.kind == PAYMENT else "/issued_on", far)


def reverse_credit(unit: Unit, credit: t.Credit, reason: str) -> bool:
    """A payment bounced or a credit note was taken back: the invoices it covered open again.

    False when it was reversed before."""
    customer = lock_customer(unit, credit.customer_id)
    unit.session.refresh(credit)
    if credit.reversed_at is not None:
        return False
    credit.reversed_at = unit.now
    credit.reversed_reason = reason
    unit.session.flush()
    words = f"is reversed{': ' + reason if reason else ''}"
    _rebalance(unit, customer, credit, applications_of(unit, credit).keys(), words)
    return True


def credit_or_404(unit: Unit, kind: str, key: str) -> t.Credit:
    """By our id where it has the form of one, else by external id. Raises NotFound."""
    mine = select(t.Credit).where(
        t.Credit.organisation_id == unit.organisation_id, t.Credit.kind == kind
    )
    found = unit.session.exec(mine.where(named(t.Credit, key))).one_or_none()
    if found is None:
        raise NotFound(f"no {WORDS[kind]} {key!r}")
    return found


def payments_on(unit: Unit, invoice: t.Invoice) -> dict[str, str]:
    """The payments applied to an invoice that were not reversed: amounts as text by id."""
    rows = unit.session.exec(
        select(col(t.Application.credit_id), col(t.Application.amount))
        .join(t.Credit, col(t.Credit.id) == t.Application.credit_id)
        .where(
            t.Application.invoice_id == invoice.id,
            t.Credit.kind == PAYMENT,
            col(t.Credit.reversed_at).is_(None),
        )
    )
    return {str(credit_id): str(amount) for credit_id, amount in rows}


def _applications(unit: Unit, customer: t.Customer, fact: CreditFact) -> dict[InvoiceId, Decimal]:
    """What is to be applied, by our invoice id. Raises Invalid."""
    wanted: dict[InvoiceId, Decimal] = {}
    for key, amount in fact.applied.items():
        invoice = bulk.find(unit, t.Invoice, key)
        if invoice is None or invoice.customer_id != customer.id:
            raise Invalid.at("/applied", f"customer {fact.customer!r} has no invoice {key!r}")
        if invoice.currency != fact.currency:
            raise Invalid.at(
                "/currency", f"invoice {key!r} is in {invoice.currency}, not in {fact.currency}"
            )
        wanted[invoice.id] = amount
    if sum(wanted.values(), Decimal(0)) > fact.amount:
        raise Invalid.at("/applied", "more is applied to invoices than there is")
    return wanted


def _rebalance(
    unit: Unit, customer: t.Customer, credit: t.Credit, touched: Set[InvoiceId], words: str
) -> None:
    """Work out the balances of these invoices anew, and say on the timeline and to the sequence
    what became of the credit."""
    numbers = []
    for invoice_id in sorted(touched):
        invoice = bulk.invoice(unit, invoice_id)
        rebalance(unit, customer, invoice)
        numbers.append(invoice.number)
    amount = money(credit.amount, credit.currency)
    text = f"{WORDS[credit.kind]} {credit.external_id} of {amount} {words}"
    one = next(iter(touched)) if len(touched) == 1 else None
    note(unit, customer, credit.kind, text, invoice_id=one, by=unit.by)
    payload = {
        "id": str(credit.id),
        "invoice": ", ".join(numbers)[:200],
        "amount": amount,
        "why": words,
    }
    nudge(unit, customer, "payment" if credit.kind == PAYMENT else "account_changed", payload)
