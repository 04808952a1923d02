"""What billing systems report: customers, contacts and invoices by their own external ids.

The same body twice changes nothing; a version older than the stored one (``source_updated_at``)
never overwrites it. Every function works inside the caller's transaction, takes the customer's lock
first, writes the timeline, and nudges the sequence only where something changed.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlmodel import col, select

from backoffice.ledger.contacts import another_country, fix
from backoffice.ledger.credits import rebalance
from backoffice.ledger.reported_contacts import ContactFact, put_contacts
from dunning.ahead import INVOICE, too_far
from dunning.delivery import lower_case
from dunning.ids import our_id
from store import bulk
from store import tables as t
from store.calendars import calendar_of
from store.errors import Invalid, NotFound
from store.ids import named
from store.locks import lock_customer
from store.nudges import nudge
from store.timeline import money, note
from store.unit import Unit

_MOST_LEVELS = 50


class Change(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    STALE = "stale"  # older than what is stored: nothing was overwritten


@dataclass(frozen=True, slots=True)
class CustomerFact:
    """``contacts`` and ``members`` of None leave what is stored; ``members`` are e-mail addresses
    in order of assignment; ``plan`` is a plan's name, None leaves it, "" = the default plan."""

    external_id: str
    name: str
    parent: str | None = None
    terms_days: int | None = None
    language: str = ""
    country: str = ""
    plan: str | None = None
    contacts: list[ContactFact] | None = None
    members: list[str] | None = None
    source_updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InvoiceFact:
    """``url``, the page on which the customer sees or pays it: None leaves it, "" removes it."""

    external_id: str
    customer: str
    number: str
    issued_on: date
    total: Decimal
    currency: str
    due_on: date | None = None
    source_updated_at: datetime | None = None
    url: str | None = None


def organisation(unit: Unit) -> t.Organisation:
    return unit.organisation


def find_customer(unit: Unit, key: str, *, lock: bool = False) -> t.Customer:
    """By our id where it has the form of one, else by external id. NotFound when there is none."""
    mine = select(t.Customer).where(t.Customer.organisation_id == unit.organisation_id)
    row = unit.session.exec(mine.where(named(t.Customer, key))).one_or_none()
    if row is None:
        raise NotFound(_nothing("customer", "customers", key))
    return lock_customer(unit, row.id) if lock else row


def find_invoice(unit: Unit, key: str, *, lock: bool = False) -> t.Invoice:
    """By our id where it has the form of one, else by external id; ``lock`` takes the customer's
    lock, then reads again."""
    mine = select(t.Invoice).where(t.Invoice.organisation_id == unit.organisation_id)
    row = unit.session.exec(mine.where(named(t.Invoice, key))).one_or_none()
    if row is None:
        raise NotFound(_nothing("invoice", "invoices", key))
    if lock:
        lock_customer(unit, row.customer_id)
        unit.session.refresh(row)
    return row


def _nothing(what: str, path: str, key: str) -> str:
    if our_id(key) is not None:
        return f"no {what} has our id {key!r}; your own id never has that form"
    return f"no {what} {key!r}; create it with PUT /v1/{path}/{{external_id}}"


def put_customer(unit: Unit, fact: CustomerFact) -> tuple[t.Customer, Change]:
    """Create or update a customer. Raises Invalid for an unknown parent, plan or member."""
    organisation(unit)
    row = bulk.find(unit, t.Customer, fact.external_id)
    created = row is None
    if row is None:
        row = t.Customer(
            organisation_id=unit.organisation_id,
            external_id=fact.external_id,
            name=fact.name,
            created_at=unit.now,
        )
        bulk.made(unit, row)
        unit.session.flush()
    else:
        row = lock_customer(unit, row.id)
        if _stale(row, fact.source_updated_at):
            return row, Change.STALE
    before = row.model_dump(exclude={"source_updated_at"})
    row.name = fact.name
    row.terms_days = fact.terms_days
    row.language = fact.language
    if not created and row.country != fact.country:
        another_country(unit.named("billing"), row, fact.country)
    row.country = fact.country
    row.parent_id = _parent(unit, fact, row)
    if fact.plan is not None:
        assign_plan(unit.named("billing"), row, plan_id_of(unit, fact.plan))
    changed = row.model_dump(exclude={"source_updated_at"}) != before
    row.source_updated_at = fact.source_updated_at or row.source_updated_at
    unit.session.flush()
    if fact.members is not None:
        changed = _put_members(unit, row, fact.members) or changed
    if fact.contacts is not None:
        changed = put_contacts(unit, row, fact.contacts) or changed
    if created:
        note(unit, row, "customer_created", f"customer {fact.name} is known", by="billing")
    elif changed:
        note(unit, row, "customer_updated", "customer data updated", by="billing")
    if created or changed:
        nudge(unit, row)
    return row, Change.CREATED if created else Change.UPDATED if changed else Change.UNCHANGED


