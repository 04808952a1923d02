"""A book and its facts as a calendar of events, each at its instant, in the order they happen."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

from sqlmodel import Session, col, select

from db import credits, facts, holds
from db import tables as t
from db.accounts import load
from db.actions import work_open_action
from db.calendars import calendar_of
from db.errors import DunningError, Invalid
from db.nudges import nudge
from dunning.book import BookRow
from dunning.calendar import Calendar, instant
from dunning.facts import Fact, FactKind

#: What an event does: in a transaction, for an organisation, at its instant (UTC).
Apply = Callable[[Session, uuid.UUID, datetime], None]
_BY = "rehearsal"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens at an instant (UTC). ``where`` names its line for an error."""

    at: datetime
    order: int
    apply: Apply
    where: str


def events(
    rows: Iterable[BookRow],
    facts_: Iterable[Fact],
    calendar: Calendar,
    start: date,
    end: date,
) -> list[Event]:
    """Everything that happens from ``start`` to ``end`` (local days, both included), in order.

    An invoice becomes known at 00:00 of its issue date, or of ``start`` if that is later; its
    payment at 00:00 of ``paid_on``. What was paid before ``start`` never becomes known.
    """
    found: list[Event] = []
    told: dict[str, tuple[object, ...]] = {}
    for place, row in enumerate(rows):
        known_on = max(row.issued_on, start)
        if known_on > end or (row.paid_on is not None and row.paid_on < start):
            continue
        where = f"line {row.line}"
        found.append(Event(calendar.start_of(known_on), place * 2, _known(row, told), where))
        if row.paid_on is not None and row.paid_on <= end:
            at = calendar.start_of(max(row.paid_on, known_on))
            found.append(Event(at, place * 2 + 1, _paid(row), where))
    base = 2 * 10**9
    first, last = calendar.start_of(start), _end_of(calendar, end)
    for fact in facts_:
        at = instant(calendar.zone, fact.at.date(), fact.at.time())
        if at <= last:
            found.append(
                Event(max(at, first), base + fact.line, _fact(fact), f"facts line {fact.line}")
            )
    return sorted(found, key=lambda e: (e.at, e.order))


def _end_of(calendar: Calendar, day: date) -> datetime:
    return instant(calendar.zone, day, time(23, 59, 59))


def moments(found: list[Event]) -> Iterator[tuple[datetime, list[Event]]]:
    """The events grouped by instant."""
    group: list[Event] = []
    for event in found:
        if group and event.at != group[0].at:
            yield group[0].at, group
            group = []
        group.append(event)
    if group:
        yield group[0].at, group


def _known(row: BookRow, told: dict[str, tuple[object, ...]]) -> Apply:
    def apply(session: Session, organisation_id: uuid.UUID, at: datetime) -> None:
        news = (row.customer_name, row.email, row.phone, row.parent, row.plan, row.terms_days,
                row.language, row.country)  # fmt: skip
        if told.get(row.customer) != news:
            _customer(session, organisation_id, row, at)
            told[row.customer] = news
        if row.credit_note:
            note = credits.CreditFact(
                kind=credits.CREDIT_NOTE,
                external_id=row.invoice,
                customer=row.customer,
                amount=-row.total,
                currency=row.currency,
                on_date=row.issued_on,
            )
            credits.put_credit(session, organisation_id, note, at, _BY)
            return
        invoice = facts.InvoiceFact(
            external_id=row.invoice,
            customer=row.customer,
            number=row.invoice,
            issued_on=row.issued_on,
            due_on=row.due_on,
            total=row.total,
            currency=row.currency,
        )
        facts.put_invoice(session, organisation_id, invoice, at)

    return apply


