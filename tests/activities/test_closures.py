"""Closed addresses (unsubscribed, complained, STOP): reports in any order, and several contacts."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from backoffice.ledger.contact_matching import ContactFact
from backoffice.ledger.contacts import correct
from backoffice.ledger.customers import CustomerFact, put_customer
from backoffice.ledger.find import find_customer
from dunning.delivery import DeliveryFact
from dunning.learnt import Wish
from dunning.plan import ActionType
from providers.port import Rejected
from stand_ins.town import Provider, Town
from store import tables as t
from store.engine import transaction
from store.unit import Unit
from tests.cast.first_reminder import EVE, sent

pytestmark = pytest.mark.services

SMS: dict[str, Any] = {"channel": ActionType.SMS, "sender": "+33612345678"}


def reports(town: Town, *contacts: ContactFact, customer: str = "acme", country: str = "") -> None:
    """Billing reports all contacts of a customer."""
    fact = CustomerFact(customer, customer.title(), country=country, contacts=list(contacts))
    with transaction(town.engine) as session:
        put_customer(Unit(session, town.id, town.now), fact)


def patches(town: Town, contact: str = "eve", **changes: Any) -> None:
    """Ben corrects a contact of Acme."""
    with transaction(town.engine) as session:
        row = find_customer(Unit(session, town.id), "acme", lock=True)
        correct(Unit(session, row.organisation_id, town.now, by="Ben"), row, contact, changes)


def emails(town: Town) -> list[str]:
    return [row.address for row in town.rows_of(t.ContactAddress) if row.kind == "email"]


# Reports in any order.


def test_a_late_report_of_an_earlier_resubscription_does_not_open_the_address(
    engine: Engine,
) -> None:
    town = sent(engine)
    town.told(DeliveryFact.UNSUBSCRIBED, EVE, before=10)
    town.told(DeliveryFact.RESUBSCRIBED, EVE, before=20)
    assert town.closed() == {"eve": f"{EVE} unsubscribed"}
    assert town.timeline("channel_reopened") == []


def test_unsubscribing_again_after_a_resubscription_closes_the_address(engine: Engine) -> None:
    town = sent(engine)
    for fact, before in (
        (DeliveryFact.UNSUBSCRIBED, 30),
        (DeliveryFact.RESUBSCRIBED, 20),
        (DeliveryFact.UNSUBSCRIBED, 10),
    ):
        town.told(fact, EVE, before=before)
    assert town.closed() == {"eve": f"{EVE} unsubscribed"}


@pytest.mark.parametrize(
    ("last", "closed"), [(DeliveryFact.UNSUBSCRIBED, True), (DeliveryFact.RESUBSCRIBED, False)]
)
def test_the_latest_event_decides_in_any_order_of_arrival(
    engine: Engine, last: DeliveryFact, closed: bool
) -> None:
    town = sent(engine)
    other = (
        DeliveryFact.RESUBSCRIBED
        if last is DeliveryFact.UNSUBSCRIBED
        else DeliveryFact.UNSUBSCRIBED
    )
    events = [(last, 10), (other, 20), (last, 30)]
    for order in itertools.permutations(events):
        with transaction(engine) as session:
            session.exec(sa.delete(t.Closure))
        for fact, before in (*order, *order):
            town.told(fact, EVE, before=before)
        assert bool(town.closed()["eve"]) is closed, order


@pytest.mark.parametrize("late", [True, False])
def test_no_callback_opens_an_address_after_a_complaint(engine: Engine, late: bool) -> None:
    """A later resubscription does not, and neither does one that is reported before the
    complaint."""
    town = sent(engine)
    events = [(DeliveryFact.COMPLAINED, 20), (DeliveryFact.RESUBSCRIBED, 10)]
    for fact, before in reversed(events) if late else events:
        town.told(fact, EVE, before=before)
    assert town.closed() == {"eve": f"{EVE} complained"}


def test_an_address_opened_by_a_member_after_a_complaint_is_on_the_timeline(
    engine: Engine,
) -> None:
    town = sent(engine)
    town.told(DeliveryFact.COMPLAINED, EVE, before=20)
    patches(town, email_closed="")
    assert town.closed() == {"eve": ""}
    (entry,) = [e for e in town.rows(t.TimelineEntry) if e.kind == "channel_reopened"]
    assert (entry.text, entry.by) == ("email to Eve is open again", "Ben")
    town.told(DeliveryFact.COMPLAINED, EVE, before=20)  # the same complaint, repeated
    assert town.closed() == {"eve": ""}
    town.at("2025-03-05 09:00")
    town.told(DeliveryFact.COMPLAINED, EVE)  # another complaint
    assert town.closed() == {"eve": f"{EVE} complained"}


def test_a_repeated_report_adds_nothing_to_the_timeline(engine: Engine) -> None:
    town = sent(engine)
    for _ in range(3):
        town.told(DeliveryFact.UNSUBSCRIBED, EVE, before=20)
        town.told(DeliveryFact.RESUBSCRIBED, EVE, before=10)
    kinds = ("channel_closed", "channel_reopened", "message_resubscribed")
    assert [len(town.timeline(kind)) for kind in kinds] == [1, 1, 1]


# Contacts that share or change an address.


def test_a_contact_without_an_id_does_not_inherit_the_closure_of_a_removed_one(
    engine: Engine,
) -> None:
    """Eve and Max are reported without ids. Eve unsubscribes and is then left out of the report."""
    town = sent(engine)
    eve, maxim = ContactFact(email=EVE), ContactFact(email="max@acme.example")
    reports(town, eve, maxim)
    town.told(DeliveryFact.UNSUBSCRIBED, EVE)
    reports(town, maxim)
    (row,) = town.rows(t.Contact)
    assert (emails(town), town.closed()) == (["max@acme.example"], {row.external_id: ""})
    reports(town, maxim, eve)
    (other,) = {c.external_id for c in town.rows(t.Contact)} - {row.external_id}
    assert [k for k, reason in town.closed().items() if reason] == [other]


def test_contacts_without_ids_are_recognised_after_a_change_of_their_order(engine: Engine) -> None:
    town = sent(engine)
    people = [
        ContactFact(name="Eve", email=EVE),
        ContactFact(name="Max", email="max@acme.example", phone="+33 6 12 34 56 78"),
        ContactFact(name="Zoe", postal={"city": "Lyon"}),
    ]
    reports(town, *people)
    ids = {c.name: (c.id, c.external_id) for c in town.rows(t.Contact)}
    moved = ContactFact(name="Max", email="max@new.example", phone="06 12 34 56 78")
    reports(town, people[2], moved, people[0], country="FR")
    assert {c.name: (c.id, c.external_id) for c in town.rows(t.Contact)} == ids


def test_the_only_contact_without_an_id_is_recognised_after_a_change_of_its_address(
    engine: Engine,
) -> None:
    town = sent(engine)
    reports(town)
    reports(town, ContactFact(email=EVE))
    town.told(DeliveryFact.UNSUBSCRIBED, EVE)
    (before,) = town.rows(t.Contact)
    reports(town, ContactFact(email="eve@new.example"))
    (after,) = town.rows(t.Contact)
    assert after.id == before.id
    assert town.closed() == {after.external_id: f"{EVE} unsubscribed"}


@pytest.mark.parametrize("between", [True, False])
def test_a_contact_reported_again_under_another_id_keeps_its_closures(
    engine: Engine, between: bool
) -> None:
    town = sent(engine)
    town.told(DeliveryFact.COMPLAINED, EVE)
    if between:
        reports(town)
    reports(town, ContactFact("eve-2", "Eve", email="Eve@Acme.Example"))
    assert town.closed() == {"eve-2": f"{EVE} complained"}
    assert town.lives_until("2025-03-12 09:00") == []


def test_a_closure_applies_to_every_customer_of_the_organisation_with_the_address(
    engine: Engine,
) -> None:
    """Customers of another organisation are not."""
    town = sent(engine)
    other = Town(engine, town.provider)
    for where in (town, other):
        where.customer("twin", email=EVE.upper())
    town.told(DeliveryFact.UNSUBSCRIBED, EVE)
    assert town.closed(customer="twin") == {"eve": f"{EVE} unsubscribed"}
    assert other.closed(customer="twin") == {"eve": ""}
    twin = town.key_of("twin")
    told = [e for e in town.rows(t.TimelineEntry) if e.kind == "channel_closed"]
    assert {e.customer_id for e in told} == {town.key_of("acme"), twin}
    assert [n.signal for n in town.nudges() if n.customer_id == twin][-1] == "account_changed"


def test_stop_closes_the_number_in_its_country_alone(engine: Engine) -> None:
    """06 12 34 56 78 is the French number; 061 234 56 78 has the same digits in Switzerland."""
    town = sent(engine)
    for key, phone, country in (
        ("paris", "06 12 34 56 78", "FR"),
        ("basel", "061 234 56 78", "CH"),
        ("nowhere", "0612345678", ""),
    ):
        reports(town, ContactFact("c", phone=phone), customer=key, country=country)
    assert town.answered("STOP", wish=Wish.STOP, provider_id="SM1", **SMS)
    assert town.closed("phone", "paris")["c"] == "+33612345678 answered STOP"
    assert town.closed("phone", "basel")["c"] == ""
    assert town.closed("phone", "nowhere")["c"] != ""  # the country is unknown: closed, to be safe
    reports(town, ContactFact("c", phone="06 12 34 56 78"), customer="paris", country="BE")
    assert town.closed("phone", "paris")["c"] != ""  # a corrected country does not open it


def test_a_number_that_the_provider_reports_as_opted_out_is_closed(engine: Engine) -> None:
    town = Town(engine, Provider(Rejected("opted out", "21610", opted_out=True)))
    town.at("2025-03-03 10:00")
    town.customer()
    town.invoice("INV-1", "2025-03-03")
    town.review()
    town.at("2025-03-04 08:30")
    town.send()
    assert town.closed() == {"eve": f"{EVE} told stand-in to stop"}


def test_a_changed_address_inherits_the_closure_of_the_old_one(engine: Engine) -> None:
    """Changed by billing and by a member. Opening the new address does not open the old one."""
    town = sent(engine)
    town.told(DeliveryFact.UNSUBSCRIBED, EVE)
    reports(town, ContactFact("eve", "Eve", email="eve@new.example"))
    assert town.closed() == {"eve": f"{EVE} unsubscribed"}
    patches(town, email="eve@newer.example", email_closed="")
    assert town.closed() == {"eve": ""}
    patches(town, email=EVE)
    assert town.closed() == {"eve": f"{EVE} unsubscribed"}


def test_a_repeated_callback_of_stop_after_start_changes_nothing(engine: Engine) -> None:
    town = sent(engine)
    town.readdress("phone", "+33612345678")
    for wish, key in ((Wish.STOP, "SM1"), (Wish.START, "SM2"), (Wish.STOP, "SM1")):
        town.now = town.now.replace(minute=town.now.minute + 1)
        town.answered(wish.upper(), wish=wish, provider_id=key, **SMS)
    assert town.closed("phone") == {"eve": ""}
