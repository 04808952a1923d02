"""A book and its facts as a calendar of events, each at its instant, in the order they happen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select

from backoffice.ledger import facts, holds
from backoffice.ledger.credits import CREDIT_NOTE, PAYMENT, CreditFact, put_credit, reverse_credit
from backoffice.ledger.reported_contacts import ContactFact
from backoffice.worklist.actions import work_open_action
from books.facts import Fact, FactKind
from books.row import BookRow
from dunning.calendar import Calendar, instant
from store import bulk
from store import tables as t
from store.calendars import calendar_of
from store.errors import DunningError, Invalid
from store.load import load
from store.locks import lock_customers
from store.nudges import nudge
from store.timeline import note
from store.unit import Unit

FACTS_BY = "billing"

_POSTAL = {
    "line1": "not in the book", "city": "not in the book", "postal_code": "00000", "country": "FR"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens at an instant (UTC): an invoice becomes known, with the ``news`` of
    its customer if there is any; it is ``paid``; or a fact."""

    at: datetime
    order: int
    what: BookRow | Fact
    paid: bool = False
    news: facts.CustomerFact | None = None


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
    for place, row in enumerate(rows):
        known_on = max(row.issued_on, start)
        if known_on > end or (row.paid_on is not None and row.paid_on < start):
            continue
        found.append(Event(calendar.start_of(known_on), place * 2, row))
        if row.paid_on is not None and row.paid_on <= end and not row.credit_note:
            at = calendar.start_of(max(row.paid_on, known_on))
            found.append(Event(at, place * 2 + 1, row, paid=True))
    base = 2 * 10**9
    first, last = calendar.start_of(start), instant(calendar.zone, end, time(23, 59, 59))
    for fact in facts_:
        at = instant(calendar.zone, fact.at.date(), fact.at.time())
        if at <= last:
            found.append(Event(max(at, first), base + fact.line, fact))
    found.sort(key=lambda e: (e.at, e.order))
    return list(_with_news(found))


def _with_news(found: list[Event]) -> Iterator[Event]:
    """What a row says of its customer goes with it where it is news: what a row leaves empty keeps
    what an earlier one said."""
    told: dict[str, facts.CustomerFact] = {}
    for event in found:
        row = event.what
        if isinstance(row, Fact) or event.paid:
            yield event
            continue
        old = told.get(row.customer)
        new = told[row.customer] = _merged(old, row, told)
        if new == old:
            yield event
        else:
            plan = new.plan if old is None or new.plan != old.plan else None
            yield replace(event, news=replace(new, plan=plan))


def _merged(
    old: facts.CustomerFact | None, row: BookRow, told: dict[str, facts.CustomerFact]
) -> facts.CustomerFact:
    """A book has no postal addresses; letters are to be seen all the same, so it gets one."""
    if old is None:
        contact = ContactFact("main", main=True, postal=_POSTAL)
        old = facts.CustomerFact(row.customer, row.customer, contacts=[contact])
    contact = (old.contacts or [])[0]
    contact = replace(contact, email=row.email or contact.email, phone=row.phone or contact.phone)
    return replace(
        old,
        name=row.customer_name or old.name,
        parent=row.parent if row.parent in told else old.parent,
        terms_days=old.terms_days if row.terms_days is None else row.terms_days,
        language=row.language or old.language,
        country=row.country or old.country,
        plan=row.plan or old.plan,
        contacts=[contact],
    )


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


def apply_all(unit: Unit, group: list[Event]) -> list[str]:
    """Apply events in order, first the rows, all together: nobody else writes these facts.

    Returns the facts that were refused, by line: they change nothing.
    """
    known = [e for e in group if isinstance(e.what, BookRow) and not e.paid]
    paid = [e.what for e in group if isinstance(e.what, BookRow) and e.paid]
    news = [e.news for e in known if e.news is not None]
    if news:
        with bulk.batch(unit, {n.external_id for n in news}, ()):
            for customer in news:
                facts.put_customer(unit, customer)
    if known:
        _know(unit, [e.what for e in known if isinstance(e.what, BookRow)])
    if paid:
        _pay_all(unit, paid)
    refused = []
    told = [event.what.customer for event in group if isinstance(event.what, Fact)]
    lock_customers(unit, told)
    for event in group:
        if isinstance(event.what, Fact):
            try:
                with unit.session.begin_nested():
                    _happen(unit, event.what)
            except DunningError as e:
                refused.append(f"facts line {event.what.line}: {e.detail}")
    return refused


