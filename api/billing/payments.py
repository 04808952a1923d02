"""Payments and credit notes: in part, in full, over, and taken back."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field, ValidationInfo, field_validator

from api.billing.invoices import Because
from api.billing.reported import CREATED, Reported, reported
from api.http.auth import Billing
from api.http.bodies import BodyRoute
from api.http.fields import (
    Body,
    Currency,
    Day,
    ExternalId,
    Instant,
    Key,
    NewKey,
    Positive,
    in_currency,
)
from api.http.work import Work
from backoffice.ledger.credits import CreditFact, credit_or_404, put_credit, reverse_credit
from backoffice.ledger.kinds import CREDIT_NOTE, PAYMENT
from backoffice.ledger.reports import Change
from store import tables as t
from store.unit import Unit

router = APIRouter(route_class=BodyRoute, tags=["billing"])


class Applied(Body):
    invoice: ExternalId = Field(description="External id of an invoice of the customer.")
    amount: Positive


class _CreditIn(Body):
    customer: ExternalId = Field(description="External id of the customer.")
    currency: Currency
    amount: Positive
    applied: Annotated[list[Applied], Field(max_length=1000)] = Field(
        [],
        description="Which invoices it covers. What is left over, or is more than an invoice's "
        "total, is the customer's unapplied credit (rule 42).",
    )
    source_updated_at: Instant | None = None

    @field_validator("amount")
    @classmethod
    def _decimals(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        currency = info.data.get("currency")
        return in_currency(value, currency) if currency else value

    @field_validator("applied")
    @classmethod
    def _once_each(cls, value: list[Applied], info: ValidationInfo) -> list[Applied]:
        currency = info.data.get("currency")
        for part in value if currency else ():
            in_currency(part.amount, str(currency))
        if len({part.invoice for part in value}) != len(value):
            raise ValueError("names an invoice twice")
        return value

    def _fact(self, kind: str, external_id: str, on_date: Day) -> CreditFact:
        return CreditFact(
            kind=kind,
            external_id=external_id,
            customer=self.customer,
            amount=self.amount,
            currency=self.currency,
            on_date=on_date,
            applied={part.invoice: part.amount for part in self.applied},
            source_updated_at=self.source_updated_at,
        )


class PaymentIn(_CreditIn):
    paid_on: Day

    def fact(self, external_id: str) -> CreditFact:
        return self._fact(PAYMENT, external_id, self.paid_on)


class CreditNoteIn(_CreditIn):
    issued_on: Day

    def fact(self, external_id: str) -> CreditFact:
        return self._fact(CREDIT_NOTE, external_id, self.issued_on)


@router.put("/payments/{payment}", operation_id="put_payment", responses=CREATED)
def put_payment(
    payment: NewKey, body: PaymentIn, who: Billing, unit: Work, response: Response
) -> Reported:
    """Report a payment: in part, in full, or more than is owed."""
    row, result = put_credit(unit, body.fact(payment))
    return reported(response, row, Change(result))


@router.put("/credit-notes/{credit_note}", operation_id="put_credit_note", responses=CREATED)
def put_credit_note(
    credit_note: NewKey, body: CreditNoteIn, who: Billing, unit: Work, response: Response
) -> Reported:
    """Report a credit note. It never carries; it lowers what the customer owes (rule 3)."""
    row, result = put_credit(unit, body.fact(credit_note))
    return reported(response, row, Change(result))


@router.post("/payments/{payment}/reverse", operation_id="reverse_payment")
def reverse(payment: Key, who: Billing, unit: Work, body: Because | None = None) -> Reported:
    """The payment bounced: the invoices it covered are open again and resume (rule 7)."""
    return _reverse(unit, PAYMENT, payment, body)


@router.post("/credit-notes/{credit_note}/void", operation_id="void_credit_note")
def void(credit_note: Key, who: Billing, unit: Work, body: Because | None = None) -> Reported:
    """The credit note is void: the invoices it covered are open again."""
    return _reverse(unit, CREDIT_NOTE, credit_note, body)


def _reverse(unit: Unit, kind: str, key: str, body: Because | None) -> Reported:
    row: t.Credit = credit_or_404(unit, kind, key)
    changed = reverse_credit(unit, row, body.reason if body else "")
    result = Change.UPDATED if changed else Change.UNCHANGED
    return Reported(result=result, id=row.id, external_id=row.external_id)
