"""Invoices: as a billing system reports them, and as everybody reads them."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, field_validator

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
    MoneyOut,
    Name,
    NewKey,
    NotNegative,
    Words,
    in_currency,
    money,
)
from api.http.files import FileOut, file_out
from api.http.work import Work
from backoffice.ledger import browse, files
from backoffice.ledger.find import find_invoice
from backoffice.ledger.invoices import InvoiceFact, close_invoice, put_invoice
from dunning.carrying import paused
from dunning.ids import InvoiceId
from dunning.model import effective_due
from store import tables as t
from store.load import load
from store.unit import Unit

router = APIRouter(route_class=BodyRoute, tags=["billing"])

Status = Literal["open", "paid", "void", "written_off"]
_IN_ADDRESSES = r'[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff<>"\\]'
_WEB = re.compile(rf"https?://[^/?#@\s\\]+([/?#]{_IN_ADDRESSES}*)?", re.IGNORECASE)


def _web_address(value: str) -> str:
    if value and not _WEB.fullmatch(value):
        raise ValueError("is not a web address such as https://pay.example.com/INV-1042")
    return value


MaybeWebAddress = Annotated[
    str,
    Field(max_length=2000, examples=["https://pay.example.com/INV-1042"]),
    AfterValidator(_web_address),
]


class InvoiceIn(Body):
    customer: ExternalId = Field(description="External id of the customer.")
    number: Name = Field(examples=["INV-1042"])
    issued_on: Day
    due_on: Day | None = Field(None, description="Absent: the issue date plus the terms.")
    currency: Currency
    total: NotNegative
    url: MaybeWebAddress | None = Field(
        None,
        description="The page on which the customer sees or pays it, in an SMS behind a short "
        'link. "" removes it, absent leaves it.',
    )
    source_updated_at: Instant | None = None

    @field_validator("due_on")
    @classmethod
    def _after_issue(cls, value: date | None, info: ValidationInfo) -> date | None:
        issued_on = info.data.get("issued_on")
        if value is not None and issued_on is not None and value < issued_on:
            raise ValueError(f"is before the issue date {issued_on}")
        return value

    @field_validator("total")
    @classmethod
    def _decimals(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        currency = info.data.get("currency")
        return in_currency(value, currency) if currency else value

    def fact(self, external_id: str) -> InvoiceFact:
        """Its fields have the names of the fact's."""
        values = {name: getattr(self, name) for name in InvoiceIn.model_fields}
        return InvoiceFact(external_id=external_id, **values)


class Because(Body):
    reason: Words = Field("", examples=["issued by mistake"])


class InvoiceShort(BaseModel):
    id: InvoiceId
    external_id: str
    customer: str = Field(description="External id of the customer.")
    number: str
    issued_on: date
    due_on: date = Field(description="As reported, else the issue date plus the terms (rule 2).")
    total: MoneyOut
    balance: MoneyOut
    currency: str
    status: Status
    closed_reason: str
    disputed: bool
    dispute_reason: str
    url: str = Field(description="The page on which the customer sees or pays it.")


class PromiseOut(BaseModel):
    promised_on: date
    amount: MoneyOut | None = Field(description="Null: the whole balance of then.")


class Invoice(InvoiceShort):
    paused: bool
    paused_until: date | None = Field(description="The first day on which it is back.")
    promises: list[PromiseOut] = Field(description="Those that still run (rule 40).")
    pdf: FileOut | None


def short(unit: Unit, rows: list[t.Invoice]) -> list[InvoiceShort]:
    customers = browse.by_id(unit, t.Customer, (r.customer_id for r in rows))
    return [_short(row, customers[row.customer_id]) for row in rows]


def _short(row: t.Invoice, customer: t.Customer) -> InvoiceShort:
    """Each column with the name of a field, but for what is shown otherwise than it is stored."""
    shown = row.model_dump(include=set(InvoiceShort.model_fields)) | {
        "customer": customer.external_id,
        "due_on": effective_due(row.issued_on, row.due_on, customer.terms_days),
        "total": money(row.total, row.currency),
        "balance": money(row.balance, row.currency),
        "disputed": row.disputed_at is not None,
    }
    return InvoiceShort(**shown)


def whole(unit: Unit, row: t.Invoice) -> Invoice:
    """With what keeps it out of the sequence today (rules 38 to 40)."""
    loaded = load(unit, row.customer_id, lock=False)
    account = loaded.account
    today = account.calendar.today(unit.now)
    known = next((i for i in account.invoices if i.id == str(row.id)), None)
    stopped, until = paused(known.pauses, today) if known else (False, None)
    promises = [p for p in known.promises if p.runs(today)] if known else []
    return Invoice(
        **_short(row, loaded.customer).model_dump(),
        paused=stopped,
        paused_until=until,
        promises=[
            PromiseOut(
                promised_on=p.promised_on,
                amount=money(p.amount, row.currency) if p.amount is not None else None,
            )
            for p in promises
        ],
        pdf=file_out(files.pdf_of(unit, row)) if row.pdf_id else None,
    )


@router.put("/invoices/{invoice}", operation_id="put_invoice", responses=CREATED)
def put(invoice: NewKey, body: InvoiceIn, who: Billing, unit: Work, response: Response) -> Reported:
    """Create or update an invoice. Its customer must be known, its currency stays."""
    row, change = put_invoice(unit, body.fact(invoice))
    return reported(response, row, change)


@router.post("/invoices/{invoice}/void", operation_id="void_invoice")
def void(invoice: Key, who: Billing, unit: Work, body: Because | None = None) -> Invoice:
    """The invoice is void: it counts as paid, with its own reason (rule 5)."""
    return _close(unit, invoice, "void", body)


@router.post("/invoices/{invoice}/write-off", operation_id="write_off_invoice")
def write_off(invoice: Key, who: Billing, unit: Work, body: Because | None = None) -> Invoice:
    """The invoice is given up: it counts as paid, with its own reason (rule 5)."""
    return _close(unit, invoice, "written_off", body)


def _close(unit: Unit, key: str, status: str, body: Because | None) -> Invoice:
    row = find_invoice(unit, key, lock=True)
    close_invoice(unit, row, status, body.reason if body else "")
    unit.session.flush()
    return whole(unit, row)
