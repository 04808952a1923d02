"""Pause, promise, dispute: what keeps a customer or an invoice out of the sequence (38 to 41)."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from api.billing import invoices
from api.billing.invoices import Invoice
from api.http.auth import Member
from api.http.bodies import BodyRoute
from api.http.fields import Body, Day, Key, Positive, Words, in_currency
from api.http.work import Work
from api.members import customers
from api.members.customers import Customer
from backoffice.ledger import holds
from backoffice.ledger.find import find_customer, find_invoice
from store import tables as t
from store.errors import Invalid
from store.unit import Unit

router = APIRouter(route_class=BodyRoute, tags=["holds"])


class PauseIn(Body):
    until: Day | None = Field(
        None, description="The first day on which it runs again; absent: until resumed."
    )
    reason: Words = ""


class PromiseIn(Body):
    promised_on: Day = Field(description="It is out of the sequence until this day has ended.")
    amount: Positive | None = Field(None, description="Absent: the whole balance.")
    note: Words = ""


class Dispute(Body):
    reason: Words = Field("", examples=["two pallets were broken"])


class Settlement(Body):
    note: Words = ""


@router.post("/customers/{customer}/pause", operation_id="pause_customer")
def pause_customer(
    customer: Key, member: Member, unit: Work, body: PauseIn | None = None
) -> Customer:
    """Nothing goes out to this customer (rules 38 and 39)."""
    row, what = find_customer(unit, customer, lock=True), body or PauseIn()
    holds.pause(unit, row, None, what.until, what.reason)
    return customers.whole(unit, row)


@router.post("/customers/{customer}/resume", operation_id="resume_customer")
def resume_customer(customer: Key, member: Member, unit: Work) -> Customer:
    """Ends every pause of the customer itself; its invoices' own pauses stay."""
    row = find_customer(unit, customer, lock=True)
    holds.resume(unit, row, None)
    unit.session.flush()
    return customers.whole(unit, row)


@router.post("/invoices/{invoice}/pause", operation_id="pause_invoice")
def pause_invoice(invoice: Key, member: Member, unit: Work, body: PauseIn | None = None) -> Invoice:
    """The invoice does not carry and leaves every message; the totals include it (rule 9)."""
    row, customer = _locked(unit, invoice)
    what = body or PauseIn()
    holds.pause(unit, customer, row, what.until, what.reason)
    return _answer(unit, row)


@router.post("/invoices/{invoice}/resume", operation_id="resume_invoice")
def resume_invoice(invoice: Key, member: Member, unit: Work) -> Invoice:
    """Ends every pause of the invoice; it returns with its progress (rule 7)."""
    row, customer = _locked(unit, invoice)
    holds.resume(unit, customer, row)
    return _answer(unit, row)


@router.post("/invoices/{invoice}/promise", operation_id="promise_invoice")
def promise(invoice: Key, body: PromiseIn, member: Member, unit: Work) -> Invoice:
    """The customer promised to pay; takes the place of a promise that still runs (rule 40)."""
    row, customer = _locked(unit, invoice)
    if body.amount is not None:
        try:
            in_currency(body.amount, row.currency)
        except ValueError as error:
            raise Invalid.at("/amount", str(error)) from None
    holds.promise(unit, customer, row, body.promised_on, body.amount, body.note)
    return _answer(unit, row)


@router.post("/invoices/{invoice}/dispute", operation_id="dispute_invoice")
def dispute(invoice: Key, member: Member, unit: Work, body: Dispute | None = None) -> Invoice:
    """The customer disputes it: out of the sequence until it is settled (rule 41)."""
    row, customer = _locked(unit, invoice)
    holds.dispute(unit, customer, row, body.reason if body else "")
    return _answer(unit, row)


@router.post("/invoices/{invoice}/settle", operation_id="settle_invoice")
def settle(invoice: Key, member: Member, unit: Work, body: Settlement | None = None) -> Invoice:
    """The dispute is settled: the invoice returns with its progress (rule 7)."""
    row, customer = _locked(unit, invoice)
    holds.settle_dispute(unit, customer, row, body.note if body else "")
    return _answer(unit, row)


def _locked(unit: Unit, key: str) -> tuple[t.Invoice, t.Customer]:
    row = find_invoice(unit, key, lock=True)
    return row, unit.session.get_one(t.Customer, row.customer_id)


def _answer(unit: Unit, row: t.Invoice) -> Invoice:
    unit.session.flush()
    return invoices.whole(unit, row)
