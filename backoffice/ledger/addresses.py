"""An address of a contact is changed, or marked (rule 35): the one place that writes one, beside
the import's SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from addresses.kinds import CLOSABLE, POSTAL
from backoffice.ledger.closures import take_along
from messages.postal import why_not
from store import tables as t
from store.contacts import Person
from store.timeline import note
from store.unit import Unit

#: Of an address so many corrections are kept: rule 35 asks for the first one after a to-do.
_MOST_FIXES = 20


def change(unit: Unit, customer: t.Customer, person: Person, kind: str, value: Any) -> None:
    """Give a contact another address of a kind. It is valid, but for a postal one that no letter
    can go to; who did not want to be written to at the old one does not at this one either."""
    if kind in CLOSABLE:
        take_along(unit, customer, person, kind, value, customer.country)
    row = _row(unit, person, kind)
    row.value = value
    row.invalid = unusable(customer, value) if kind == POSTAL else ""
    if not row.invalid:
        _fixed(row, unit.now)


def tell_unusable(unit: Unit, customer: t.Customer, person: Person, kind: str, who: str) -> None:
    """Where an address is invalid as soon as it is known, the timeline says so."""
    if reason := person.invalid(kind):
        text = f"{kind} of {who} is invalid: {reason}"
        note(unit, customer, "contact_invalid", text, by=unit.by)


def mark(
    unit: Unit, customer: t.Customer, person: Person, kind: str, reason: str, who: str
) -> None:
    """The address is invalid for a reason, or valid again for an empty one. ``who``: as the
    timeline names the contact."""
    row = _row(unit, person, kind)
    row.invalid = reason
    if not reason:
        _fixed(row, unit.now)
    text = f"{kind} of {who} is " + (f"invalid: {reason}" if reason else "valid again")
    note(unit, customer, "contact_invalid" if reason else "contact_valid", text, by=unit.by)


def unusable(customer: t.Customer, postal: dict[str, Any]) -> str:
    """Why no letter can go to a postal address; empty where one can, and where there is none. So it
    is marked when it is saved, not when a letter is due. Email addresses and numbers are checked
    where they come in."""
    if not any(postal.values()):
        return ""
    return why_not({**postal, "country": postal.get("country") or customer.country})


def supersede(unit: Unit, person: Person, kind: str) -> None:
    """A member corrects the address: what was reported does not come back (rule 35)."""
    row = _row(unit, person, kind)
    if row.superseded is None:
        row.superseded = row.value


def _row(unit: Unit, person: Person, kind: str) -> t.ContactAddress:
    row = person.addresses.get(kind)
    if row is None:
        row = person.addresses[kind] = t.ContactAddress(contact_id=person.row.id, kind=kind)
        unit.session.add(row)
    return row


def _fixed(row: t.ContactAddress, at: datetime) -> None:
    row.fixed_at = [*row.fixed_at, at][-_MOST_FIXES:]
