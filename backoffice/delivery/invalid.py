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
    """Rule 37: marks the address invalid, with the reason, unless it was corrected since the
    message left. ``address`` is the one that was used: an email address, a number, or the lines of
    a postal address. Returns whether the contact changed."""
    person = person_of(unit, contact_id)
    kind = ADDRESS[ActionType(channel)]
    if person is None or person.invalid(kind):
        return False
    if not _still_has(person, kind, address, customer.country):
        return False
    mark(unit.named(BY), customer, person, kind, reason[:500], person.who)
    return True


def unreachable(unit: Unit, customer: t.Customer, action: t.Action, error: BadAddress) -> bool:
    """The channel cannot use a contact's address: marks it invalid, so that the account is decided
    again (rule 35). False if the address is no contact's, or was marked before."""
    if not error.contact_id:
        return False
    channel = action.executed_type or action.type
    contact_id = ContactId(uuid.UUID(error.contact_id))
    marked = mark_invalid(unit, customer, channel, contact_id, error.address, str(error))
    unit.session.flush()
    return marked


def _still_has(person: Person, kind: str, address: str, country: str) -> bool:
    """Compares addresses in the form that the channel uses; a postal address without its first
    line, the name."""
    if kind == POSTAL:
        return postal_lines(person)[1:] == address.splitlines()[1:]
    own, other = (key_of(kind, one, country) for one in (person.value(kind), address))
    return own == other or same(kind, own, other)
