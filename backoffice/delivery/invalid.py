"""Addresses of contacts that a message could not reach (rules 35 and 37)."""

from __future__ import annotations

import uuid

from backoffice.delivery.addressees import ADDRESS, postal_lines
from backoffice.worklist.states import BY
from dunning.ids import ContactId
from dunning.plan import ActionType
from messages.email_address import email_key, same_email
from messages.message import BadAddress
from messages.phone import phone_key, same_phone
from store import tables as t
from store.timeline import note
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
    contact = unit.session.get(t.Contact, contact_id)
    kind = ADDRESS[ActionType(channel)]
    if contact is None or getattr(contact, f"{kind}_invalid"):
        return False
    if not _still_has(contact, kind, address, customer.country):
        return False
    setattr(contact, f"{kind}_invalid", reason[:500])
    text = f"{kind} of {contact.name or contact.external_id} is invalid: {reason}"
    note(unit, customer, "contact_invalid", text, by=BY)
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


def _still_has(contact: t.Contact, kind: str, address: str, country: str) -> bool:
    """Compared as the channel writes to it; a postal address without the name in its first line."""
    if kind == "email":
        return same_email(email_key(contact.email), email_key(address))
    if kind == "phone":
        own, other = phone_key(contact.phone, country), phone_key(address, country)
        return own == other or same_phone(own, other)
    return postal_lines(contact)[1:] == address.splitlines()[1:]
