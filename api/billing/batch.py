"""Many facts at once: everything goes in, or nothing does and every bad item is named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter
from pydantic import BaseModel, Field, model_validator

from api.billing.customers import CustomerIn
from api.billing.invoices import InvoiceIn
from api.billing.payments import CreditNoteIn, PaymentIn
from api.billing.reported import Reported
from api.http.auth import Billing
from api.http.bodies import BatchRoute
from api.http.fields import Body, ExternalId
from api.http.problems import pointer
from api.http.work import Work
from backoffice.ledger.credits import put_credit
from backoffice.ledger.customers import put_customer
from backoffice.ledger.invoices import put_invoice
from backoffice.ledger.kinds import CREDIT_NOTE, PAYMENT
from backoffice.ledger.reports import Change
from store import bulk
from store.errors import DunningError, Invalid, Mistake

router = APIRouter(route_class=BatchRoute, tags=["billing"])

MAX_ITEMS = 5000
Item = TypeVar("Item", "CustomerItem", "InvoiceItem", "CreditNoteItem", "PaymentItem")


class CustomerItem(CustomerIn):
    external_id: ExternalId


class InvoiceItem(InvoiceIn):
    external_id: ExternalId


class CreditNoteItem(CreditNoteIn):
    external_id: ExternalId


class PaymentItem(PaymentIn):
    external_id: ExternalId


class Batch(Body):
    """At most 5,000 items together. Taken in this order, so a batch may refer to itself."""

    customers: list[CustomerItem] = Field([])
    invoices: list[InvoiceItem] = Field([])
    credit_notes: list[CreditNoteItem] = Field([])
    payments: list[PaymentItem] = Field([])

    @model_validator(mode="before")
    @classmethod
    def _not_too_many(cls, data: Any) -> Any:
        if isinstance(data, dict):
            lists = (data.get(name) for name in cls.model_fields)
            count = sum(len(items) for items in lists if isinstance(items, list))
            if count > MAX_ITEMS:
                raise ValueError(f"has {count} items; send at most {MAX_ITEMS:,} at once")
        return data


class BatchReport(BaseModel):
    """One answer per item, in the order in which they came."""

    customers: list[Reported]
    invoices: list[Reported]
    credit_notes: list[Reported]
    payments: list[Reported]


@router.post("/batch", operation_id="post_batch")
def post(body: Annotated[Batch, Field()], who: Billing, unit: Work) -> BatchReport:
    """Customers, invoices, credit notes and payments in one transaction, all or nothing."""
    errors: list[Mistake] = []

    def each(
        name: str, items: Iterable[tuple[int, Item]], put: Callable[[Item], tuple[Any, str]]
    ) -> list[Reported]:
        done: dict[int, Reported] = {}
        for place, item in items:
            try:
                row, result = put(item)
            except DunningError as error:
                errors.extend(_placed(name, place, error))
            else:
                done[place] = Reported(
                    result=Change(result), id=row.id, external_id=row.external_id
                )
        return [done[place] for place in sorted(done)]

    def credit(item: CreditNoteItem | PaymentItem) -> tuple[Any, str]:
        return put_credit(unit, item.fact(item.external_id))

    with bulk.batch(unit, _customers(body), _invoices(body), _credits(body)):
        report = BatchReport(
            customers=each(
                "customers",
                _parents_first(body.customers),
                lambda one: put_customer(unit, one.fact(one.external_id)),
            ),
            invoices=each(
                "invoices",
                enumerate(body.invoices),
                lambda one: put_invoice(unit, one.fact(one.external_id)),
            ),
            credit_notes=each("credit_notes", enumerate(body.credit_notes), credit),
            payments=each("payments", enumerate(body.payments), credit),
        )
        if errors:
            raise Invalid(f"{len(errors)} items are wrong; nothing was stored", errors)
    return report


def _placed(name: str, place: int, error: DunningError) -> Iterator[Mistake]:
    if not error.errors:
        yield Mistake(pointer(name, place), error.detail)
    for one in error.errors:
        yield Mistake(pointer(name, place) + one.where, one.reason)


def _customers(body: Batch) -> Iterator[str]:
    for one in body.customers:
        yield from (one.external_id, *([one.parent] if one.parent else []))
    for items in (body.invoices, body.credit_notes, body.payments):
        yield from (item.customer for item in items)


def _invoices(body: Batch) -> Iterator[str]:
    yield from (item.external_id for item in body.invoices)
    for items in (body.credit_notes, body.payments):
        yield from (part.invoice for item in items for part in item.applied)


def _credits(body: Batch) -> Iterator[tuple[str, str]]:
    yield from ((CREDIT_NOTE, item.external_id) for item in body.credit_notes)
    yield from ((PAYMENT, item.external_id) for item in body.payments)


def _parents_first(items: list[CustomerItem]) -> Iterator[tuple[int, CustomerItem]]:
    """A child may come before its parent in the list. Else by external id, in which order new
    customers are inserted (``store.locks``)."""
    left = dict(enumerate(items))
    while left:
        ids = {item.external_id for item in left.values()}
        ready = {p: i for p, i in left.items() if i.parent not in ids} or left
        yield from sorted(ready.items(), key=lambda one: one[1].external_id)
        left = {p: i for p, i in left.items() if p not in ready}
