"""Customers as billing systems report them, by their external ids.

The same report twice changes nothing; a version older than the stored one (``source_updated_at``)
is ignored. Reports take the customer's lock, write the timeline, and nudge the sequence where
something changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from backoffice.ledger.assigned_members import put_members
from backoffice.ledger.assigned_plan import assign_plan, plan_id_of
from backoffice.ledger.contact_matching import ContactFact
from backoffice.ledger.contacts import another_country
from backoffice.ledger.parents import parent_of
from backoffice.ledger.reported_contacts import put_contacts
from backoffice.ledger.reports import Change, stale
from store import bulk
from store import tables as t
from store.locks import lock_customer
from store.nudges import nudge
from store.pending import write
from store.timeline import note
from store.unit import Unit

_BY = "billing"


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


def put_customer(unit: Unit, fact: CustomerFact) -> tuple[t.Customer, Change]:
    """Create or update a customer. Raises Invalid for an unknown parent, plan or member."""
    row = bulk.find(unit, t.Customer, fact.external_id)
    created = row is None
    row = _new(unit, fact) if row is None else lock_customer(unit, row.id)
    if stale(row, fact.source_updated_at):
        return row, Change.STALE
    changed = _write(unit, row, fact, created=created)
    if fact.members is not None:
        changed = put_members(unit, row, fact.members) or changed
    if fact.contacts is not None:
        changed = put_contacts(unit, row, fact.contacts, new=created) or changed
    if created:
        note(unit, row, "customer_created", f"customer {fact.name} is known", by=_BY)
    elif changed:
        note(unit, row, "customer_updated", "customer data updated", by=_BY)
    if created or changed:
        nudge(unit, row)
    return row, Change.CREATED if created else Change.UPDATED if changed else Change.UNCHANGED


def _new(unit: Unit, fact: CustomerFact) -> t.Customer:
    row = t.Customer(
        organisation_id=unit.organisation_id,
        external_id=fact.external_id,
        name=fact.name,
        created_at=unit.now,
    )
    bulk.made(unit, row)
    unit.session.flush()
    return row


def _write(unit: Unit, row: t.Customer, fact: CustomerFact, *, created: bool) -> bool:
    """Whether a column of the customer changed."""
    before = row.model_dump(exclude={"source_updated_at"})
    if not created and row.country != fact.country:
        another_country(unit.named(_BY), row, fact.country)
    row.name, row.country, row.language = fact.name, fact.country, fact.language
    row.terms_days = fact.terms_days
    row.parent_id = parent_of(unit, row, fact.parent)
    if fact.plan is not None:
        assign_plan(unit.named(_BY), row, plan_id_of(unit, fact.plan))
    changed = row.model_dump(exclude={"source_updated_at"}) != before
    row.source_updated_at = fact.source_updated_at or row.source_updated_at
    write(unit)
    return changed
