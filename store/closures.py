"""Addresses that are closed, because somebody complained, unsubscribed, answered STOP or asked for
it, and what opened them again.

They belong to an organisation, a kind of address and an address, whichever contact has it: one that
billing leaves out and reports again, or that shares the address, finds them. What a word means
beside the others is ``dunning.closures``.

An address is kept as its channel writes to it: an email address in lower case, a number in E.164 by
the customer's country. ``channels`` may not be imported here, so the number is read by the same
library that ``messages.phone`` asks; tests/store/test_closures.py holds the two against one
another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import phonenumbers
import sqlalchemy as sa
from phonenumbers import NumberParseException, PhoneNumberFormat
from sqlmodel import Session, col, select

from dunning.closures import Heard, Source, closing, opened_at
from dunning.ids import CustomerId, OrganisationId
from dunning.plan import ActionType
from dunning.spellings import lower_case, spellings
from store import tables as t
from store.locks import lock_address
from store.nudges import nudge
from store.timeline import note
from store.unit import Unit

EMAIL, PHONE = "email", "phone"
KINDS = (EMAIL, PHONE)
#: The kind of address that a channel closes; a letter has no such wish.
KIND_OF = {ActionType.EMAIL: EMAIL, ActionType.SMS: PHONE}
_CHANNEL = {EMAIL: "email", PHONE: "sms"}


def key_of(kind: str, address: str, country: str) -> str:
    """The address as closures know it; ``country`` is the customer's, two letters or empty. A
    number that cannot be read with it is its digits."""
    if kind == EMAIL:
        return lower_case(address.strip())
    return _e164(address, country)


@lru_cache(maxsize=4096)
def _e164(number: str, country: str) -> str:
    region = country.strip().upper()
    known = region in phonenumbers.SUPPORTED_REGIONS
    try:
        parsed = phonenumbers.parse(number, region if known else None)
    except NumberParseException:
        return _digits(number)
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164)


def _digits(number: str) -> str:
    return "".join(c for c in number if c.isascii() and c.isdigit())


def same(kind: str, one: str, other: str) -> bool:
    """Whether two keys are one address. A number without a known country is taken for every one
    with its last nine digits: rather closed than written to."""
    if kind == EMAIL:
        return not spellings(one).isdisjoint(spellings(other))
    if one[:1] == other[:1] == "+":
        return one == other
    tails = {_digits(one)[-9:], _digits(other)[-9:]}
    return len(tails) == 1 and tails != {""}


#: What the database compares before ``same`` does: so many last digits
#: (``store.tables.PHONE_END``).
_END = 6


def _end(column: str) -> sa.ColumnElement[str]:
    found: sa.ColumnElement[str] = sa.literal_column(t.PHONE_END.format(column), sa.Text)
    return found


def _like(column: str, key: str) -> sa.ColumnElement[bool]:
    """A number that may be this one. Its index is used if the column's name says it all."""
    return _end(column) == _digits(key)[-_END:]


_CUSTOMER = sa.bindparam("customer", type_=sa.Uuid)
_ORGANISATION = (
    sa.select(col(t.Customer.organisation_id))
    .where(col(t.Customer.id) == _CUSTOMER)
    .scalar_subquery()
)


def _of_contacts(kind: str, joined: sa.ColumnElement[bool]) -> Any:
    return (
        sa.select(t.Closure)
        .select_from(t.Contact)
        .join(t.Closure, sa.and_(col(t.Closure.organisation_id) == _ORGANISATION, joined))
        .where(col(t.Contact.customer_id) == _CUSTOMER, col(t.Closure.kind) == kind)
    )


