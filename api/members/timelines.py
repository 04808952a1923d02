"""What happened to a customer and to an invoice, newest first."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.http import pages
from api.http.auth import Member
from api.http.bodies import BodyRoute
from api.http.fields import Key
from api.http.rules import RuleLink, cited
from api.http.work import Work
from backoffice.ledger import browse
from backoffice.ledger.find import find_customer, find_invoice
from backoffice.people.visible import hidden_entries
from dunning.ids import ActionId
from store import tables as t
from store import timeline
from store.unit import Unit

router = APIRouter(route_class=BodyRoute, tags=["customers"])


class TimelineEntry(BaseModel):
    at: datetime
    kind: str = Field(examples=["action_done"])
    text: str
    rules: list[RuleLink] = Field(description="The rules that `text` cites.")
    by: str = Field(description="A member, `billing`, or `dunning` itself.")
    invoice: str | None = Field(description="External id of the invoice it is about.")
    action_id: ActionId | None


class Timeline(pages.Page):
    items: list[TimelineEntry]


@router.get("/customers/{customer}/timeline", operation_id="get_customer_timeline")
def of_customer(
    customer: Key,
    member: Member,
    unit: Work,
    page: pages.Asked,
) -> Timeline:
    """Everything about the customer and its invoices. What is about an open action of somebody
    else shows once that action is executed; of one that was withdrawn or skipped only that, and
    why (rule 29)."""
    row = find_customer(unit, customer)
    entries = timeline.read(
        unit,
        hidden_entries(member),
        customer_id=row.id,
        before=page.after_number,
        limit=page.limit + 1,
    )
    return _page(unit, entries, page)


@router.get("/invoices/{invoice}/timeline", operation_id="get_invoice_timeline")
def of_invoice(
    invoice: Key,
    member: Member,
    unit: Work,
    page: pages.Asked,
) -> Timeline:
    """Everything about one invoice, under the same rule."""
    row = find_invoice(unit, invoice)
    entries = timeline.read(
        unit,
        hidden_entries(member),
        invoice_id=row.id,
        before=page.after_number,
        limit=page.limit + 1,
    )
    return _page(unit, entries, page)


def _page(unit: Unit, rows: list[t.TimelineEntry], page: pages.Part) -> Timeline:
    kept, following = page.cut(rows, lambda row: row.id)
    known = browse.by_id(unit, t.Invoice, (r.invoice_id for r in kept))
    items = [
        TimelineEntry(
            at=r.at,
            kind=r.kind,
            text=r.text,
            rules=cited(r.text),
            by=r.by,
            invoice=known[r.invoice_id].external_id if r.invoice_id else None,
            action_id=r.action_id,
        )
        for r in kept
    ]
    return Timeline(items=items, next_cursor=following)
