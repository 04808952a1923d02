"""The contacts of a customer as a billing system reports them (rule 35)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sqlmodel import select

from backoffice.ledger.contacts import fix, take_along, unusable
from store import tables as t
from store.closures import KINDS, key_of
from store.errors import Invalid
from store.pending import write
from store.timeline import note
from store.unit import Unit

_ADDRESSES = ("email", "phone", "postal")
_BY = "billing"


@dataclass(frozen=True, slots=True)
class ContactFact:
    """A contact. Without an external id of its own it is found again by its addresses or name."""

    external_id: str | None = None
    name: str = ""
    position: str = ""
    language: str = ""
    main: bool = False
    email: str = ""
    phone: str = ""
    postal: dict[str, Any] = field(default_factory=dict)


def put_contacts(
    unit: Unit, customer: t.Customer, facts: list[ContactFact], *, new: bool = False
) -> bool:
    """Replace the contacts. A changed address is valid again (rule 35) unless it is ``unusable``,
    an unchanged one keeps its mark, and one that a member corrected stays corrected until something
    else is reported; the first contact is the main one unless another says it is.

    ``new``: the customer is new and has no contacts yet. Raises Invalid where two have one id, or
    more than one is the main one."""
    ids = [fact.external_id for fact in facts if fact.external_id is not None]
    if len(set(ids)) != len(ids):
        raise Invalid.at("/contacts", "two contacts have the same external id")
    if sum(fact.main for fact in facts) > 1:
        raise Invalid.at("/contacts", "more than one contact is marked as main")
    main = next((place for place, fact in enumerate(facts) if fact.main), 0)
    stored = [] if new else _stored(unit, customer)
    found = _found(facts, stored, customer.country)
    taken = {c.external_id for c in stored} | set(ids)
    free = (number for number in map(str, count(1)) if number not in taken)
    changed = False
    for place, fact in enumerate(facts):
        row = found.get(place)
        if row is None:
            row = t.Contact(customer_id=customer.id, external_id=fact.external_id or next(free))
            before: dict[str, Any] = {}
        else:
            before = row.model_dump()
            row.external_id = fact.external_id or row.external_id
        for address in _ADDRESSES:
            reported = getattr(fact, address)
            if address in row.superseded and row.superseded[address] == reported:
                continue
            if getattr(row, address) != reported:
                take_along(unit.named(_BY), customer, row, address, reported)
                row.superseded = {k: v for k, v in row.superseded.items() if k != address}
                setattr(row, address, reported)
                reason = unusable(customer, address, reported)
                setattr(row, f"{address}_invalid", reason)
                if reason:
                    text = f"{address} of {fact.name or row.external_id} is invalid: {reason}"
                    note(unit, customer, "contact_invalid", text, by=_BY)
                else:
                    fix(row, address, unit.now)
        row.name, row.position, row.language = fact.name, fact.position, fact.language
        row.main = place == main
        changed = changed or row.model_dump() != before
        unit.session.add(row)
    kept = {row.id for row in found.values()}
    gone = [row for row in stored if row.id not in kept]
    for row in gone:
        unit.session.delete(row)
    write(unit)
    return changed or bool(gone)


def _stored(unit: Unit, customer: t.Customer) -> list[t.Contact]:
    """A contact's number is its external id where billing gave none: 2 comes before 10."""
    mine = select(t.Contact).where(t.Contact.customer_id == customer.id)
    return sorted(unit.session.exec(mine), key=lambda c: (len(c.external_id), c.external_id))


def _found(facts: list[ContactFact], stored: list[t.Contact], country: str) -> dict[int, t.Contact]:
    """Which contact that is known each fact is about, by its place: the one with its id, else one
    with its email address or number; without an id, also by postal address or name. So leaving one
    out never makes the next one take its place."""
    rows = {row.external_id: row for row in stored}
    found = {
        place: rows[fact.external_id]
        for place, fact in enumerate(facts)
        if fact.external_id is not None and fact.external_id in rows
    }

    def shares(kind: str) -> Callable[[ContactFact, t.Contact], bool]:
        return lambda fact, row: _shares(kind, fact, row, country)

    def named(fact: ContactFact, row: t.Contact) -> bool:
        return bool(fact.name) and fact.name == row.name

    email, phone, postal = (shares(kind) for kind in _ADDRESSES)
    ways: list[tuple[Callable[[ContactFact, t.Contact], bool], bool]] = [
        (lambda fact, row: named(fact, row) and (email(fact, row) or phone(fact, row)), True),
        (email, True),
        (phone, True),
        (lambda fact, row: named(fact, row) and postal(fact, row), False),
        (postal, False),
        (named, False),
        (lambda fact, row: _last_pair(fact, row, facts, stored, found), False),
    ]
    for alike, with_id in ways:
        for place, fact in enumerate(facts):
            if place in found or (fact.external_id is not None and not with_id):
                continue
            held = {row.id for row in found.values()}
            one = next((r for r in stored if r.id not in held and alike(fact, r)), None)
            if one is not None:
                found[place] = one
    return found


def _shares(kind: str, fact: ContactFact, row: t.Contact, country: str) -> bool:
    """Whether a contact has the reported address, or had it until a member corrected it."""
    reported = getattr(fact, kind)
    known = [value for value in (getattr(row, kind), row.superseded.get(kind)) if value]
    if not reported or kind not in KINDS:
        return bool(reported) and reported in known
    return key_of(kind, reported, country) in {key_of(kind, value, country) for value in known}


def _last_pair(
    fact: ContactFact,
    row: t.Contact,
    facts: list[ContactFact],
    stored: list[t.Contact],
    found: dict[int, t.Contact],
) -> bool:
    """Nobody was left out or added, all others are found, and no name says otherwise: the address
    of this one has changed."""
    alone = len(facts) == len(stored) == len(found) + 1
    return alone and not (fact.name and row.name) and row.external_id.isdigit()
