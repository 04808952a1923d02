"""A contact corrected by hand (rule 35)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import col, select

from messages.postal import why_not
from store import tables as t
from store.closures import EMAIL, KINDS, PHONE, by_member, carry, key_of, read
from store.errors import Invalid, NotFound
from store.nudges import nudge
from store.timeline import note
from store.unit import Unit

_PLAIN = ("name", "position", "language")
_ADDRESSES = ("email", "phone", "postal")
#: Under which name a member closes which kind of address.
_CLOSED = {"email_closed": EMAIL, "sms_closed": PHONE}
#: Of an address so many corrections are kept, the last ones: the first after a to-do is asked for.
_MOST_FIXES = 20


def fix(row: t.Contact, address: str, at: datetime) -> None:
    """Remember that an address (``email``, ``phone``, ``postal``) was corrected at the
    organisation's time ``at`` (rule 35). ``sql/contacts.sql`` does the same."""
    times = [*row.fixed.get(address, ()), at.isoformat()]
    row.fixed = {**row.fixed, address: times[-_MOST_FIXES:]}


def unusable(customer: t.Customer, address: str, value: Any) -> str:
    """Why no letter can go to a postal address that is being saved, so that it is marked at once
    and not when a letter is due; empty for one that can be used, for none, and for an email address
    or a number, whose form is checked where they come in."""
    if address != "postal" or not value or not any(value.values()):
        return ""
    return why_not({**value, "country": value.get("country") or customer.country})


def correct(
    unit: Unit,
    customer: t.Customer,
    external_id: str,
    changes: dict[str, Any],
) -> t.Contact:
    """Change a contact of a locked customer. A changed address is valid again, but a postal one
    that no letter can go to is marked with the reason (``unusable``); ``email_invalid`` and its
    like mark one invalid with a reason, or valid again with an empty one; ``email_closed`` and
    ``sms_closed`` close and open the address so. Raises Invalid where there is none to close. Who
    did not want to be written to at the old address does not at a new one (``store.closures``)."""
    row = unit.session.exec(
        select(t.Contact).where(
            t.Contact.customer_id == customer.id, t.Contact.external_id == external_id
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"{customer.name} has no contact {external_id!r}")
    before = row.model_dump()
    for name in _PLAIN:
        if name in changes:
            setattr(row, name, changes[name])
    who, told = row.name or row.external_id, []
    for address in _ADDRESSES:
        mark, old = f"{address}_invalid", getattr(row, f"{address}_invalid")
        if address in changes and changes[address] != getattr(row, address):
            row.superseded = {address: getattr(row, address), **row.superseded}
            take_along(unit, customer, row, address, changes[address])
            setattr(row, address, changes[address])
            told.append(("contact_corrected", f"{address} of {who} is corrected"))
            reason = unusable(customer, address, changes[address])
            setattr(row, mark, reason)
            if reason:
                told.append(("contact_invalid", f"{address} of {who} is invalid: {reason}"))
            else:
                fix(row, address, unit.now)
        if mark in changes and changes[mark] != getattr(row, mark):
            reason = changes[mark]
            setattr(row, mark, reason)
            if reason:
                told.append(("contact_invalid", f"{address} of {who} is invalid: {reason}"))
            elif old:
                fix(row, address, unit.now)
                told.append(("contact_valid", f"{address} of {who} is valid again"))
    if row.model_dump() != before:
        for kind, text in told or [("contact_corrected", f"{who} is corrected")]:
            note(unit, customer, kind, text, by=unit.by)
        nudge(unit, customer)
    unit.session.flush()
    for mark, kind in _CLOSED.items():
        if mark in changes and changes[mark] != read(unit, customer).closed(row, kind):
            if not getattr(row, kind):
                raise Invalid.at(f"/{mark}", f"{who} has no {kind} to close; report it first")
            by_member(unit, customer, row, kind, changes[mark])
    unit.session.flush()
    return row


def set_contact_validity(
    unit: Unit,
    customer: t.Customer,
    channel: str,
    reason: str,
) -> None:
    """Mark the main contact's address ``email``, ``phone`` or ``postal`` invalid with a reason, or
    valid again with an empty one (rule 35)."""
    contacts = unit.session.exec(
        select(t.Contact).where(t.Contact.customer_id == customer.id, col(t.Contact.main))
    ).all()
    for contact in contacts:
        if bool(getattr(contact, f"{channel}_invalid")) == bool(reason):
            continue
        setattr(contact, f"{channel}_invalid", reason)
        if not reason:
            fix(contact, channel, unit.now)
        text = f"{channel} of {contact.name or 'the main contact'} is "
        text += f"invalid: {reason}" if reason else "valid again"
        note(unit, customer, "contact_invalid" if reason else "contact_valid", text, by=unit.by)
        nudge(unit, customer)


def take_along(
    unit: Unit,
    customer: t.Customer,
    row: t.Contact,
    kind: str,
    new: Any,
    *,
    country: str | None = None,
) -> None:
    """Before a contact's address becomes ``new``, or its customer's ``country`` another one: where
    the old address is closed, the new one is too."""
    old = getattr(row, kind)
    if kind not in KINDS or not old or not new:
        return
    before = key_of(kind, old, customer.country)
    after = key_of(kind, new, customer.country if country is None else country)
    word = carry(unit, kind, before, after)
    if word is not None:
        text = f"{kind} of {row.name or row.external_id} is another one and stays closed"
        note(unit, customer, "channel_closed", f"{text}: {word.reason}", by=unit.by)


def another_country(
    unit: Unit,
    customer: t.Customer,
    country: str,
) -> None:
    """Before the customer's country becomes this one: a number without a country code is another
    one then, and closed if it was."""
    for row in unit.session.exec(select(t.Contact).where(t.Contact.customer_id == customer.id)):
        take_along(unit, customer, row, PHONE, row.phone, country=country)