def _know(unit: Unit, rows: list[BookRow]) -> None:
    """New invoices and credit notes, as backoffice.ledger.facts and backoffice.ledger.credits
    write them one by one."""
    customers = _by_key(unit, t.Customer, {row.customer for row in rows})
    for row in rows:
        customer = customers[row.customer]
        text = f"{abs(row.total):f} {row.currency}"
        if row.credit_note:
            unit.session.add(t.Credit(
                organisation_id=unit.organisation_id, customer_id=customer.id, amount=-row.total,
                kind=CREDIT_NOTE, external_id=row.invoice, currency=row.currency,
                on_date=row.issued_on, created_at=unit.now,
            ))  # fmt: skip
            text = f"credit note {row.invoice} of {text} is reported"
            note(unit, customer, CREDIT_NOTE, text, by=FACTS_BY)
        else:
            invoice = t.Invoice(
                organisation_id=unit.organisation_id, customer_id=customer.id,
                external_id=row.invoice,
                number=row.invoice, issued_on=row.issued_on, due_on=row.due_on, total=row.total,
                balance=row.total, currency=row.currency, created_at=unit.now,
            )  # fmt: skip
            unit.session.add(invoice)
            due = f", due {row.due_on}" if row.due_on else ""
            text = f"{row.invoice} issued {row.issued_on}{due}: {text}"
            note(unit, customer, "invoice_created", text, invoice_id=invoice.id, by=FACTS_BY)
        nudge(unit, customer)
    unit.session.flush()


def _pay_all(unit: Unit, rows: list[BookRow]) -> None:
    """What is open on each is paid, as backoffice.ledger.credits writes it one by one."""
    invoices = _by_key(unit, t.Invoice, {row.invoice for row in rows})
    customers = _by_key(unit, t.Customer, {row.customer for row in rows})
    applications = []
    for row in rows:
        invoice, customer = invoices[row.invoice], customers[row.customer]
        if invoice.balance <= 0:
            continue
        payment = t.Credit(
            organisation_id=unit.organisation_id, customer_id=customer.id, kind=PAYMENT,
            external_id=f"paid/{row.invoice}", amount=invoice.balance, currency=row.currency,
            on_date=row.paid_on or row.issued_on, created_at=unit.now,
        )  # fmt: skip
        unit.session.add(payment)
        applications.append(
            t.Application(credit_id=payment.id, invoice_id=invoice.id, amount=payment.amount)
        )
        invoice.balance = Decimal(0)
        if invoice.status == "open":
            invoice.status, invoice.closed_at, invoice.closed_reason = "paid", unit.now, "is paid"
            note(unit, customer, "invoice_paid", f"{invoice.number} is paid",
                 invoice_id=invoice.id, by=FACTS_BY)  # fmt: skip
        amount = f"{payment.amount:f} {row.currency}"
        nudge(unit, customer, "payment", {
            "id": str(payment.id), "invoice": invoice.number, "amount": amount, "why": "is paid",
        })  # fmt: skip
    unit.session.flush()
    unit.session.add_all(applications)
    unit.session.flush()


def _by_key(unit: Unit, table: Any, keys: set[str]) -> dict[str, Any]:
    rows = unit.session.exec(
        select(table).where(
            table.organisation_id == unit.organisation_id,
            table.external_id == sa.any_(sa.cast(sorted(keys), sa.ARRAY(sa.Text))),
        )
    )
    return {row.external_id: row for row in rows}


def _happen(unit: Unit, fact: Fact) -> None:
    customer = facts.find_customer(unit, fact.customer, lock=True)
    invoice = None
    if fact.invoice:
        invoice = facts.find_invoice(unit, fact.invoice, lock=True)
        if invoice.customer_id != customer.id:
            raise Invalid(f"customer {fact.customer!r} has no invoice {fact.invoice!r}")
    if invoice is not None and fact.currency and fact.currency != invoice.currency:
        raise Invalid(f"invoice {fact.invoice!r} is in {invoice.currency}")
    _HOW[fact.kind](unit, customer, invoice, fact)


_Fact = Callable[[Unit, t.Customer, t.Invoice | None, Fact], object]


def _need(invoice: t.Invoice | None) -> t.Invoice:
    if invoice is None:
        raise Invalid("the fact names no invoice")
    return invoice


