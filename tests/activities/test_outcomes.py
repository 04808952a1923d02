"""Reports of providers: facts of recipients, bounces (rule 37), closed channels; in any order."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from dunning.delivery import DeliveryFact, DeliveryFacts, absorb
from dunning.plan import ActionType
from messages.message import Message
from providers.port import Accepted, Ambiguous, Result
from stand_ins.town import Provider, Town, email, plan
from store import tables as t
from tests.cast.first_reminder import (
    ADA,
    EVE,
    recipient,
    sent,
)

pytestmark = pytest.mark.services

FACTS = [f for f in DeliveryFact if f not in (DeliveryFact.RESUBSCRIBED, DeliveryFact.NOTED)]


def test_facts_are_stored_for_each_recipient_and_on_the_timeline(engine: Engine) -> None:
    town = sent(engine)
    town.at("2025-03-04 09:00")
    assert town.told(DeliveryFact.RECEIVED, EVE.upper())
    assert town.told(DeliveryFact.OPENED_BY_MACHINE, EVE)
    row = recipient(town)
    assert (row.address, row.role, row.received_at) == (EVE, "to", town.now)
    assert row.sent_at is not None
    assert row.opened_at is None
    assert row.machine_opened_at == town.now
    town.told(DeliveryFact.OPENED, EVE)
    assert recipient(town).opened_at == town.now
    for kind in ("received", "opened"):
        assert town.timeline(f"message_{kind}") == [f"'Reminder one' was {kind} by {EVE}"]
    assert town.timeline("message_opened_by_machine") == []
    assert town.actions() == [("one", "done")]


def test_a_report_about_an_international_domain_finds_its_recipient(engine: Engine) -> None:
    """Eve's address is at bücher.example; the report has the domain in ASCII."""
    town = Town(engine, Provider())
    town.at("2025-03-03 10:00")
    town.customer(email="eve@bücher.example")
    town.invoice("INV-1", "2025-03-03")
    town.review()
    town.at("2025-03-04 08:30")
    town.send()
    assert town.told(DeliveryFact.BOUNCED, "eve@xn--bcher-kva.example", reason="no such mailbox")
    assert town.invalid() == ["no such mailbox"]


def test_reports_in_any_order_leave_the_same_facts(engine: Engine) -> None:
    """Five reports, each twice, in many orders, leave the same facts."""
    reports = [
        (DeliveryFact.SENT, 60),
        (DeliveryFact.RECEIVED, 50),
        (DeliveryFact.OPENED, 40),
        (DeliveryFact.CLICKED, 30),
        (DeliveryFact.COMPLAINED, 20),
    ]
    town = sent(engine)
    town.at("2025-03-04 12:00")
    seen = set()
    for order in itertools.islice(itertools.permutations(reports), 0, None, 17):
        town.forget(
            t.DeliveryRecipient,
            "sent_at",
            "received_at",
            "opened_at",
            "clicked_at",
            "complained_at",
        )
        for fact, before in (*order, *reversed(order)):
            town.told(fact, EVE, before=before)
        seen.add(tuple(sorted((k, str(v)) for k, v in recipient(town).model_dump().items())))
    assert len(seen) == 1


