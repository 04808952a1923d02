"""Contacts with their addresses."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from addresses.kinds import POSTAL
from dunning.ids import ContactId, CustomerId
from store import tables as t
from store.unit import Unit


@dataclass(frozen=True, slots=True)
class Person:
    """A contact with its addresses by kind. A kind without an address has no row."""

    row: t.Contact
    addresses: dict[str, t.ContactAddress] = field(default_factory=dict)

    @property
    def who(self) -> str:
        """The contact's name on the timeline."""
        return self.row.name or self.row.external_id

    def value(self, kind: str) -> Any:
        """A text, or the parts of a postal address; empty = none."""
        known = self.addresses.get(kind)
        return known.value if known is not None else {} if kind == POSTAL else ""

    def invalid(self, kind: str) -> str:
        """Why the address is invalid (rule 35); empty = it is valid, or there is none."""
        known = self.addresses.get(kind)
        return known.invalid if known is not None else ""


def persons_of(unit: Unit, customer_id: CustomerId) -> list[Person]:
    """The contacts of a customer, the main one first."""
    contacts = unit.session.exec(
        select(t.Contact)
        .where(t.Contact.customer_id == customer_id)
        .order_by(col(t.Contact.main).desc(), t.Contact.external_id)
    ).all()
    addresses = unit.session.exec(
        select(t.ContactAddress)
        .join(t.Contact, col(t.Contact.id) == t.ContactAddress.contact_id)
        .where(t.Contact.customer_id == customer_id)
    )
    return _with_addresses(contacts, addresses)


def person_of(unit: Unit, contact_id: ContactId) -> Person | None:
    """A contact by our id; None if it does not exist any more."""
    row = unit.session.get(t.Contact, contact_id)
    if row is None:
        return None
    mine = select(t.ContactAddress).where(t.ContactAddress.contact_id == contact_id)
    return _with_addresses([row], unit.session.exec(mine))[0]


def persons_read(
    contacts: Iterable[Mapping[str, Any]], addresses: Iterable[Mapping[str, Any]]
) -> list[Person]:
    """Made from the JSON of their rows, for reading only: they are not in the session."""
    rows = [
        t.Contact(
            **{**one, "id": uuid.UUID(one["id"]), "customer_id": uuid.UUID(one["customer_id"])}
        )
        for one in contacts
    ]
    return _with_addresses(rows, map(_address_read, addresses))


def _address_read(row: Mapping[str, Any]) -> t.ContactAddress:
    fixed_at = [datetime.fromisoformat(at) for at in row["fixed_at"]]
    contact_id = uuid.UUID(row["contact_id"])
    return t.ContactAddress(**{**row, "contact_id": contact_id, "fixed_at": fixed_at})


def _with_addresses(
    contacts: Iterable[t.Contact], addresses: Iterable[t.ContactAddress]
) -> list[Person]:
    found = {row.id: Person(row) for row in contacts}
    for address in addresses:
        found[address.contact_id].addresses[address.kind] = address
    return list(found.values())