def put_invoice(unit: Unit, fact: InvoiceFact) -> tuple[t.Invoice, Change]:
    """Create or update an invoice. Raises Invalid for an unknown customer, a changed currency, or
    an issue date that is too far ahead (``dunning.ahead``)."""
    customer = _customer_of(unit, fact.customer)
    house = organisation(unit)
    row = bulk.find(unit, t.Invoice, fact.external_id)
    created = row is None
    far = too_far(fact.issued_on, calendar_of(house).today(unit.now), INVOICE)
    if row is None:
        if far:
            raise Invalid.at("/issued_on", far)
        row = t.Invoice(
            organisation_id=unit.organisation_id,
            customer_id=customer.id,
            external_id=fact.external_id,
            number=fact.number,
            issued_on=fact.issued_on,
            total=fact.total,
            balance=fact.total,
            currency=fact.currency,
            created_at=unit.now,
        )
        bulk.made(unit, row)
    else:
        if unit.progress.batch is None:
            unit.session.refresh(row)
        if row.customer_id != customer.id:
            raise Invalid.at("/customer", f"invoice {fact.external_id!r} is another customer's")
        if _stale(row, fact.source_updated_at):
            return row, Change.STALE
        if far and row.issued_on != fact.issued_on:
            raise Invalid.at("/issued_on", far)
        if row.currency != fact.currency:
            raise Invalid.at(
                "/currency",
                f"invoice {fact.external_id!r} is in {row.currency}; void it and report a new one",
            )
    before = row.model_dump(exclude={"source_updated_at"})
    row.number = fact.number
    row.issued_on = fact.issued_on
    row.due_on = fact.due_on
    row.total = fact.total
    if fact.url is not None:
        row.url = fact.url
    if not created or row.total == 0 or unit.progress.batch is None:
        unit.session.flush()
        rebalance(unit.named("billing"), customer, row)
    changed = row.model_dump(exclude={"source_updated_at"}) != before
    row.source_updated_at = fact.source_updated_at or row.source_updated_at
    if created or changed:
        due = f", due {row.due_on}" if row.due_on else ""
        text = f"{row.number} issued {row.issued_on}{due}: {money(row.total, row.currency)}"
        kind = "invoice_created" if created else "invoice_updated"
        note(unit, customer, kind, text, invoice_id=row.id, by="billing")
        nudge(unit, customer)
    return row, Change.CREATED if created else Change.UPDATED if changed else Change.UNCHANGED


def close_invoice(
    unit: Unit,
    invoice: t.Invoice,
    status: str,
    reason: str,
) -> Change:
    """Void or write off (rule 5). The invoice must have been found with ``lock=True``."""
    if invoice.status == status:
        return Change.UNCHANGED
    customer = unit.session.get_one(t.Customer, invoice.customer_id)
    words = {"void": "is void", "written_off": "is written off"}[status]
    invoice.status = status
    invoice.closed_at = unit.now
    invoice.closed_reason = f"{words}: {reason}" if reason else words
    text = f"{invoice.number} {invoice.closed_reason}"
    note(unit, customer, f"invoice_{status}", text, invoice_id=invoice.id, by=unit.by)
    nudge(unit, customer)
    return Change.UPDATED


def plan_id_of(unit: Unit, name: str) -> uuid.UUID | None:
    """A plan's id by its name, None for "". Raises Invalid when it is not loaded."""
    if not name:
        return None
    found = unit.session.exec(
        select(t.Plan.id).where(t.Plan.organisation_id == unit.organisation_id, t.Plan.name == name)
    ).one_or_none()
    if found is None:
        raise Invalid.at("/plan", f"no plan {name!r}; load it with PUT /v1/plans/{{name}}")
    return found


