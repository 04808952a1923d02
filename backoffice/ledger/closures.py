"""Words about an address: who does not want to be written to there, or does again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from addresses.kinds import EMAIL, PHONE, key_of, same
from dunning.closures import Heard, Source, closing
from dunning.ids import CustomerId
from dunning.plan import ActionType
from dunning.spellings import spellings
from store import tables as t
from store.closures import heard_of, phone_end
from store.contacts import Person
from store.locks import lock_address
from store.nudges import nudge
from store.timeline import note
from store.unit import Unit

#: The kind of address that a channel closes; a letter has no such wish.
KIND_OF = {ActionType.EMAIL: EMAIL, ActionType.SMS: PHONE}
_CHANNEL = {EMAIL: "email", PHONE: "sms"}
_MOST_REASON = 500


@dataclass(frozen=True, slots=True)
class Turn:
    """What a word changed. ``news``: it was the latest of its source. ``told``: the customers with
    a contact whose address it closed or opened, each with what its timeline says."""

    news: bool = False
    told: tuple[tuple[CustomerId, str], ...] = ()


def happened(unit: Unit, kind: str, key: str, word: Heard) -> Turn:
    """Keep a word about an address (``addresses.kinds.key_of``). Where it closes or opens it, every
    customer with a contact there is told on its timeline and nudged. The same word again changes
    nothing."""
    unit.session.flush()
    lock_address(unit, kind, key)
    rows = _rows(unit, kind, key)
    before = _words(rows)
    if not _keep(unit, key, rows, word, kind=kind):
        return Turn()
    unit.session.flush()
    others = [known for known in before if known.source is not word.source]
    was, now = closing(before), closing([*others, word])
    if was is now or (was is not None and now is not None and was.reason == now.reason):
        return Turn(news=True)
    reason = (now or word).reason
    told: dict[CustomerId, str] = {}
    for contact, customer in people_at(unit, kind, key):
        who = f"{_CHANNEL[kind]} to {contact.name or contact.external_id}"
        why = f": {reason}" if reason else ""
        text = f"{who} is {'closed' if now else 'open again'}{why}"
        what = "channel_closed" if now else "channel_reopened"
        note(unit.at(word.at), customer, what, text, by=unit.by)
        nudge(unit, customer)
        told.setdefault(customer.id, text)
    return Turn(True, tuple(told.items()))


def people_at(unit: Unit, kind: str, key: str) -> list[tuple[t.Contact, t.Customer]]:
    """The organisation's contacts with this address, by customer."""
    mine = col(t.Customer.organisation_id) == unit.organisation_id
    return _people(unit.session, kind, key, mine)


def people_everywhere(session: Session, kind: str, key: str) -> list[tuple[t.Contact, t.Customer]]:
    """The contacts with this address, of all organisations."""
    return _people(session, kind, key, sa.true())


def _people(
    session: Session, kind: str, key: str, whose: sa.ColumnElement[bool]
) -> list[tuple[t.Contact, t.Customer]]:
    by_email = sa.func.lower(t.ContactAddress.address).in_(spellings(key))
    by_phone = phone_end("contact_address.address") == phone_end_of(key)
    statement = (
        select(t.Contact, t.Customer, t.ContactAddress.address)
        .join(t.Customer, col(t.Customer.id) == t.Contact.customer_id)
        .join(t.ContactAddress, col(t.ContactAddress.contact_id) == t.Contact.id)
        .where(t.ContactAddress.kind == sa.literal_column(f"'{kind}'"))
        .where(by_email if kind == EMAIL else by_phone, whose)
        .order_by(col(t.Customer.id), col(t.Contact.id))
    )
    return [
        (contact, customer)
        for contact, customer, address in session.exec(statement)
        if same(kind, key, key_of(kind, address, customer.country))
    ]


def closed_by(unit: Unit, kind: str, key: str, source: Source) -> bool:
    """Whether it is closed by a word of this source."""
    word = closing(_words(_rows(unit, kind, key)))
    return word is not None and word.source is source


def by_member(unit: Unit, customer: t.Customer, person: Person, kind: str, reason: str) -> None:
    """A member closes a contact's address with a reason, or opens it with an empty one. Their word
    takes all others into account, so it is dated as the latest."""
    key = key_of(kind, person.value(kind), customer.country)
    words = _words(_rows(unit, kind, key))
    at = max([unit.now, *(word.at for word in words)])
    happened(unit, kind, key, Heard(Source.MEMBER, bool(reason), "member", at, reason))


def take_along(
    unit: Unit, customer: t.Customer, person: Person, kind: str, new: str, country: str
) -> None:
    """Before a contact's address becomes ``new``, or its customer's country ``country``: where the
    old address is closed, the new one is too."""
    old = person.value(kind)
    if not old or not new:
        return
    before, after = key_of(kind, old, customer.country), key_of(kind, new, country)
    word = _carry(unit, kind, before, after)
    if word is not None:
        text = f"{kind} of {person.who} is another one and stays closed: {word.reason}"
        note(unit, customer, "channel_closed", text, by=unit.by)


def _carry(unit: Unit, kind: str, old: str, new: str) -> Heard | None:
    """What was heard about one address (keys) holds for another one too; what keeps that closed,
    None when it is open."""
    if not old or not new or old == new:
        return None
    words = _words(_rows(unit, kind, old))
    if closing(words) is None:
        return None
    unit.session.flush()
    lock_address(unit, kind, new)
    rows = _rows(unit, kind, new)
    for word in words:
        _keep(unit, new, rows, word, kind=kind)
    unit.session.flush()
    return closing(_words(_rows(unit, kind, new)))


def phone_end_of(key: str) -> sa.ColumnElement[str]:
    return sa.literal("".join(c for c in key if c.isascii() and c.isdigit())[-6:])


def _rows(unit: Unit, kind: str, key: str) -> list[t.Closure]:
    by_phone = phone_end("closure.address") == phone_end_of(key)
    found = unit.session.exec(
        select(t.Closure).where(
            t.Closure.organisation_id == unit.organisation_id,
            t.Closure.kind == kind,
            col(t.Closure.address).in_(spellings(key)) if kind == EMAIL else by_phone,
        )
    )
    return [row for row in found if same(kind, key, row.address)]


def _words(rows: Iterable[t.Closure]) -> list[Heard]:
    return [heard_of(row.model_dump()) for row in rows]


def _keep(unit: Unit, key: str, rows: list[t.Closure], word: Heard, *, kind: str) -> bool:
    """False when a later word of that source is known."""
    mine = [r for r in rows if r.source == word.source.value]
    if not all(word.replaces(known) for known in _words(mine)):
        return False
    row = next((r for r in mine if r.address == key), None)
    if row is None:
        row = t.Closure(
            organisation_id=unit.organisation_id,
            kind=kind,
            address=key,
            source=word.source.value,
            closed=word.closed,
            cause=word.cause,
            at=word.at,
        )
        unit.session.add(row)
        rows.append(row)
    row.closed, row.cause, row.at = word.closed, word.cause, word.at
    row.reason = word.reason[:_MOST_REASON]
    return True
