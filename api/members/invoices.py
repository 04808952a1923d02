"""Invoices: their list, and one of them. For everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.billing.invoices import Invoice, InvoiceShort, Status, short, whole
from api.http import pages
from api.http.auth import Anyone
from api.http.bodies import BodyRoute
from api.http.fields import (
    Day,
    Key,
    Name,
)
from api.http.work import Work
from backoffice.ledger import browse
from backoffice.ledger.browse import InvoiceFilter
from backoffice.ledger.find import (
    find_invoice,
)

router = APIRouter(route_class=BodyRoute, tags=["customers"])


class Invoices(pages.Page):
    items: list[InvoiceShort]


@dataclass(frozen=True, slots=True)
class _Asked:
    page: pages.Part
    wanted: InvoiceFilter


def _asked(
    page: pages.Asked,
    customer: Annotated[Key | None, Query(description="Of this customer.")] = None,
    number: Annotated[Name | None, Query(description="With exactly this number.")] = None,
    status: Annotated[Status | None, Query()] = None,
    disputed: Annotated[bool | None, Query()] = None,
    due_before: Annotated[Day | None, Query(description="Due before this day.")] = None,
) -> _Asked:
    return _Asked(page, InvoiceFilter(customer, number, status, disputed, due_before))


@router.get("/invoices", operation_id="list_invoices")
def list_all(who: Anyone, unit: Work, asked: Annotated[_Asked, Depends(_asked)]) -> Invoices:
    """All invoices, by external id."""
    page = asked.page
    rows = browse.list_invoices(unit, asked.wanted, after=page.after, limit=page.limit + 1)
    kept, following = page.cut(rows, lambda row: row.external_id)
    return Invoices(items=short(unit, kept), next_cursor=following)


@router.get("/invoices/{invoice}", operation_id="get_invoice")
def get(invoice: Key, who: Anyone, unit: Work) -> Invoice:
    """One invoice, and what keeps it out of the sequence."""
    return whole(unit, find_invoice(unit, invoice))