#: What was heard about the addresses of a ``customer``'s contacts, and about numbers like them.
HEARD = sa.union_all(
    _of_contacts(EMAIL, col(t.Closure.address) == sa.func.lower(t.Contact.email)),
    _of_contacts(PHONE, sa.and_(
        col(t.Contact.phone) != sa.literal_column("''"),
        _end("closure.address") == _end("contact.phone"),
    )),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Closures:
    """What was heard about the addresses of one customer, by kind and address."""

    country: str
    heard: Mapping[tuple[str, str], list[Heard]] = field(default_factory=dict)

    def closed(self, contact: t.Contact, kind: str) -> str:
        """Why the contact's address of this kind is closed; empty = it is not."""
        word = closing(self._about(contact, kind))
        return word.reason or word.cause if word is not None else ""

    def opened_at(self, contact: t.Contact, kind: str) -> datetime | None:
        return opened_at(self._about(contact, kind))

    def _about(self, contact: t.Contact, kind: str) -> list[Heard]:
        if not self.heard:
            return []
        value = getattr(contact, kind)
        key = key_of(kind, value, self.country) if value else ""
        return [
            word
            for (of_kind, address), words in self.heard.items()
            if of_kind == kind and key and same(kind, key, address)
            for word in words
        ]


def closures_of(country: str, rows: Iterable[Any]) -> Closures:
    """From the rows of ``HEARD``, as mappings."""
    heard: dict[tuple[str, str], list[Heard]] = {}
    for row in rows:
        heard.setdefault((row["kind"], row["address"]), []).append(_heard(row))
    return Closures(country, heard)


def _heard(row: Any) -> Heard:
    at = row["at"]
    at = datetime.fromisoformat(at) if isinstance(at, str) else at
    return Heard(Source(row["source"]), row["closed"], row["cause"], at, row["reason"])


def read(unit: Unit, customer: t.Customer) -> Closures:
    rows = unit.session.connection().execute(HEARD, {"customer": customer.id}).mappings()
    return closures_of(customer.country, rows)


def people_at(
    session: Session, kind: str, key: str, organisation_id: OrganisationId | None = None
) -> list[tuple[t.Contact, t.Customer]]:
    """The contacts with this address, by customer: of one organisation, or of all."""
    by_email = sa.func.lower(t.Contact.email).in_(spellings(key))
    statement = (
        select(t.Contact, t.Customer)
        .join(t.Customer, col(t.Customer.id) == t.Contact.customer_id)
        .where(by_email if kind == EMAIL else _like("contact.phone", key))
        .order_by(col(t.Customer.id), col(t.Contact.id))
    )
    if organisation_id is not None:
        statement = statement.where(t.Customer.organisation_id == organisation_id)
    return [
        (contact, customer)
        for contact, customer in session.exec(statement)
        if same(kind, key, key_of(kind, getattr(contact, kind), customer.country))
    ]


@dataclass(frozen=True, slots=True)
class Turn:
    """What a word changed. ``news``: it was the latest of its source. ``told``: the customers with
    a contact whose address it closed or opened, each with what its timeline says."""

    news: bool = False
    told: tuple[tuple[CustomerId, str], ...] = ()


def happened(unit: Unit, kind: str, key: str, word: Heard) -> Turn:
    """Keep a word about an address (``key_of``). Where it closes or opens it, every customer with a
    contact there is told on its timeline and nudged. The same word again changes nothing."""
    unit.session.flush()
    lock_address(unit, kind, key)
    rows = _rows(unit, kind, key)
    before = _words(rows)
    if not _keep(unit, kind, key, rows, word):
        return Turn()
    unit.session.flush()
    others = [known for known in before if known.source is not word.source]
    was, now = closing(before), closing([*others, word])
    if was is now or (was is not None and now is not None and was.reason == now.reason):
        return Turn(news=True)
    reason = (now or word).reason
    told: dict[CustomerId, str] = {}
    for contact, customer in people_at(unit.session, kind, key, unit.organisation_id):
        who = f"{_CHANNEL[kind]} to {contact.name or contact.external_id}"
        why = f": {reason}" if reason else ""
        text = f"{who} is {'closed' if now else 'open again'}{why}"
        note(unit.at(word.at), customer, "channel_closed" if now else "channel_reopened", text,
             by=unit.by)  # fmt: skip
        nudge(unit, customer)
        told.setdefault(customer.id, text)
    return Turn(True, tuple(told.items()))


def closed_by(unit: Unit, kind: str, key: str, source: Source) -> bool:
    """Whether it is closed by a word of this source."""
    word = closing(_words(_rows(unit, kind, key)))
    return word is not None and word.source is source


def by_member(
    unit: Unit, customer: t.Customer, contact: t.Contact, kind: str, reason: str,
    ) -> None:  # fmt: skip
    """A member closes a contact's address with a reason, or opens it with an empty one. That is
    about all that is known so far, so it is the latest word."""
    key = key_of(kind, getattr(contact, kind), customer.country)
    words = _words(_rows(unit, kind, key))
    at = max([unit.now, *(word.at for word in words)])
    word = Heard(Source.MEMBER, bool(reason), "member", at, reason)
    happened(unit, kind, key, word)


def carry(unit: Unit, kind: str, old: str, new: str) -> Heard | None:
    """A contact's address is another one from now on (keys). Who did not want to be written to at
    the old one does not at the new one; what keeps that closed, None when it is open."""
    if not old or not new or old == new:
        return None
    words = _words(_rows(unit, kind, old))
    if closing(words) is None:
        return None
    unit.session.flush()
    lock_address(unit, kind, new)
    rows = _rows(unit, kind, new)
    for word in words:
        _keep(unit, kind, new, rows, word)
    unit.session.flush()
    return closing(_words(_rows(unit, kind, new)))


def _rows(unit: Unit, kind: str, key: str) -> list[t.Closure]:
    found = unit.session.exec(
        select(t.Closure).where(
            t.Closure.organisation_id == unit.organisation_id,
            t.Closure.kind == kind,
            col(t.Closure.address).in_(spellings(key))
            if kind == EMAIL
            else _like("closure.address", key),
        )
    )
    return [row for row in found if same(kind, key, row.address)]


def _words(rows: Iterable[t.Closure]) -> list[Heard]:
    return [_heard(row.model_dump()) for row in rows]


def _keep(
    unit: Unit, kind: str, key: str, rows: list[t.Closure],
    word: Heard,
) -> bool:  # fmt: skip
    """False when a later word of that source is known."""
    mine = [r for r in rows if r.source == word.source.value]
    if not all(word.replaces(known) for known in _words(mine)):
        return False
    row = next((r for r in mine if r.address == key), None)
    if row is None:
        row = t.Closure(
            organisation_id=unit.organisation_id, kind=kind, address=key, source=word.source.value,
            closed=word.closed, cause=word.cause, at=word.at,
        )  # fmt: skip
        unit.session.add(row)
        rows.append(row)
    row.closed, row.cause, row.at, row.reason = word.closed, word.cause, word.at, word.reason[:500]
    return True
