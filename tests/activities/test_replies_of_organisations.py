"""Several organisations share the installation's account: a reply or report is matched to one of
them only if it cannot be about another."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from backoffice.delivery import callbacks
from backoffice.ledger.contacts import correct
from backoffice.ledger.find import find_customer
from dunning.delivery import DeliveryFact
from dunning.ids import CustomerId, DeliveryId, OrganisationId
from dunning.learnt import Reply, Report, Wish
from dunning.plan import ActionType
from providers.port import Accepted
from stand_ins.town import Provider, Town
from store import tables as t
from store.engine import transaction
from store.unit import Unit
from tests.cast.first_reminder import EVE, sent
from tests.cast.processed_callbacks import US, take_in

pytestmark = pytest.mark.services

NUMBER = "+33612345678"
SMS: dict[str, Any] = {"channel": ActionType.SMS, "sender": NUMBER, "provider": "twilio"}


def two_organisations(engine: Engine, *, wrote: bool = True) -> tuple[Town, Town]:
    """Amber and Berg have the same customer, Eve; ``wrote``: Berg wrote last."""
    amber = sent(engine)
    berg = Town(engine, amber.provider)
    berg.at("2025-03-03 10:00")
    berg.customer()
    if wrote:
        berg.invoice("INV-1", "2025-03-03")
        berg.review()
        berg.at("2025-03-04 08:40")
        berg.send()
    amber.now = berg.now = amber.now + timedelta(hours=2)
    assert len(amber.rows_of(t.Delivery)) == 1 + wrote
    return amber, berg


def has_phone(*towns: Town) -> None:
    for town in towns:
        town.readdress("phone", NUMBER)


def has_own_account(town: Town, provider: str = "twilio") -> None:
    with transaction(town.engine) as session:
        session.add(t.ProviderAccount(organisation_id=town.id, provider=provider, sealed=b"x"))


def replies(town: Town) -> set[OrganisationId]:
    """The organisations to which the reply was matched."""
    return {row.organisation_id for row in town.rows_of(t.Reply)}


def said(town: Town, **more: Any) -> Reply:
    values: dict[str, Any] = {
        "at": town.now,
        "sender": EVE,
        "text": "It is about you alone",
    }
    return Reply(**(values | more))


def test_a_reply_without_a_reference_is_unmatched_if_two_organisations_wrote(
    engine: Engine,
) -> None:
    amber, berg = two_organisations(engine)
    amber.change(t.Delivery, claimed_at=datetime.now(UTC))
    row = take_in(amber, [said(amber)])
    assert (row.outcome, replies(amber)) == ("unmatched", set())
    assert row.error == f"2 organisations may be meant by {EVE}"
    assert row.body  # its text is stored there
    assert amber.timeline("reply") == berg.timeline("reply") == []
    assert [c.held_until for c in amber.rows_of(t.Customer)] == [None, None]
    with transaction(engine) as session:
        assert callbacks.left(session) == [(US, "unmatched", 1)]


def test_a_reply_is_unmatched_if_two_organisations_know_its_sender_and_none_wrote(
    engine: Engine,
) -> None:
    amber = Town(engine)
    berg = Town(engine)
    for town in (amber, berg):
        town.customer()
        town.invoice("INV-1", "2025-03-03")
    assert take_in(amber, [said(amber)]).outcome == "unmatched"
    assert replies(amber) == set()


def test_a_reply_is_matched_to_the_only_organisation_that_wrote(engine: Engine) -> None:
    amber, _ = two_organisations(engine, wrote=False)
    assert amber.answered()
    assert replies(amber) == {amber.id}


def test_a_reply_with_a_reference_is_matched_to_that_message(engine: Engine) -> None:
    amber, _ = two_organisations(engine)
    first = min(amber.rows_of(t.Delivery), key=lambda row: row.claimed_at)
    assert amber.answered(reference=str(first.id))
    assert replies(amber) == {amber.id}


def test_a_reply_on_an_own_account_is_matched_to_its_organisation(engine: Engine) -> None:
    amber, berg = two_organisations(engine)
    assert berg.answered(organisation_id=berg.id)
    assert replies(amber) == {berg.id}
    first = min(amber.rows_of(t.Delivery), key=lambda row: row.claimed_at)
    assert berg.answered("again", organisation_id=berg.id, reference=str(first.id))
    assert replies(amber) == {berg.id}  # the reference is to a message of another


def test_a_reply_is_not_matched_to_an_organisation_that_wrote_by_another_account(
    engine: Engine,
) -> None:
    amber, _ = two_organisations(engine)
    with transaction(engine) as session:
        for row in session.exec(select(t.Delivery)):
            row.account = "house" if row.organisation_id == amber.id else "own"
    assert amber.answered(account="house")
    assert replies(amber) == {amber.id}


def test_a_reply_is_not_matched_to_a_rehearsal(engine: Engine) -> None:
    amber, berg = two_organisations(engine)
    with transaction(engine) as session:
        session.get_one(t.Organisation, berg.id).rehearsal_now = berg.now
    assert amber.answered()
    assert replies(amber) == {amber.id}


# STOP and START sent to a number that several organisations share.


def test_stop_on_the_shared_number_closes_it_for_all_and_shows_its_text_to_none(
    engine: Engine,
) -> None:
    amber, berg = two_organisations(engine)
    own = Town(engine)
    own.customer()
    has_phone(amber, berg, own)
    has_own_account(own)
    reply = said(amber, sender=NUMBER, text="Stop.", wish=Wish.STOP)
    with transaction(engine) as session:
        assert callbacks.left(session) == []
    row = take_in(amber, [reply], kind=ActionType.SMS, provider="twilio")
    assert (row.outcome, replies(amber)) == ("done", set())
    for town in (amber, berg):
        assert town.closed("phone") == {"eve": f"{NUMBER} answered STOP"}
    assert own.closed("phone") == {"eve": ""}  # it has a number of its own
    tasks = [a.organisation_id for a in amber.rows(t.Action) if a.cause == "channel_closed"]
    assert sorted(tasks) == sorted([amber.id, berg.id])


def test_start_on_the_shared_number_opens_only_numbers_closed_by_stop(
    engine: Engine,
) -> None:
    amber, berg = two_organisations(engine)
    has_phone(amber, berg)
    for town in (amber, berg):
        assert town.answered("STOP", wish=Wish.STOP, organisation_id=town.id, **SMS)
    with transaction(engine) as session:
        acme = find_customer(Unit(session, berg.id), "acme", lock=True)
        correct(
            Unit(session, acme.organisation_id, berg.now, by="Ben"),
            acme,
            "eve",
            {"sms_closed": "agreed on the phone"},
        )
    amber.now += timedelta(minutes=5)
    assert amber.answered("START", wish=Wish.START, **SMS)
    assert amber.closed("phone") == {"eve": ""}
    assert berg.closed("phone") == {"eve": "agreed on the phone"}


def test_stop_on_an_own_account_closes_the_number_of_a_later_contact(engine: Engine) -> None:
    town = Town(engine)
    assert town.answered("STOP", wish=Wish.STOP, organisation_id=town.id, **SMS)
    town.customer(phone="+33 6 12 34 56 78")
    assert town.closed("phone") == {"eve": f"{NUMBER} answered STOP"}


# Reports.


def test_a_bounce_without_ids_is_unmatched_if_one_of_two_organisations_sent_more(
    engine: Engine,
) -> None:
    """Amber wrote once, then Berg 25 times: more than the newest deliveries that are compared."""
    amber, berg = two_organisations(engine, wrote=False)
    other = Town(engine)
    customer = other.customer()
    with transaction(engine) as session:
        for number in range(25):
            _delivered(session, other, customer, number, berg.now)
    assert not amber.told(DeliveryFact.BOUNCED, EVE, delivery_id="", provider="stand-in")


def _delivered(session: Session, town: Town, customer: CustomerId, number: int, at: Any) -> None:
    whose: dict[str, Any] = {"organisation_id": town.id, "customer_id": customer}
    invoice = t.Invoice(
        **whose,
        external_id=f"I{number}",
        number=str(number),
        issued_on=at.date(),
        total=Decimal(1),
        balance=Decimal(1),
        currency="EUR",
    )
    session.add(invoice)
    session.flush()
    action = t.Action(**whose, invoice_id=invoice.id, name="x", type="email", status="done")
    session.add(action)
    session.flush()
    delivery = t.Delivery(
        **whose,
        id=DeliveryId(uuid.uuid4()),
        action_id=action.id,
        channel="email",
        provider="stand-in",
        status="accepted",
        claimed_at=at,
        settled_at=at,
    )
    session.add(delivery)
    session.flush()
    session.add(
        t.DeliveryRecipient(
            delivery_id=delivery.id, address_key=EVE, address=EVE, role="to", contact_id=None
        )
    )


def test_a_provider_id_of_two_organisations_is_matched_within_each(engine: Engine) -> None:
    """Own accounts of two organisations may give the same id. On the installation's account such an
    id does not say whose message it is."""
    amber, berg = two_organisations(engine)
    by_id: dict[str, Any] = {"delivery_id": "", "provider_id": "id-1", "provider": "stand-in"}
    assert isinstance(amber.provider, Provider)
    assert amber.provider.script == [Accepted("id-1")]
    for town in (amber, berg):
        assert town.told(DeliveryFact.OPENED, EVE, organisation_id=town.id, **by_id)
    rows = amber.rows_of(t.DeliveryRecipient)
    assert [row.opened_at is not None for row in rows] == [True, True]
    assert not amber.told(DeliveryFact.BOUNCED, organisation_id=None, **by_id)


def test_a_report_on_an_own_account_matches_no_delivery_of_others(engine: Engine) -> None:
    amber, berg = two_organisations(engine)
    first = min(amber.rows_of(t.Delivery), key=lambda row: row.claimed_at)
    names: list[dict[str, Any]] = [
        {"delivery_id": str(first.id)},
        {"delivery_id": "", "provider_id": "id-9"},
    ]
    for named in names:
        assert not berg.told(
            DeliveryFact.BOUNCED, "who@else.example", organisation_id=berg.id, **named
        )


def test_the_time_of_a_reply_is_that_of_its_callback(engine: Engine) -> None:
    """Twilio's callback has no time. STOP arrives before START and is processed after it."""
    town = sent(engine)
    has_phone(town)
    seen = []

    def reader(_: Any, now: Any) -> list[Report | Reply]:
        seen.append(now)
        return []

    row = take_in(town, reader)
    assert seen == [row.received_at]
