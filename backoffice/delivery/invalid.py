"""Addresses of contacts that a message could not reach (rules 35 and 37)."""

from __future__ import annotations

import uuid

from addresses.kinds import POSTAL, key_of, same
from backoffice.delivery.addressees import ADDRESS, postal_lines
from backoffice.ledger.addresses import mark
from backoffice.worklist.states import BY
from dunning.ids import ContactId
from dunning.plan import ActionType
from messages.message import BadAddress
from store import tables as t
from store.contacts import Person, person_of
from store.unit import Unit


def mark_invalid(
    unit: Unit,
    customer: t.Customer,
    channel: str,
    contact_id: ContactId,
    address: str,
    reason: str,
) -> bool:
    """Rule 37: the address is invalid, with the reason; not when it was corrected since the message
    left. ``address`` is as it was written to: an email address, a number, or the lines of a postal
    address. Whether that changed the contact."""
    person = person_of(unit, contact_id)
    kind = ADDRESS[ActionType(channel)]
    if person is None or person.invalid(kind):
        return False
    if not _still_has(person, kind, address, customer.country):
        return False
    mark(unit.named(BY), customer, person, kind, reason[:500], person.who)
    return True


def unreachable(unit: Unit, customer: t.Customer, action: t.Action, error: BadAddress) -> bool:
    """The channel cannot use a contact's address: it is marked invalid, and the account is to be
    decided again (rule 35). False when it is no contact's, or was marked before."""
    if not error.contact_id:
        return False
    channel = action.executed_type or action.type
    contact_id = ContactId(uuid.UUID(error.contact_id))
    marked = mark_invalid(unit, customer, channel, contact_id, error.address, str(error))
    unit.session.flush()
    return marked


def _still_has(person: Person, kind: str, address: str, country: str) -> bool:
    """Compared as the channel writes to it; a postal address without the name in its first line."""
    if kind == POSTAL:
        return postal_lines(person)[1:] == address.splitlines()[1:]
    own, other = (key_of(kind, one, country) for one in (person.value(kind), address))
    return own == other or same(kind, own, other)
