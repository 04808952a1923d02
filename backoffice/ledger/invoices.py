"""Invoices as billing systems report them, by their external ids: the one place that writes them,
beside the import's SQL, which a test compares with it.

The same report twice changes nothing; a version older than the stored one (``source_updated_at``)
is ignored. Reports take the customer's lock, write the timeline, and nudge the sequence where
something changed.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from backoffice.ledger.ahead import INVOICE, too_far
from backoffice.ledger.balances import rebalance
from backoffice.ledger.find import reported_customer
from backoffice.ledger.reports import Change, stale
from store import bulk
from store import tables as t
from store.calendars import calendar_of
from store.errors import Invalid
from store.nudges import nudge
from store.pending import write
from store.timeline import money, note
from store.unit import Unit

_BY = "billing"


@dataclass(frozen=True, slots=True)
class InvoiceFact:
    """An invoice as it is reported. Each field has the name of the column that it becomes
    (``columns``), but for the two external ids. ``url``, the page on which the customer sees or
    pays it: None leaves it, "" removes it."""

    external_id: str
    customer: str
    number: str
    issued_on: date
    total: Decimal
    currency: str
    due_on: date | None = None
    source_updated_at: datetime | None = None
    url: str | None = None

    def columns(self) -> dict[str, Any]:
        """What a report writes."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: value
            for name, value in found.items()
            if name not in _NO_COLUMNS and not (value is None and name in _KEPT)
        }


#: External ids: found, not written.
_NO_COLUMNS = {"external_id", "customer"}
#: None leaves what is stored.
_KEPT = {"url", "source_updated_at"}


def put_invoice(unit: Unit, fact: InvoiceFact) -> tuple[t.Invoice, Change]:
    """Create or update an invoice. Raises Invalid for an unknown customer, a changed currency, or
    an issue date that is too far ahead (``ahead``)."""
    customer = reported_customer(unit, fact.customer)
    row = bulk.find(unit, t.Invoice, fact.external_id)
    created = row is None
    if row is None:
        row = _new(unit, customer, fact)
    else:
        if unit.progress.batch is None:
            unit.session.refresh(row)
        if row.customer_id != customer.id:
            raise Invalid.at("/customer", f"invoice {fact.external_id!r} is another customer's")
        if stale(row, fact.source_updated_at):
            return row, Change.STALE
        _refuse(unit, row, fact)
    changed = _write(unit, customer, row, fact)
    if created or changed:
        due = f", due {row.due_on}" if row.due_on else ""
        text = f"{row.number} issued {row.issued_on}{due}: {money(row.total, row.currency)}"
        kind = "invoice_created" if created else "invoice_updated"
        note(unit, customer, kind, text, invoice_id=row.id, by=_BY)
        nudge(unit, customer)
    return row, Change.CREATED if created else Change.UPDATED if changed else Change.UNCHANGED


def _new(unit: Unit, customer: t.Customer, fact: InvoiceFact) -> t.Invoice:
    if far := _far(unit, fact):
        raise Invalid.at("/issued_on", far)
    row = t.Invoice(
        organisation_id=unit.organisation_id,
        customer_id=customer.id,
        external_id=fact.external_id,
        balance=fact.total,
        created_at=unit.now,
        **fact.columns(),
    )
    bulk.made(unit, row)
    return row


def _refuse(unit: Unit, row: t.Invoice, fact: InvoiceFact) -> None:
    """Raises Invalid for what an invoice that is known cannot become."""
    if row.issued_on != fact.issued_on and (far := _far(unit, fact)):
        raise Invalid.at("/issued_on", far)
    if row.currency != fact.currency:
        reason = f"invoice {fact.external_id!r} is in {row.currency}; void it and report a new one"
        raise Invalid.at("/currency", reason)


def _far(unit: Unit, fact: InvoiceFact) -> str:
    today = calendar_of(unit.organisation).today(unit.now)
    return too_far(fact.issued_on, today, INVOICE)


def _write(unit: Unit, customer: t.Customer, row: t.Invoice, fact: InvoiceFact) -> bool:
    """Whether a column of the invoice changed."""
    before = row.model_dump(exclude={"source_updated_at"})
    for name, value in fact.columns().items():
        setattr(row, name, value)
    write(unit)
    rebalance(unit.named(_BY), customer, row)
    return row.model_dump(exclude={"source_updated_at"}) != before


def close_invoice(unit: Unit, invoice: t.Invoice, status: str, reason: str) -> Change:
    """Void or write off (rule 5). The invoice must have been found with ``lock=True``."""
    if invoice.status == status:
        return Change.UNCHANGED
    customer = unit.session.get_one(t.Customer, invoice.customer_id)
    words = {"void": "is void", "written_off": "is written off"}[status]
    invoice.status = status
    invoice.closed_at = unit.now
    invoice.closed_reason = f"{words}: {reason}" if reason else words
    text = f"{invoice.number} {invoice.closed_reason}"
    note(unit, customer, f"invoice_{status}", text, invoice_id=invoice.id, by=unit.by)
    nudge(unit, customer)
    return Change.UPDATED
