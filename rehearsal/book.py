"""A book and its facts as events: each at its instant, in the order in which they happen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time

from backoffice.ledger.contact_matching import ContactFact
from backoffice.ledger.customers import CustomerFact
from books.facts import Fact
from books.row import BookRow
from dunning.calendar import Calendar, instant

FACTS_BY = "billing"

_POSTAL = {
    "line1": "not in the book",
    "city": "not in the book",
    "postal_code": "00000",
    "country": "FR",
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens at an instant (UTC): an invoice becomes known, with ``news`` of its
    customer if there is any; it is ``paid``; or a fact."""

    at: datetime
    order: int
    what: BookRow | Fact
    paid: bool = False
    news: CustomerFact | None = None


def events(
    rows: Iterable[BookRow],
    facts_: Iterable[Fact],
    calendar: Calendar,
    start: date,
    end: date,
) -> list[Event]:
    """Everything that happens from ``start`` to ``end`` (local days, both included), in order.

    An invoice becomes known at 00:00 of its issue date, or of ``start`` if that is later; its
    payment at 00:00 of ``paid_on``. An invoice that was paid before ``start`` never becomes known.
    """
    found: list[Event] = []
    for place, row in enumerate(rows):
        known_on = max(row.issued_on, start)
        if known_on > end or (row.paid_on is not None and row.paid_on < start):
            continue
        found.append(Event(calendar.start_of(known_on), place * 2, row))
        if row.paid_on is not None and row.paid_on <= end and not row.credit_note:
            at = calendar.start_of(max(row.paid_on, known_on))
            found.append(Event(at, place * 2 + 1, row, paid=True))
    base = 2 * 10**9
    first, last = calendar.start_of(start), instant(calendar.zone, end, time(23, 59, 59))
    for fact in facts_:
        at = instant(calendar.zone, fact.at.date(), fact.at.time())
        if at <= last:
            found.append(Event(max(at, first), base + fact.line, fact))
    found.sort(key=lambda e: (e.at, e.order))
    return list(with_news(found, {}))


def with_news(found: list[Event], known: dict[str, CustomerFact]) -> Iterator[Event]:
    """Adds to each event what its row says about the customer, if that is new. An empty cell keeps
    the value of an earlier row. ``known`` has the latest values by customer, and is updated."""
    for event in found:
        row = event.what
        if isinstance(row, Fact) or event.paid:
            yield event
            continue
        old = known.get(row.customer)
        new = known[row.customer] = _merged(old, row, known)
        if new == old:
            yield event
        else:
            plan = new.plan if old is None or new.plan != old.plan else None
            yield replace(event, news=replace(new, plan=plan))


def _merged(old: CustomerFact | None, row: BookRow, known: dict[str, CustomerFact]) -> CustomerFact:
    """A book has no postal addresses. The customer gets one, so that letters can be sent."""
    if old is None:
        contact = ContactFact("main", main=True, postal=_POSTAL)
        old = CustomerFact(row.customer, row.customer, contacts=[contact])
    contact = (old.contacts or [])[0]
    contact = replace(contact, email=row.email or contact.email, phone=row.phone or contact.phone)
    return replace(
        old,
        name=row.customer_name or old.name,
        parent=row.parent if row.parent in known else old.parent,
        terms_days=old.terms_days if row.terms_days is None else row.terms_days,
        language=row.language or old.language,
        country=row.country or old.country,
        plan=row.plan or old.plan,
        contacts=[contact],
    )


def moments(found: list[Event]) -> Iterator[tuple[datetime, list[Event]]]:
    """The events grouped by instant."""
    group: list[Event] = []
    for event in found:
        if group and event.at != group[0].at:
            yield group[0].at, group
            group = []
        group.append(event)
    if group:
        yield group[0].at, group
