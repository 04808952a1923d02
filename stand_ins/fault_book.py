"""The book of the fault benchmark: customers to each of whom exactly one message is due today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine

from backoffice.ledger.contact_matching import ContactFact
from backoffice.ledger.customers import CustomerFact, put_customer
from backoffice.ledger.invoices import InvoiceFact, put_invoice
from backoffice.people.members import put_member
from backoffice.people.plans import put_plan
from dunning.ids import OrganisationId
from dunning.plan import ActionType
from messages.check import check_texts
from store import bulk
from store import tables as t
from store.calendars import calendar_of
from store.engine import transaction
from store.unit import Unit

CHANNELS = (ActionType.EMAIL, ActionType.SMS, ActionType.LETTER)
MEMBER = "ada@amber.example"

_AT_ONCE = 200
_SENDING_TIME = time(8, 30)
_NOW_AT_HOUR = 10
_US_MOBILE = 2_125_550_000  # New York: such a number may be a mobile


@dataclass(frozen=True, slots=True)
class Addressee:
    """A person who should get one message. ``address`` is the person's unique key in the provider's
    ledger: an email address, a number in E.164, or the name on an envelope."""

    key: str
    channel: ActionType
    address: str


def addressees(count: int) -> list[Addressee]:
    """The three channels in turn, a third of the people each."""
    return [
        Addressee(f"C{n}", channel, _address(channel, n))
        for n in range(count)
        for channel in (CHANNELS[n % len(CHANNELS)],)
    ]


def make_book(engine: Engine, people: Sequence[Addressee]) -> OrganisationId:
    """An organisation in a time zone where it is mid-morning. Each customer has one automatic step
    planned for its sending time, which has passed, as after an outage (rule 21), and a nudge."""
    now = datetime.now(UTC)
    with transaction(engine) as session:
        organisation = t.Organisation(
            name="Amber & Sons",
            timezone=_zone(now),
            sending_time=_SENDING_TIME,
            cut_off=time(22),
            working_days="mon-sun",
        )
        session.add(organisation)
        session.flush()
        put_member(Unit(session, organisation.id), MEMBER, "Ada", "admin")
        versions = {
            channel: put_plan(Unit(session, organisation.id), _plan(channel), check_texts)[0]
            for channel in CHANNELS
        }
    for start in range(0, len(people), _AT_ONCE):
        part = people[start : start + _AT_ONCE]
        with transaction(engine) as session:
            keys = [person.key for person in part]
            unit = Unit(session, organisation.id, now)
            with bulk.batch(unit, keys, keys):
                for person in part:
                    _put(unit, person, versions[person.channel])
    return organisation.id


def _put(unit: Unit, person: Addressee, version: t.PlanVersion) -> None:
    calendar = calendar_of(unit.organisation)
    today = calendar.today(unit.now)
    due = today - timedelta(days=1)
    home = "US" if person.channel is ActionType.LETTER else ""
    fact = CustomerFact(
        person.key,
        f"Customer {person.key}",
        country=home,
        plan=person.channel.value,
        contacts=[_contact(person)],
        members=[MEMBER],
    )
    customer, _ = put_customer(unit, fact)
    invoice, _ = put_invoice(unit, _invoice(person, due))
    unit.session.flush()
    action = t.Action(
        organisation_id=unit.organisation_id,
        customer_id=customer.id,
        invoice_id=invoice.id,
        plan_id=version.plan_id,
        plan_version_id=version.id,
        step_key="one",
        name=f"Reminder by {person.channel.value}",
        type=person.channel.value,
        automatic=True,
        status="planned",
        trigger_on=today,
        planned_for=calendar.sending_at(today),
        created_at=unit.now,
    )
    unit.session.add(action)


def _invoice(person: Addressee, due: date) -> InvoiceFact:
    issued, total = due - timedelta(days=30), Decimal("120.50")
    return InvoiceFact(person.key, person.key, f"INV-{person.key}", issued, total, "USD", due)


def _zone(now: datetime) -> str:
    """A time zone in which it is between ten and eleven in the morning."""
    east = (_NOW_AT_HOUR - now.hour) % 24
    east = east if east <= 12 else east - 24
    return f"Etc/GMT{-east:+d}"  # POSIX sign: west is positive


def _plan(channel: ActionType) -> dict[str, Any]:
    step = {
        "key": "one",
        "name": f"Reminder by {channel.value}",
        "type": channel.value,
        "automatic": True,
        "trigger": {"from": "due", "days": 1},
        "body": "{{ customer.name }}: {{ invoice.balance }} of {{ invoice.number }} is open.",
    }
    if channel is not ActionType.SMS:
        step["subject"] = "{{ invoice.number }} is open"
    return {"name": channel.value, "contact_delay_days": 5, "steps": [step]}


def _address(channel: ActionType, n: int) -> str:
    match channel:
        case ActionType.EMAIL:
            return f"eve{n}@customer.example"
        case ActionType.SMS:
            return f"+1{_US_MOBILE + n}"
        case _:
            return f"Eve Number{n}"


def _contact(person: Addressee) -> ContactFact:
    """A contact that can be reached by the person's own channel alone."""
    if person.channel is ActionType.EMAIL:
        return ContactFact("eve", "Eve", main=True, email=person.address)
    if person.channel is ActionType.SMS:
        return ContactFact("eve", "Eve", main=True, phone=person.address)
    postal = {
        "line1": "210 King Street",
        "city": "San Francisco",
        "region": "CA",
        "postal_code": "94107",
        "country": "US",
    }
    return ContactFact("eve", person.address, main=True, postal=postal)
