"""Payments and credit notes, and the balances they leave (rules 3, 5 and 42)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import col, select

from dunning.ahead import CREDIT, too_far
from store import bulk
from store import tables as t
from store.calendars import calendar_of
from store.errors import Conflict, Invalid, NotFound
from store.ids import named
from store.locks import lock_customer
from store.nudges import nudge
from store.timeline import money, note
from store.unit import Unit

PAYMENT, CREDIT_NOTE = "payment", "credit_note"
_WORDS = {PAYMENT: "payment", CREDIT_NOTE: "credit note"}


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


def put_credit(
    unit: Unit,
    fact: CreditFact,
) -> tuple[t.Credit, str]:
    """Report a payment or credit note; returns it with created, updated, unchanged or stale.

    Raises Invalid for an unknown customer or invoice, another currency than the invoice's, more
    applied than there is, or a day that is too far ahead (``dunning.ahead``); Conflict when a
    reversed one is reported again with other content.
    """
    customer = bulk.find(unit, t.Customer, fact.customer)
    if customer is None:
        raise Invalid.at("/customer", f"no customer {fact.customer!r}; report the customer first")
    customer = lock_customer(unit, customer.id)
    organisation = unit.organisation
    wanted = _applications(unit, customer, fact)
    row = find_credit(unit, fact.kind, fact.external_id)
    created = row is None
    stored: dict[uuid.UUID, t.Application] = {}
    far = too_far(fact.on_date, calendar_of(organisation).today(unit.now), CREDIT)
    if row is None:
        _refuse(fact, far)
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
        unit.session.add(row)
        unit.session.flush()
    else:
        if row.customer_id != customer.id:
            raise Invalid.at("/customer", f"{fact.external_id!r} is another customer's")
        older = row.source_updated_at and fact.source_updated_at
        if older and fact.source_updated_at < row.source_updated_at:  # type: ignore[operator]
            return row, "stale"
        stored = {
            a.invoice_id: a
            for a in unit.session.exec(
                select(t.Application).where(t.Application.credit_id == row.id)
            )
        }
        same = (row.amount, row.currency, row.on_date) == (
            fact.amount, fact.currency, fact.on_date
        ) and {k: a.amount for k, a in stored.items()} == wanted  # fmt: skip
        if row.on_date != fact.on_date:
            _refuse(fact, far)
        row.source_updated_at = fact.source_updated_at or row.source_updated_at
        if same:
            return row, "unchanged"
        if row.reversed_at is not None:
            raise Conflict(f"{_WORDS[fact.kind]} {fact.external_id!r} was reversed; use a new id")
        row.amount, row.currency, row.on_date = fact.amount, fact.currency, fact.on_date
    touched = set(stored) | set(wanted)
    for application in stored.values():
        unit.session.delete(application)
    unit.session.flush()
    for invoice_id, amount in wanted.items():
        unit.session.add(t.Application(credit_id=row.id, invoice_id=invoice_id, amount=amount))
    unit.session.flush()
    _settle(unit, customer, row, touched, "is reported" if created else "is changed")
    return row, "created" if created else "updated"


def _refuse(fact: CreditFact, far: str) -> None:
    if far:
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
    touched = set(
        unit.session.exec(
            select(t.Application.invoice_id).where(t.Application.credit_id == credit.id)
        )
    )
    words = f"is reversed{': ' + reason if reason else ''}"
    _settle(unit, customer, credit, touched, words)
    return True


def find_credit(unit: Unit, kind: str, key: str) -> t.Credit | None:
    return unit.session.exec(
        select(t.Credit).where(
            t.Credit.organisation_id == unit.organisation_id,
            t.Credit.kind == kind,
            t.Credit.external_id == key,
        )
    ).one_or_none()


def credit_or_404(unit: Unit, kind: str, key: str) -> t.Credit:
    """By our id where it has the form of one, else by external id."""
    mine = select(t.Credit).where(
        t.Credit.organisation_id == unit.organisation_id, t.Credit.kind == kind
    )
    found = unit.session.exec(mine.where(named(t.Credit, key))).one_or_none()
    if found is None:
        raise NotFound(f"no {_WORDS[kind]} {key!r}")
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


def rebalance(
    unit: Unit,
    customer: t.Customer,
    invoice: t.Invoice,
) -> None:
    """Work out an invoice's balance anew and close or reopen it accordingly."""
    applied = dict(
        unit.session.exec(
            select(t.Credit.kind, sa.func.sum(t.Application.amount))
            .select_from(t.Credit)
            .join(t.Application, col(t.Application.credit_id) == t.Credit.id)
            .where(t.Application.invoice_id == invoice.id, col(t.Credit.reversed_at).is_(None))
            .group_by(t.Credit.kind)
        ).all()
    )
    covered = sum(applied.values(), Decimal(0))
    balance = max(invoice.total - covered, Decimal(0))
    if balance != invoice.balance:
        invoice.balance = balance
    if invoice.status == "open" and balance == 0 and (covered > 0 or invoice.total == 0):
        invoice.status = "paid"
        invoice.closed_at = unit.now
        credited = applied.get(CREDIT_NOTE, Decimal(0)) >= invoice.total
        invoice.closed_reason = "is fully credited" if credited else "is paid"
        if invoice.total == 0:
            invoice.closed_reason = "asks for nothing"
        text = f"{invoice.number} {invoice.closed_reason}"
        note(unit, customer, "invoice_paid", text, invoice_id=invoice.id, by=unit.by)
    elif invoice.status == "paid" and balance > 0:
        invoice.status = "open"
        invoice.closed_at = None
        invoice.closed_reason = ""
        text = f"{invoice.number} is open again: {money(balance, invoice.currency)}"
        note(unit, customer, "invoice_reopened", text, invoice_id=invoice.id, by=unit.by)
    unit.session.flush()


def _applications(unit: Unit, customer: t.Customer, fact: CreditFact) -> dict[uuid.UUID, Decimal]:
    wanted: dict[uuid.UUID, Decimal] = {}
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


def _settle(
    unit: Unit,
    customer: t.Customer,
    credit: t.Credit,
    touched: set[uuid.UUID],
    words: str,
) -> None:
    numbers = []
    for invoice_id in sorted(touched):
        invoice = unit.session.get_one(t.Invoice, invoice_id)
        rebalance(unit, customer, invoice)
        numbers.append(invoice.number)
    text = f"{_WORDS[credit.kind]} {credit.external_id} of {money(credit.amount, credit.currency)} "
    text += words
    one = next(iter(touched)) if len(touched) == 1 else None
    note(unit, customer, credit.kind, text, invoice_id=one, by=unit.by)
    payload = {
        "id": str(credit.id),
        "invoice": ", ".join(numbers)[:200],
        "amount": money(credit.amount, credit.currency),
        "why": words,
    }
    nudge(unit, customer, "payment" if credit.kind == PAYMENT else "account_changed", payload)