def _customer(session: Session, organisation_id: uuid.UUID, row: BookRow, at: datetime) -> None:
    """The customer with one main contact; a contact that is on record keeps its marks."""
    known = session.exec(
        select(t.Customer).where(
            t.Customer.organisation_id == organisation_id, t.Customer.external_id == row.customer
        )
    ).one_or_none()
    contact = facts.ContactFact(
        external_id="main", name="", main=True, email=row.email, phone=row.phone
    )
    fact = facts.CustomerFact(
        external_id=row.customer,
        name=row.customer_name or (known.name if known else row.customer),
        parent=row.parent or None,
        terms_days=row.terms_days if row.terms_days is not None else known and known.terms_days,
        language=row.language or (known.language if known else ""),
        country=row.country or (known.country if known else ""),
        plan=row.plan or None,
        contacts=[contact] if row.email or row.phone or known is None else None,
    )
    facts.put_customer(session, organisation_id, fact, at)


def _paid(row: BookRow) -> Apply:
    def apply(session: Session, organisation_id: uuid.UUID, at: datetime) -> None:
        invoice = facts.find_invoice(session, organisation_id, row.invoice, lock=True)
        if invoice.balance > 0:
            _pay(session, invoice, invoice.balance, f"paid/{row.invoice}", at, row.customer)

    return apply if not row.credit_note else lambda *_: None


def _pay(
    session: Session, invoice: t.Invoice, amount: Decimal, key: str, at: datetime, customer: str
) -> None:
    payment = credits.CreditFact(
        kind=credits.PAYMENT,
        external_id=key,
        customer=customer,
        amount=amount,
        currency=invoice.currency,
        on_date=_today(session, invoice.organisation_id, at),
        applied={invoice.external_id: amount},
    )
    credits.put_credit(session, invoice.organisation_id, payment, at, _BY)


def _today(session: Session, organisation_id: uuid.UUID, at: datetime) -> date:
    return calendar_of(session.get_one(t.Organisation, organisation_id)).today(at)


def _fact(fact: Fact) -> Apply:
    def apply(session: Session, organisation_id: uuid.UUID, at: datetime) -> None:
        customer = facts.find_customer(session, organisation_id, fact.customer, lock=True)
        invoice = None
        if fact.invoice:
            invoice = facts.find_invoice(session, organisation_id, fact.invoice, lock=True)
            if invoice.customer_id != customer.id:
                raise Invalid(f"customer {fact.customer!r} has no invoice {fact.invoice!r}")
        if invoice is not None and fact.currency and fact.currency != invoice.currency:
            raise Invalid(f"invoice {fact.invoice!r} is in {invoice.currency}")
        _HOW[fact.kind](session, customer, invoice, fact, at)

    return apply


_Fact = Callable[[Session, t.Customer, t.Invoice | None, Fact, datetime], object]


def _need(invoice: t.Invoice | None) -> t.Invoice:
    if invoice is None:
        raise Invalid("the fact names no invoice")
    return invoice


def _payment(s: Session, c: t.Customer, i: t.Invoice | None, f: Fact, at: datetime) -> None:
    _pay(s, _need(i), f.amount or Decimal(0), f"fact/{f.line}", at, c.external_id)


def _reverse(s: Session, c: t.Customer, i: t.Invoice | None, f: Fact, at: datetime) -> None:
    statement = (
        select(t.Credit)
        .join(t.Application, col(t.Application.credit_id) == t.Credit.id)
        .where(
            t.Application.invoice_id == _need(i).id,
            t.Credit.kind == credits.PAYMENT,
            col(t.Credit.reversed_at).is_(None),
        )
        .order_by(col(t.Credit.created_at).desc())
    )
    if f.amount is not None:
        statement = statement.where(t.Credit.amount == f.amount)
    payment = s.exec(statement).first()
    if payment is None:
        raise Invalid("there is no such payment to reverse")
    credits.reverse_credit(s, payment, f.text, at, _BY)


