"""Pause, promise, dispute: what keeps a customer or an invoice out of the sequence (38 to 41)."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal

from sqlmodel import col, select

from backoffice.ledger.credits import payments_on
from store import tables as t
from store.calendars import calendar_of
from store.errors import Conflict, Invalid
from store.nudges import nudge
from store.timeline import money, note
from store.unit import Unit


def pause(
    unit: Unit,
    customer: t.Customer,
    invoice: t.Invoice | None,
    until: date | None,
    reason: str,
    pause_id: uuid.UUID | None = None,
) -> t.Pause:
    """Pause a locked customer, or one invoice of it, until the start of ``until`` (rule 38)."""
    if pause_id is not None and (known := unit.session.get(t.Pause, pause_id)) is not None:
        return known
    organisation = unit.organisation
    today = calendar_of(organisation).today(unit.now)
    if until is not None and until <= today:
        raise Invalid.at("/until", f"{until} is not after today ({today})")
    row = t.Pause(
        id=pause_id or uuid.uuid4(),
        customer_id=customer.id,
        invoice_id=invoice.id if invoice else None,
        until=until,
        reason=reason,
        created_by=unit.by,
        created_at=unit.now,
    )
    unit.session.add(row)
    what = invoice.number if invoice else "the customer"
    text = f"{what} is paused {f'until {until}' if until else 'until resumed'}"
    text += f": {reason}" if reason else ""
    _tell(unit, customer, invoice, "paused", text, row.id)
    return row


def resume(
    unit: Unit,
    customer: t.Customer,
    invoice: t.Invoice | None,
) -> int:
    """End every running pause of the customer itself, or of the invoice; returns how many."""
    wanted = invoice.id if invoice else None
    rows = unit.session.exec(
        select(t.Pause).where(
            t.Pause.customer_id == customer.id,
            col(t.Pause.resumed_at).is_(None),
            t.Pause.invoice_id == wanted if wanted else col(t.Pause.invoice_id).is_(None),
        )
    ).all()
    for row in rows:
        row.resumed_at = unit.now
    if rows:
        text = f"{invoice.number if invoice else 'the customer'} is resumed"
        _tell(unit, customer, invoice, "resumed", text, rows[0].id)
    return len(rows)


def promise(
    unit: Unit,
    customer: t.Customer,
    invoice: t.Invoice,
    promised_on: date,
    amount: Decimal | None,
    text: str,
) -> t.Promise:
    """Record a promise to pay; it takes the place of one that still runs (rule 40)."""
    organisation = unit.organisation
    today = calendar_of(organisation).today(unit.now)
    if promised_on < today:
        raise Invalid.at("/promised_on", f"{promised_on} is before today ({today})")
    if invoice.status != "open":
        raise Conflict(f"{invoice.number} {invoice.closed_reason or 'is closed'}")
    if amount is not None and not 0 < amount <= invoice.balance:
        balance = money(invoice.balance, invoice.currency)
        raise Invalid.at("/amount", f"is not between 0 and the balance {balance}")
    for old in running_promises(unit, invoice):
        old.outcome, old.outcome_at = "withdrawn", unit.now
    row = t.Promise(
        customer_id=customer.id,
        invoice_id=invoice.id,
        promised_on=promised_on,
        amount=amount,
        balance_then=invoice.balance,
        paid_before=payments_on(unit, invoice),
        note=text,
        created_by=unit.by,
        created_at=unit.now,
    )
    unit.session.add(row)
    what = f"{money(amount, invoice.currency)} of " if amount is not None else ""
    words = f"{what}{invoice.number} is promised for {promised_on}{f': {text}' if text else ''}"
    _tell(unit, customer, invoice, "promised", words, row.id)
    return row


def running_promises(unit: Unit, invoice: t.Invoice) -> list[t.Promise]:
    return list(
        unit.session.exec(
            select(t.Promise).where(
                t.Promise.invoice_id == invoice.id, col(t.Promise.outcome).is_(None)
            )
        )
    )


def dispute(
    unit: Unit,
    customer: t.Customer,
    invoice: t.Invoice,
    reason: str,
) -> None:
    """Take an invoice out of the pool until it is settled (rule 41)."""
    if invoice.disputed_at is not None:
        return
    invoice.disputed_at, invoice.dispute_reason = unit.now, reason
    text = f"{invoice.number} is disputed{f': {reason}' if reason else ''}"
    _tell(unit, customer, invoice, "disputed", text, invoice.id)


def settle_dispute(
    unit: Unit,
    customer: t.Customer,
    invoice: t.Invoice,
    text: str,
) -> None:
    """The dispute is settled: the invoice returns with its progress (rules 7 and 41)."""
    if invoice.disputed_at is None:
        return
    invoice.disputed_at, invoice.dispute_reason = None, ""
    words = f"the dispute of {invoice.number} is settled{f': {text}' if text else ''}"
    _tell(unit, customer, invoice, "settled", words, invoice.id)


#: By the kind of the timeline's entry.
_SIGNALS = {"paused": "pause", "resumed": "resume"}


def _tell(
    unit: Unit,
    customer: t.Customer,
    invoice: t.Invoice | None,
    kind: str,
    text: str,
    fact_id: uuid.UUID,
) -> None:
    note(unit, customer, kind, text, invoice_id=invoice.id if invoice else None, by=unit.by)
    payload = {
        "id": str(fact_id),
        "invoice": invoice.number if invoice else "",
        "who": unit.by,
        "why": kind,
    }
    nudge(unit, customer, _SIGNALS.get(kind, "account_changed"), payload)