def assign_plan(
    unit: Unit,
    customer: t.Customer,
    plan_id: uuid.UUID | None,
) -> None:
    """Give a customer a plan, None = the organisation's default one (rule 44).

    The default plan under its name is the plan that a customer without one has already: from then
    on the customer keeps it whatever the default becomes, and nothing else changes. What another
    plan means for the carrying invoice is seen by the next decision: ``store.load.load``.
    """
    if customer.plan_id == plan_id:
        return
    default = organisation(unit).default_plan_id
    same = (customer.plan_id or default) == (plan_id or default)
    customer.plan_id = plan_id
    if same:
        return
    name = unit.session.get_one(t.Plan, plan_id).name if plan_id else "the default plan"
    note(unit, customer, "plan_changed", f"plan changed to {name}", by=unit.by)
    nudge(unit, customer)


def set_contact_validity(
    unit: Unit,
    customer: t.Customer,
    channel: str,
    reason: str,
) -> None:
    """Mark the main contact's address ``email``, ``phone`` or ``postal`` invalid with a reason, or
    valid again with an empty one (rule 35)."""
    contacts = unit.session.exec(
        select(t.Contact).where(t.Contact.customer_id == customer.id, col(t.Contact.main))
    ).all()
    for contact in contacts:
        if bool(getattr(contact, f"{channel}_invalid")) == bool(reason):
            continue
        setattr(contact, f"{channel}_invalid", reason)
        if not reason:
            fix(contact, channel, unit.now)
        text = f"{channel} of {contact.name or 'the main contact'} is "
        text += f"invalid: {reason}" if reason else "valid again"
        note(unit, customer, "contact_invalid" if reason else "contact_valid", text, by=unit.by)
        nudge(unit, customer)


def _stale(row: Any, updated: datetime | None) -> bool:
    stored = row.source_updated_at
    return stored is not None and updated is not None and updated < stored


def _customer_of(unit: Unit, key: str) -> t.Customer:
    row = bulk.find(unit, t.Customer, key)
    if row is None:
        raise Invalid.at("/customer", f"no customer {key!r}; report the customer first")
    return lock_customer(unit, row.id)


def _parent(unit: Unit, fact: CustomerFact, row: t.Customer) -> uuid.UUID | None:
    if fact.parent is None:
        return None
    parent = bulk.find(unit, t.Customer, fact.parent)
    if parent is None:
        raise Invalid.at("/parent", f"no customer {fact.parent!r}; report the parent first")
    above: t.Customer | None = parent
    levels = 0
    while above is not None:
        if above.id == row.id:
            raise Invalid.at("/parent", "a customer cannot be its own parent or ancestor")
        levels += 1
        if levels > _MOST_LEVELS:
            raise Invalid.at("/parent", f"more than {_MOST_LEVELS} customers above one another")
        above = unit.session.get(t.Customer, above.parent_id) if above.parent_id else None
    return uuid.UUID(str(parent.id))


def _put_members(unit: Unit, customer: t.Customer, emails: list[str]) -> bool:
    found = {
        lower_case(m.email): m.id
        for m in unit.session.exec(
            select(t.Member).where(
                t.Member.organisation_id == customer.organisation_id, col(t.Member.active)
            )
        )
    }
    wanted: list[uuid.UUID] = []
    for place, email in enumerate(emails):
        member_id = found.get(lower_case(email))
        if member_id is None:
            raise Invalid.at(f"/members/{place}", f"no active member with the address {email!r}")
        if member_id not in wanted:
            wanted.append(member_id)
    statement = select(t.CustomerMember).where(t.CustomerMember.customer_id == customer.id)
    rows = unit.session.exec(statement.order_by(col(t.CustomerMember.rank))).all()
    if [r.member_id for r in rows] == wanted:
        return False
    for row in rows:
        unit.session.delete(row)
    unit.session.flush()
    for rank, member_id in enumerate(wanted):
        unit.session.add(t.CustomerMember(customer_id=customer.id, member_id=member_id, rank=rank))
    unit.session.flush()
    return True
