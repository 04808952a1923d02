"""The contacts of a customer as a billing system reports them (rule 35)."""

from __future__ import annotations

from itertools import count
from typing import Any

from addresses.kinds import KINDS
from backoffice.ledger.addresses import change, tell_unusable
from backoffice.ledger.contact_matching import ContactFact, matched
from store import tables as t
from store.contacts import Person, persons_of
from store.errors import Invalid
from store.pending import write
from store.unit import Unit


def put_contacts(
    unit: Unit, customer: t.Customer, facts: list[ContactFact], *, new: bool = False
) -> bool:
    """Replace the contacts; whether that is a change. A changed address is valid again (rule 35)
    unless it is unusable, an unchanged one keeps its mark, and one that a member corrected stays
    corrected until something else is reported; the first contact is the main one unless another
    says it is.

    ``new``: the customer is new and has no contacts yet. Raises Invalid where two have one id, or
    more than one is the main one."""
    ids = _checked(facts)
    main = next((place for place, fact in enumerate(facts) if fact.main), 0)
    stored = [] if new else _stored(unit, customer)
    found = matched(facts, stored, customer.country)
    taken = {person.row.external_id for person in stored} | ids
    free = (number for number in map(str, count(1)) if number not in taken)
    changed = False
    for place, fact in enumerate(facts):
        person = found.get(place)
        if person is None:
            key = fact.external_id or next(free)
            person = Person(t.Contact(customer_id=customer.id, external_id=key))
            unit.session.add(person.row)
            changed = True
        changed = _put(unit, customer, person, fact, main=place == main) or changed
    kept = {person.row.id for person in found.values()}
    gone = [person.row for person in stored if person.row.id not in kept]
    for row in gone:
        unit.session.delete(row)
    write(unit)
    return changed or bool(gone)


def _checked(facts: list[ContactFact]) -> set[str]:
    """The external ids that are reported."""
    ids = [fact.external_id for fact in facts if fact.external_id is not None]
    if len(set(ids)) != len(ids):
        raise Invalid.at("/contacts", "two contacts have the same external id")
    if sum(fact.main for fact in facts) > 1:
        raise Invalid.at("/contacts", "more than one contact is marked as main")
    return set(ids)


def _stored(unit: Unit, customer: t.Customer) -> list[Person]:
    """In the order of their numbers, which are the external ids of those that have none of billing:
    2 comes before 10."""
    found = persons_of(unit, customer.id)
    return sorted(found, key=lambda p: (len(p.row.external_id), p.row.external_id))


def _put(
    unit: Unit, customer: t.Customer, person: Person, fact: ContactFact, *, main: bool
) -> bool:
    """Whether the contact or one of its addresses is another one now."""
    row, before = person.row, person.row.model_dump()
    row.external_id = fact.external_id or row.external_id
    who = fact.name or row.external_id
    told = [_put_address(unit, customer, person, kind, fact.value(kind), who) for kind in KINDS]
    row.name, row.position, row.language = fact.name, fact.position, fact.language
    row.main = main
    return any(told) or row.model_dump() != before


def _put_address(
    unit: Unit, customer: t.Customer, person: Person, kind: str, reported: Any, who: str
) -> bool:
    known = person.addresses.get(kind)
    if known is not None and known.superseded is not None and known.superseded == reported:
        return False
    if reported == person.value(kind):
        return False
    unit = unit.named("billing")
    change(unit, customer, person, kind, reported)
    person.addresses[kind].superseded = None
    tell_unusable(unit, customer, person, kind, who)
    return True
