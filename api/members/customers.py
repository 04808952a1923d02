"""Customers as everybody reads them, and the plan a member gives them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from addresses.kinds import EMAIL, PHONE, POSTAL
from api.http import pages
from api.http.auth import Anyone, Member
from api.http.bodies import BodyRoute
from api.http.fields import (
    Body,
    Key,
    Line,
    MoneyOut,
    money,
)
from api.http.work import Work
from backoffice.ledger import browse
from backoffice.ledger.assigned_plan import assign_plan, plan_id_of
from backoffice.ledger.find import find_customer
from backoffice.people.members import member_or_404
from dunning.carrying import paused
from dunning.ids import CustomerId, MemberId
from dunning.model import InvoiceStatus
from dunning.totals import sums
from store import tables as t
from store.closures import Closures
from store.contacts import Person, persons_of
from store.load import load
from store.unit import Unit

router = APIRouter(route_class=BodyRoute, tags=["customers"])


class CustomerShort(BaseModel):
    id: CustomerId
    external_id: str
    name: str
    parent: str | None = Field(description="External id of the parent customer.")
    terms_days: int | None
    language: str
    country: str
    plan: str | None = Field(description="Null: the organisation's default plan.")


class ContactOut(BaseModel):
    """An address with a reason beside it is invalid and gets no message (rule 35), nor does one at
    which somebody complained, unsubscribed, answered STOP, or asked for it."""

    external_id: str
    name: str
    position: str
    language: str
    main: bool
    email: str
    email_invalid: str
    email_closed: str = Field(description='Why the address gets no emails; "" = it does.')
    phone: str
    phone_invalid: str
    sms_closed: str = Field(description='Why the number gets no SMS; "" = it does.')
    postal: dict[str, Any]
    postal_invalid: str


class MemberShort(BaseModel):
    id: MemberId
    name: str
    email: str


class Sums(BaseModel):
    """Of all open invoices, paused and disputed ones too (rule 9); the credit is not taken off."""

    currency: str
    outstanding: MoneyOut
    overdue: MoneyOut
    credit: MoneyOut


class Customer(CustomerShort):
    contacts: list[ContactOut]
    members: list[MemberShort] = Field(description="In order of assignment.")
    open_invoices: int
    totals: list[Sums]
    paused: bool
    paused_until: date | None = Field(description="The first day on which it runs again.")


class Customers(pages.Page):
    items: list[CustomerShort]


class PlanChoice(Body):
    plan: Line = Field(description='Name of a plan; "" is the default plan.')


def short(unit: Unit, rows: list[t.Customer]) -> list[CustomerShort]:
    parents = browse.by_id(unit, t.Customer, (r.parent_id for r in rows))
    plans = browse.by_id(unit, t.Plan, (r.plan_id for r in rows))
    return [
        CustomerShort(
            **r.model_dump(include={"id", "external_id", "name", "language", "country"}),
            terms_days=r.terms_days,
            parent=parents[r.parent_id].external_id if r.parent_id else None,
            plan=plans[r.plan_id].name if r.plan_id else None,
        )
        for r in rows
    ]


@router.get("/customers", operation_id="list_customers")
def list_all(
    who: Anyone,
    unit: Work,
    page: pages.Asked,
    name: Annotated[Line | None, Query(description="A part of the name.")] = None,
    parent: Annotated[Key | None, Query(description="The parent customer.")] = None,
    member: Annotated[Key | None, Query(description="An assigned member: address or id.")] = None,
) -> Customers:
    """All customers, by external id."""
    rows = browse.list_customers(
        unit,
        name=name,
        parent_id=find_customer(unit, parent).id if parent else None,
        member_id=member_or_404(unit, member).id if member else None,
        after=page.after,
        limit=page.limit + 1,
    )
    kept, following = page.cut(rows, lambda row: row.external_id)
    return Customers(items=short(unit, kept), next_cursor=following)


@router.get("/customers/{customer}", operation_id="get_customer")
def get(customer: Key, who: Anyone, unit: Work) -> Customer:
    """One customer: contacts, assigned members, what it owes."""
    row = find_customer(unit, customer)
    return whole(unit, row)


@router.put("/customers/{customer}/plan", operation_id="put_customer_plan")
def put_plan(customer: Key, body: PlanChoice, member: Member, unit: Work) -> Customer:
    """Give the customer another plan (rule 44): entry is contextualized, the delay is kept."""
    row = find_customer(unit, customer, lock=True)
    plan_id = plan_id_of(unit, body.plan)
    assign_plan(unit, row, plan_id)
    unit.session.flush()
    return whole(unit, row)


def whole(unit: Unit, row: t.Customer) -> Customer:
    loaded = load(unit, row.id, lock=False)
    account = loaded.account
    today = account.calendar.today(unit.now)
    opened = [i for i in account.invoices if i.status is InvoiceStatus.OPEN]
    totals = [
        Sums(
            currency=each.currency,
            outstanding=money(each.balance, each.currency),
            overdue=money(each.overdue, each.currency),
            credit=money(each.credit, each.currency),
        )
        for each in sums(account, opened, today)
    ]
    stopped, until = paused(account.pauses, today)
    return Customer(
        **short(unit, [row])[0].model_dump(),
        contacts=[contact_out(person, loaded.closures) for person in persons_of(unit, row.id)],
        members=[member_short(m) for m in browse.assigned_members(unit, row.id)],
        open_invoices=len(opened),
        totals=totals,
        paused=stopped,
        paused_until=until,
    )


def contact_out(person: Person, closures: Closures) -> ContactOut:
    return ContactOut(
        **person.row.model_dump(exclude={"id", "customer_id"}),
        email=person.value(EMAIL),
        email_invalid=person.invalid(EMAIL),
        email_closed=closures.closed(EMAIL, person.value(EMAIL)),
        phone=person.value(PHONE),
        phone_invalid=person.invalid(PHONE),
        sms_closed=closures.closed(PHONE, person.value(PHONE)),
        postal=person.value(POSTAL),
        postal_invalid=person.invalid(POSTAL),
    )


def member_short(row: t.Member) -> MemberShort:
    return MemberShort(id=row.id, name=row.name, email=row.email)
