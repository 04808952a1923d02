"""Which known contact a reported one is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from addresses.kinds import EMAIL, PHONE, POSTAL, key_of
from store.contacts import Person


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

    def value(self, kind: str) -> Any:
        """The reported address of a kind: a text, or the parts of a postal one."""
        return {EMAIL: self.email, PHONE: self.phone, POSTAL: self.postal}[kind]


def matched(facts: list[ContactFact], stored: list[Person], country: str) -> dict[int, Person]:
    """Which contact that is known each fact is about, by its place: the one with its id, else one
    with its email address or number; without an id, also by postal address or name. So leaving one
    out never makes the next one take its place."""
    rows = {person.row.external_id: person for person in stored}
    found = {
        place: rows[fact.external_id]
        for place, fact in enumerate(facts)
        if fact.external_id is not None and fact.external_id in rows
    }

    def shares(kind: str) -> Callable[[ContactFact, Person], bool]:
        return lambda fact, person: _shares(kind, fact, person, country)

    def named(fact: ContactFact, person: Person) -> bool:
        return bool(fact.name) and fact.name == person.row.name

    email, phone, postal = shares(EMAIL), shares(PHONE), shares(POSTAL)
    ways: list[tuple[Callable[[ContactFact, Person], bool], bool]] = [
        (lambda fact, one: named(fact, one) and (email(fact, one) or phone(fact, one)), True),
        (email, True),
        (phone, True),
        (lambda fact, one: named(fact, one) and postal(fact, one), False),
        (postal, False),
        (named, False),
        (lambda fact, one: _last_pair(fact, one, facts, stored, found), False),
    ]
    for alike, with_id in ways:
        for place, fact in enumerate(facts):
            if place in found or (fact.external_id is not None and not with_id):
                continue
            held = {person.row.id for person in found.values()}
            one = next((p for p in stored if p.row.id not in held and alike(fact, p)), None)
            if one is not None:
                found[place] = one
    return found


def _shares(kind: str, fact: ContactFact, person: Person, country: str) -> bool:
    """Whether a contact has the reported address, or had it until a member corrected it."""
    reported, address = fact.value(kind), person.addresses.get(kind)
    if not reported or address is None:
        return False
    known: list[Any] = [value for value in (address.value, address.superseded) if value]
    if kind == POSTAL:
        return reported in known
    return key_of(kind, reported, country) in {key_of(kind, value, country) for value in known}


def _last_pair(
    fact: ContactFact,
    person: Person,
    facts: list[ContactFact],
    stored: list[Person],
    found: dict[int, Person],
) -> bool:
    """Nobody was left out or added, all others are found, and no name says otherwise: the address
    of this one has changed."""
    alone = len(facts) == len(stored) == len(found) + 1
    return alone and not (fact.name and person.row.name) and person.row.external_id.isdigit()
