"""An action as it stands in a list."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from api.http.fields import MoneyOut, money
from api.http.rules import RuleLink, cited
from api.members import customers
from backoffice.ledger import browse
from backoffice.people.visible import withheld_from
from dunning.ids import ActionId, CustomerId, InvoiceId
from dunning.model import ActionStatus, Cause
from dunning.plan import ActionType
from store import tables as t
from store.unit import Unit


class CustomerName(BaseModel):
    id: CustomerId
    external_id: str
    name: str


class InvoiceName(BaseModel):
    id: InvoiceId
    external_id: str
    number: str
    balance: MoneyOut
    currency: str


class ActionShort(BaseModel):
    id: ActionId
    name: str
    customer: CustomerName
    invoice: InvoiceName = Field(description="The invoice that carried when it was made.")
    step: str | None = Field(description="Key of the step; null for a task without one.")
    planned_type: ActionType
    type: ActionType = Field(
        description="As it is, or was, executed (rule 28). Of an action that was withdrawn or "
        "skipped others than its owner see the planned one."
    )
    automatic: bool
    status: ActionStatus
    cause: Cause | None = Field(description="Why it is with its owner although the step is not.")
    reason: str
    rules: list[RuleLink] = Field(
        description="The rules that `reason` cites; of a single action, `message_problem` as well."
    )
    owner: customers.MemberShort | None
    planned_for: datetime | None
    shown_at: datetime | None = Field(description="Since when it is its owner's to do.")
    completed_at: datetime | None = Field(description="Completed, and leaving or gone.")
    executed_at: datetime | None
    ended_at: datetime | None
    ended_by: str


def short(unit: Unit, rows: list[t.Action], reader: t.Member) -> list[ActionShort]:
    people = browse.by_id(unit, t.Member, (r.owner_id for r in rows))
    whose = browse.by_id(unit, t.Customer, (r.customer_id for r in rows))
    carrying = browse.by_id(unit, t.Invoice, (r.invoice_id for r in rows))
    return [
        _short(
            r, whose[r.customer_id], carrying[r.invoice_id], people.get(r.owner_id or r.id), reader
        )
        for r in rows
    ]


def _short(
    row: t.Action,
    customer: t.Customer,
    invoice: t.Invoice,
    owner: t.Member | None,
    reader: t.Member,
) -> ActionShort:
    chosen = None if withheld_from(row, reader) else row.executed_type
    return ActionShort(
        id=row.id,
        name=row.name,
        customer=CustomerName(id=customer.id, external_id=customer.external_id, name=customer.name),
        invoice=InvoiceName(
            id=invoice.id,
            external_id=invoice.external_id,
            number=invoice.number,
            balance=money(invoice.balance, invoice.currency),
            currency=invoice.currency,
        ),
        step=row.step_key,
        planned_type=ActionType(row.type),
        type=ActionType(chosen or row.type),
        automatic=row.automatic,
        status=ActionStatus(row.status),
        cause=Cause(row.cause) if row.cause else None,
        reason=row.reason,
        rules=cited(row.reason),
        owner=customers.member_short(owner) if owner else None,
        planned_for=row.planned_for,
        shown_at=row.shown_at,
        completed_at=row.requested_at,
        executed_at=row.executed_at,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
    )
