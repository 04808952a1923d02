"""A contact corrected by hand (rule 35)."""

from __future__ import annotations

from typing import Any

from sqlmodel import col, select

from addresses.kinds import EMAIL, KINDS, PHONE
from backoffice.ledger.addresses import change, mark, supersede, tell_unusable
from backoffice.ledger.closures import by_member, take_along
from dunning.ids import ContactId
from store import tables as t
from store.closures import read
from store.contacts import Person, person_of, persons_of
from store.errors import Invalid, NotFound
from store.nudges import nudge
from store.timeline import note
from store.unit import Unit

_PLAIN = ("name", "position", "language")
#: Under which name a member closes which kind of address.
_CLOSED = {"email_closed": EMAIL, "sms_closed": PHONE}


def correct(unit: Unit, customer: t.Customer, external_id: str, changes: dict[str, Any]) -> Person:
    """Change a contact of a locked customer. A changed address is valid again, but a postal one
    that no letter can go to is marked with the reason; ``email_invalid`` and its like mark one
    invalid with a reason, or valid again with an empty one; ``email_closed`` and ``sms_closed``
    close and open the address so. Raises Invalid where there is none to close."""
    person = _named(unit, customer, external_id)
    before = person.row.model_dump()
    for name in _PLAIN:
        if name in changes:
            setattr(person.row, name, changes[name])
    told = [_correct(unit, customer, person, kind, changes) for kind in KINDS]
    plain = person.row.model_dump() != before
    if plain and not any(told):
        note(unit, customer, "contact_corrected", f"{person.who} is corrected", by=unit.by)
    if plain or any(told):
        nudge(unit, customer)
    unit.session.flush()
    _close(unit, customer, person, changes)
    return person


def _named(unit: Unit, customer: t.Customer, external_id: str) -> Person:
    found = unit.session.exec(
        select(t.Contact.id).where(
            t.Contact.customer_id == customer.id, t.Contact.external_id == external_id
        )
    ).one_or_none()
    person = person_of(unit, ContactId(found)) if found is not None else None
    if person is None:
        raise NotFound(f"{customer.name} has no contact {external_id!r}")
    return person


def _correct(
    unit: Unit, customer: t.Customer, person: Person, kind: str, changes: dict[str, Any]
) -> bool:
    """Whether the address or its mark is another one now; the timeline says so."""
    changed = kind in changes and changes[kind] != person.value(kind)
    if changed:
        supersede(unit, person, kind)
        change(unit, customer, person, kind, changes[kind])
        text = f"{kind} of {person.who} is corrected"
        note(unit, customer, "contact_corrected", text, by=unit.by)
        tell_unusable(unit, customer, person, kind, person.who)
    reason = changes.get(f"{kind}_invalid", person.invalid(kind))
    if reason != person.invalid(kind):
        mark(unit, customer, person, kind, reason, person.who)
        return True
    return changed


def _close(unit: Unit, customer: t.Customer, person: Person, changes: dict[str, Any]) -> None:
    for name, kind in _CLOSED.items():
        address = person.value(kind)
        if name in changes and changes[name] != read(unit, customer).closed(kind, address):
            if not address:
                reason = f"{person.who} has no {kind} to close; report it first"
                raise Invalid.at(f"/{name}", reason)
            by_member(unit, customer, person, kind, changes[name])
    unit.session.flush()


def set_contact_validity(unit: Unit, customer: t.Customer, kind: str, reason: str) -> None:
    """Mark the main contact's address of a kind invalid with a reason, or valid again with an empty
    one (rule 35)."""
    mine = select(t.Contact.id).where(t.Contact.customer_id == customer.id, col(t.Contact.main))
    for contact_id in unit.session.exec(mine).all():
        person = person_of(unit, ContactId(contact_id))
        if person is not None and bool(person.invalid(kind)) != bool(reason):
            who = person.row.name or "the main contact"
            mark(unit, customer, person, kind, reason, who)
            nudge(unit, customer)


def another_country(unit: Unit, customer: t.Customer, country: str) -> None:
    """Before the customer's country becomes this one: a number without a country code is another
    one then, and closed if it was."""
    for person in persons_of(unit, customer.id):
        take_along(unit, customer, person, PHONE, person.value(PHONE), country)
