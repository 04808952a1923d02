"""Reports a fact of a rehearsal's script to the back office, as the API does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from sqlmodel import col, select

from backoffice.delivery.completing import work_open_action
from backoffice.ledger import holds
from backoffice.ledger.assigned_plan import assign_plan, plan_id_of
from backoffice.ledger.contacts import set_contact_validity
from backoffice.ledger.credits import CreditFact, put_credit, reverse_credit
from backoffice.ledger.find import find_customer, find_invoice
from backoffice.ledger.invoices import InvoiceFact, close_invoice, put_invoice
from backoffice.ledger.kinds import CREDIT_NOTE, PAYMENT
from backoffice.worklist.working import How
from books.facts import Fact, FactKind
from rehearsal.book import FACTS_BY
from store import tables as t
from store.calendars import calendar_of
from store.errors import Invalid
from store.load import load
from store.nudges import nudge
from store.unit import Unit


def report(unit: Unit, fact: Fact) -> None:
    customer = find_customer(unit, fact.customer, lock=True)
    invoice = None
    if fact.invoice:
        invoice = find_invoice(unit, fact.invoice, lock=True)
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
    changed = InvoiceFact(
        external_id=invoice.external_id,
        customer=c.external_id,
        number=invoice.number,
        issued_on=invoice.issued_on,
        due_on=f.on,
        total=invoice.total,
        currency=invoice.currency,
    )
    put_invoice(unit, changed)


def _promise(unit: Unit, c: t.Customer, i: t.Invoice | None, f: Fact) -> None:
    if f.on is None:
        raise Invalid("a promise needs its date")
    holds.promise(unit, c, _need(i), f.on, f.amount, f.text)


def _validity(unit: Unit, c: t.Customer, i: t.Invoice | None, f: Fact) -> None:
    reason = (f.text or "invalid") if f.kind is FactKind.CONTACT_INVALID else ""
    for address in ("email", "phone", "postal"):
        set_contact_validity(unit, c, address, reason)


def _work(unit: Unit, c: t.Customer, i: t.Invoice | None, f: Fact) -> None:
    loaded = load(unit, c.id)
    if not work_open_action(unit, loaded, How(f.kind.value), f.text):
        raise Invalid(f"the customer has no open action to {f.kind.value}")
    nudge(unit, c, f.kind.value, {"id": f"fact/{f.line}", "who": FACTS_BY})


def _plan(unit: Unit, c: t.Customer, i: t.Invoice | None, f: Fact) -> None:
    assign_plan(unit, c, plan_id_of(unit, f.text))


_HOW: dict[FactKind, _Fact] = {
    FactKind.PAYMENT: _payment,
    FactKind.REVERSE_PAYMENT: _reverse,
    FactKind.CREDIT: _credit,
    FactKind.VOID: lambda u, _, i, f: close_invoice(u, _need(i), "void", f.text),
    FactKind.DUE_DATE: _due_date,
    FactKind.PAUSE: lambda u, c, i, f: holds.pause(u, c, i, f.on, f.text),
    FactKind.RESUME: lambda u, c, i, _: holds.resume(u, c, i),
    FactKind.PROMISE: _promise,
    FactKind.DISPUTE: lambda u, c, i, f: holds.dispute(u, c, _need(i), f.text),
    FactKind.SETTLE: lambda u, c, i, f: holds.settle_dispute(u, c, _need(i), f.text),
    FactKind.CONTACT_INVALID: _validity,
    FactKind.CONTACT_VALID: _validity,
    FactKind.COMPLETE: _work,
    FactKind.SKIP: _work,
    FactKind.PLAN: _plan,
}