def _credit(s: Session, c: t.Customer, i: t.Invoice | None, f: Fact, at: datetime) -> None:
    amount = f.amount if f.amount is not None else i.balance if i else None
    if not amount:
        raise Invalid("a credit without an invoice needs an amount")
    currency = i.currency if i else f.currency or _currency(s, c)
    note = credits.CreditFact(
        kind=credits.CREDIT_NOTE,
        external_id=f"fact/{f.line}",
        customer=c.external_id,
        amount=amount,
        currency=currency,
        on_date=_today(s, c.organisation_id, at),
        applied={i.external_id: amount} if i else {},
    )
    credits.put_credit(s, c.organisation_id, note, at, _BY)


def _currency(session: Session, customer: t.Customer) -> str:
    last = session.exec(
        select(t.Invoice.currency)
        .where(t.Invoice.customer_id == customer.id)
        .order_by(col(t.Invoice.issued_on).desc())
    ).first()
    return last or session.get_one(t.Organisation, customer.organisation_id).currency


def _due_date(s: Session, c: t.Customer, i: t.Invoice | None, f: Fact, at: datetime) -> None:
    invoice = _need(i)
    changed = facts.InvoiceFact(
        external_id=invoice.external_id,
        customer=c.external_id,
        number=invoice.number,
        issued_on=invoice.issued_on,
        due_on=f.on,
        total=invoice.total,
        currency=invoice.currency,
    )
    facts.put_invoice(s, c.organisation_id, changed, at)


def _promise(s: Session, c: t.Customer, i: t.Invoice | None, f: Fact, at: datetime) -> None:
    if f.on is None:
        raise Invalid("a promise needs its date")
    holds.promise(s, c, _need(i), f.on, f.amount, f.text, at, _BY)


def _validity(s: Session, c: t.Customer, i: t.Invoice | None, f: Fact, at: datetime) -> None:
    reason = (f.text or "invalid") if f.kind is FactKind.CONTACT_INVALID else ""
    for address in ("email", "phone", "postal"):
        facts.set_contact_validity(s, c, address, reason, at, _BY)


def _work(s: Session, c: t.Customer, i: t.Invoice | None, f: Fact, at: datetime) -> None:
    loaded = load(s, c.id)
    if not work_open_action(s, loaded, f.kind.value, f.text, at, _BY):
        raise Invalid(f"the customer has no open action to {f.kind.value}")
    nudge(s, c, f.kind.value, {"id": f"fact/{f.line}", "who": _BY})


def _plan(s: Session, c: t.Customer, i: t.Invoice | None, f: Fact, at: datetime) -> None:
    facts.assign_plan(s, c, facts.plan_id_of(s, c.organisation_id, f.text), at, _BY)


_HOW: dict[FactKind, _Fact] = {
    FactKind.PAYMENT: _payment,
    FactKind.REVERSE_PAYMENT: _reverse,
    FactKind.CREDIT: _credit,
    FactKind.VOID: lambda s, c, i, f, at: facts.close_invoice(s, _need(i), "void", f.text, at, _BY),
    FactKind.DUE_DATE: _due_date,
    FactKind.PAUSE: lambda s, c, i, f, at: holds.pause(s, c, i, f.on, f.text, at, _BY),
    FactKind.RESUME: lambda s, c, i, f, at: holds.resume(s, c, i, at, _BY),
    FactKind.PROMISE: _promise,
    FactKind.DISPUTE: lambda s, c, i, f, at: holds.dispute(s, c, _need(i), f.text, at, _BY),
    FactKind.SETTLE: lambda s, c, i, f, at: holds.settle(s, c, _need(i), f.text, at, _BY),
    FactKind.CONTACT_INVALID: _validity,
    FactKind.CONTACT_VALID: _validity,
    FactKind.COMPLETE: _work,
    FactKind.SKIP: _work,
    FactKind.PLAN: _plan,
}


def apply_all(
    session: Session, organisation_id: uuid.UUID, group: list[Event], at: datetime
) -> list[str]:
    """Apply the events of one instant; returns what was refused, by line: it changes nothing."""
    refused = []
    for event in group:
        try:
            with session.begin_nested():
                event.apply(session, organisation_id, at)
        except DunningError as e:
            refused.append(f"{event.where}: {e.detail}")
    return refused