def _payment(unit: Unit, c: t.Customer, i: t.Invoice | None, f: Fact) -> None:
    invoice, amount = _need(i), f.amount or Decimal(0)
    payment = CreditFact(
        kind=PAYMENT,
        external_id=f"fact/{f.line}",
        customer=c.external_id,
        amount=amount,
        currency=invoice.currency,
        on_date=_today(unit),
        applied={invoice.external_id: amount},
    )
    put_credit(unit, payment)


def _today(unit: Unit) -> date:
    return calendar_of(unit.organisation).today(unit.now)


def _reverse(unit: Unit, c: t.Customer, i: t.Invoice | None, f: Fact) -> None:
    statement = (
        select(t.Credit)
        .join(t.Application, col(t.Application.credit_id) == t.Credit.id)
        .where(
            t.Application.invoice_id == _need(i).id,
            t.Credit.kind == PAYMENT,
            col(t.Credit.reversed_at).is_(None),
        )
        .order_by(col(t.Credit.created_at).desc())
    )
    if f.amount is not None:
        statement = statement.where(t.Credit.amount == f.amount)
    payment = unit.session.exec(statement).first()
    if payment is None:
        raise Invalid("there is no such payment to reverse")
    reverse_credit(unit, payment, f.text)


def _credit(unit: Unit, c: t.Customer, i: t.Invoice | None, f: Fact) -> None:
    amount = f.amount if f.amount is not None else i.balance if i else None
    if not amount:
        raise Invalid("there is nothing open to credit")
    currency = i.currency if i else f.currency or _currency(unit, c)
    credit = CreditFact(
        kind=CREDIT_NOTE,
        external_id=f"fact/{f.line}",
        customer=c.external_id,
        amount=amount,
        currency=currency,
        on_date=_today(unit),
        applied={i.external_id: amount} if i else {},
    )
    put_credit(unit, credit)


def _currency(unit: Unit, customer: t.Customer) -> str:
    last = unit.session.exec(
        select(t.Invoice.currency)
        .where(t.Invoice.customer_id == customer.id)
        .order_by(col(t.Invoice.issued_on).desc())
        .limit(1)
    ).first()
    return last or unit.organisation.currency


def _due_date(unit: Unit, c: t.Customer, i: t.Invoice | None, f: Fact) -> None:
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
    facts.put_invoice(unit, changed)


def _promise(unit: Unit, c: t.Customer, i: t.Invoice | None, f: Fact) -> None:
    if f.on is None:
        raise Invalid("a promise needs its date")
    holds.promise(unit, c, _need(i), f.on, f.amount, f.text)


def _validity(unit: Unit, c: t.Customer, i: t.Invoice | None, f: Fact) -> None:
    reason = (f.text or "invalid") if f.kind is FactKind.CONTACT_INVALID else ""
    for address in ("email", "phone", "postal"):
        facts.set_contact_validity(unit, c, address, reason)


def _work(unit: Unit, c: t.Customer, i: t.Invoice | None, f: Fact) -> None:
    loaded = load(unit, c.id)
    if not work_open_action(unit, loaded, f.kind.value, f.text):
        raise Invalid(f"the customer has no open action to {f.kind.value}")
    nudge(unit, c, f.kind.value, {"id": f"fact/{f.line}", "who": FACTS_BY})


def _plan(unit: Unit, c: t.Customer, i: t.Invoice | None, f: Fact) -> None:
    facts.assign_plan(unit, c, facts.plan_id_of(unit, f.text))


_HOW: dict[FactKind, _Fact] = {
    FactKind.PAYMENT: _payment,
    FactKind.REVERSE_PAYMENT: _reverse,
    FactKind.CREDIT: _credit,
    FactKind.VOID: lambda u, _, i, f: facts.close_invoice(u, _need(i), "void", f.text),
    FactKind.DUE_DATE: _due_date,
    FactKind.PAUSE: lambda u, c, i, f: holds.pause(u, c, i, f.on, f.text),
    FactKind.RESUME: lambda u, c, i, _: holds.resume(u, c, i),
    FactKind.PROMISE: _promise,
    FactKind.DISPUTE: lambda u, c, i, f: holds.dispute(u, c, _need(i), f.text),
    FactKind.SETTLE: lambda u, c, i, f: holds.settle(u, c, _need(i), f.text),
    FactKind.CONTACT_INVALID: _validity,
    FactKind.CONTACT_VALID: _validity,
    FactKind.COMPLETE: _work,
    FactKind.SKIP: _work,
    FactKind.PLAN: _plan,
}