def test_absorbing_is_commutative_and_idempotent() -> None:
    now = datetime(2025, 3, 4, tzinfo=UTC)
    for some in itertools.permutations(FACTS, 3):
        found = set()
        for order in itertools.permutations(some):
            facts = DeliveryFacts()
            for n, fact in enumerate((*order, *order)):
                at = now + timedelta(minutes=FACTS.index(fact) + n // 3)
                facts = absorb(facts, fact, at, f"because of {fact}")
            found.add(facts)
        assert len(found) == 1, some


def test_rule_37_a_hard_bounce_reopens_the_step_for_its_owner(engine: Engine) -> None:
    """Sent on Tuesday, bounced on Wednesday, corrected on Thursday 07:00: sent again on Friday."""
    town = sent(engine)
    town.at("2025-03-05 11:00")
    before = len(town.nudges())
    town.told(DeliveryFact.BOUNCED, EVE, reason="no such user")
    assert len(town.nudges()) == before + 1  # the sequence looks again
    assert town.review().state == "await_owner"
    assert town.actions() == [("one", "failed"), ("two", "withdrawn"), ("one", "to_do")]
    assert town.invalid() == ["no such user"]
    assert town.timeline("message_bounced") == [
        f"'Reminder one' did not reach {EVE}, the address is wrong: no such user"
    ]
    town.told(DeliveryFact.BOUNCED, EVE, reason="no such user")
    assert town.actions()[2:] == [("one", "to_do")]
    town.at("2025-03-06 07:00")
    town.email_is("")
    assert town.lives_until("2025-03-08 12:00") == ["Fri 2025-03-07 08:30"]
    assert town.actions()[-1] == ("one", "done")


def test_rule_37_a_bounce_after_a_later_step_ran_is_only_recorded(engine: Engine) -> None:
    town = sent(engine)
    first = town.newest()
    assert town.lives_until("2025-03-12 09:00") == ["Tue 2025-03-11 08:30"]
    town.told(DeliveryFact.BOUNCED, EVE, delivery_id=first, reason="mailbox closed")
    assert town.actions() == [("one", "done"), ("two", "done")]
    assert town.invalid() == ["mailbox closed"]
    assert len(town.timeline("message_noted")) == 1


def test_rule_37_reopens_the_step_only_if_every_recipient_bounced(engine: Engine) -> None:
    """When Eve's address bounces and Ada's does not, the message was a contact and Eve's address is
    invalid. When Ada's bounces too, it was no contact. Copies (CC) do not count."""
    steps = plan(
        email("one", 1, recipients=["main", ADA], cc=["boss@acme.example"]), email("two", 30)
    )
    town = sent(engine, steps=steps)
    town.told(DeliveryFact.BOUNCED, EVE, reason="gone")
    assert town.actions() == [("one", "done")]
    assert town.invalid() == ["gone"]
    town.told(DeliveryFact.BOUNCED, ADA, reason="gone too")
    assert town.actions() == [("one", "failed")]
    (action,) = [a for a in town.rows(t.Action) if a.status == "failed"]
    assert (action.cause, action.reason) == ("bounced", "gone; gone too")


@pytest.mark.parametrize("fact", [DeliveryFact.BLOCKED, DeliveryFact.FAILED])
def test_a_blocked_message_goes_to_its_owner_and_the_address_stays_valid(
    engine: Engine, fact: DeliveryFact
) -> None:
    town = sent(engine)
    town.told(fact, EVE, reason="mailbox full")
    assert town.review().state == "await_owner"
    (todo,) = [a for a in town.rows(t.Action) if a.status == "to_do"]
    assert (todo.step_key, todo.cause) == ("one", "rejected")
    assert town.invalid() == [""]


def test_a_corrected_address_is_not_marked_by_an_old_bounce(engine: Engine) -> None:
    town = sent(engine)
    town.readdress("email", "eve@new.example")
    town.told(DeliveryFact.BOUNCED, EVE, reason="gone")
    assert town.invalid() == [""]


@pytest.mark.parametrize("fact", [DeliveryFact.COMPLAINED, DeliveryFact.UNSUBSCRIBED])
def test_a_complaint_closes_the_channel_and_gives_the_owner_a_task(
    engine: Engine, fact: DeliveryFact
) -> None:
    town = sent(engine)
    town.told(DeliveryFact.RECEIVED, EVE)
    town.told(fact, EVE)
    town.told(fact, EVE)
    assert town.closed()["eve"].startswith(EVE)
    assert town.invalid() == [""]
    (task,) = [a for a in town.rows(t.Action) if a.type == "task"]
    assert (task.status, task.cause) == ("to_do", "channel_closed")
    assert task.owner_id is not None
    assert town.review().state == "wait"  # the task holds nothing
    assert town.lives_until("2025-03-11 09:00") == []  # but there is no valid recipient (rule 35)
    assert ("two", "to_do") in town.actions()
    assert (None, "to_do") in town.actions()


def test_a_resubscription_opens_the_channel(engine: Engine) -> None:
    town = sent(engine)
    town.told(DeliveryFact.UNSUBSCRIBED, EVE, before=2)
    town.told(DeliveryFact.RESUBSCRIBED, EVE, before=1)
    assert town.closed() == {"eve": ""}
    assert town.lives_until("2025-03-11 09:00") == ["Tue 2025-03-11 08:30"]


def test_a_report_that_arrives_before_the_providers_answer_settles_the_message(
    engine: Engine,
) -> None:
    """The provider reports delivery, and even a bounce, while its answer is still on the way."""

    def quick(message: Message) -> Result:
        town.told(DeliveryFact.RECEIVED, EVE, provider_id="sg-1")
        town.told(DeliveryFact.RECEIVED, EVE, provider_id="sg-1")
        assert town.actions() == [("one", "done")]
        return Accepted("sg-1")

    town = Town(engine, Provider(quick))
    town.at("2025-03-03 10:00")
    town.customer()
    town.invoice("INV-1", "2025-03-03")
    town.review()
    town.at("2025-03-04 08:30")
    assert town.send().state == "wait"
    assert [d.status for d in town.rows_of(t.Delivery)] == ["accepted"]
    assert len(town.timeline("action_done")) == 1


@pytest.mark.parametrize("when", ["looked up", "with its owner", "given up"])
def test_a_report_settles_an_unknown_message(engine: Engine, when: str) -> None:
    town = sent(engine, Ambiguous("read timed out"))
    coming = town.review()
    while when != "looked up" and coming.look_up:
        coming = town.look_up()
    if when == "given up":
        town.skip_open("enough")
    town.told(DeliveryFact.RECEIVED, EVE, provider_id="sg-7")
    (row,) = town.rows_of(t.Delivery)
    assert (row.status, row.provider_id) == ("accepted", "sg-7")
    done = "skipped" if when == "given up" else "done"
    assert town.actions() == [("one", done)]
    assert len(town.timeline("action_left")) == (when == "given up")
    assert not town.review().look_up
    assert len(town.provider.tried) == 1


def test_a_bounce_without_ids_is_matched_by_its_address(
    engine: Engine,
) -> None:
    town = sent(engine)
    town.told(DeliveryFact.BOUNCED, EVE, delivery_id="", reason="gone")
    assert town.actions()[0] == ("one", "failed")


def test_a_bounce_without_ids_is_unmatched_if_two_customers_have_the_address(
    engine: Engine,
) -> None:
    town = sent(engine)
    town.customer("other", email=EVE)
    town.invoice("INV-2", "2025-03-03", customer="other")
    town.review(customer="other")
    town.at("2025-03-05 08:30")
    town.send(customer="other")
    assert not town.told(DeliveryFact.BOUNCED, EVE, delivery_id="", reason="gone")
    assert town.invalid() + town.invalid(customer="other") == ["", ""]


def test_a_report_on_another_organisations_account_is_unmatched(engine: Engine) -> None:
    town = sent(engine)
    other = Town(engine, town.provider)
    assert not town.told(DeliveryFact.BOUNCED, EVE, organisation_id=other.id)
    assert town.told(DeliveryFact.BOUNCED, EVE, organisation_id=town.id)


def test_a_returned_letter_marks_the_postal_address_invalid(engine: Engine) -> None:
    """Its tracking number and its return are on the timeline."""
    steps = plan(email("one", 1, type="letter"))
    town = Town(engine, Provider(kind=ActionType.LETTER), steps)
    town.at("2025-03-03 10:00")
    postal = {
        "line1": "1 Main St",
        "city": "Springfield",
        "postal_code": "12345",
        "region": "IL",
        "country": "US",
    }
    town.customer(postal=postal)
    town.invoice("INV-1", "2025-03-03")
    town.review()
    town.at("2025-03-04 08:30")
    town.send("letter")
    town.told(DeliveryFact.SENT, tracking_number="9400")
    town.told(
        DeliveryFact.RETURNED, tracking_number="9400", reason="the post returned it to the sender"
    )
    assert town.timeline("letter_tracking") == ["'Reminder one': tracking number 9400"]
    assert town.invalid("postal") == ["the post returned it to the sender"]
    assert town.review().state == "await_owner"
