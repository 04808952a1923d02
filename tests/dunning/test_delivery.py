"""The status shown for what a provider reported about a message, and bounces (rule 37)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dunning.delivery import DeliveryFact, DeliveryFacts, Status, Verdict, absorb, verdict

NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)


def of(*facts: DeliveryFact, reason: str = "why") -> DeliveryFacts:
    found = DeliveryFacts()
    for fact in facts:
        found = absorb(found, fact, NOON, reason)
    return found


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ((), Status.NO_REPORT),
        ((DeliveryFact.SENT,), Status.SENT),
        ((DeliveryFact.RECEIVED, DeliveryFact.SENT), Status.RECEIVED),
        ((DeliveryFact.OPENED_BY_MACHINE, DeliveryFact.RECEIVED), Status.RECEIVED),
        ((DeliveryFact.OPENED, DeliveryFact.RECEIVED), Status.OPENED),
        ((DeliveryFact.CLICKED,), Status.OPENED),
        ((DeliveryFact.COMPLAINED, DeliveryFact.OPENED), Status.OPENED),
        ((DeliveryFact.BLOCKED, DeliveryFact.SENT), Status.FAILED),
        ((DeliveryFact.FAILED,), Status.FAILED),
        ((DeliveryFact.RETURNED, DeliveryFact.RECEIVED), Status.RETURNED),
        ((DeliveryFact.BOUNCED, DeliveryFact.OPENED, DeliveryFact.FAILED), Status.BOUNCED),
        ((DeliveryFact.NOTED,), Status.NO_REPORT),
    ],
)
def test_the_status_shown_is_the_first_in_order_that_applies(
    facts: tuple[DeliveryFact, ...], status: Status
) -> None:
    assert of(*facts).status is status


def test_of_repeated_reports_the_earliest_time_is_kept() -> None:
    late = absorb(DeliveryFacts(), DeliveryFact.RECEIVED, NOON)
    assert absorb(
        late, DeliveryFact.RECEIVED, NOON - timedelta(hours=1)
    ).received_at == NOON - timedelta(hours=1)
    assert absorb(late, DeliveryFact.RECEIVED, NOON + timedelta(hours=1)) == late


def test_the_reason_shown_is_that_of_the_gravest_outcome() -> None:
    soft = absorb(DeliveryFacts(), DeliveryFact.BLOCKED, NOON, "busy")
    hard = absorb(DeliveryFacts(), DeliveryFact.BOUNCED, NOON, "no such user")
    assert absorb(soft, DeliveryFact.BOUNCED, NOON, "no such user").reason == "no such user"
    assert absorb(hard, DeliveryFact.BLOCKED, NOON, "busy").reason == "no such user"


def test_rule_37_a_message_has_bounced_only_when_every_recipient_bounced() -> None:
    bounced, blocked, sent = (
        of(DeliveryFact.BOUNCED, reason="gone"),
        of(DeliveryFact.BLOCKED),
        of(DeliveryFact.SENT),
    )
    assert verdict([]) == Verdict()
    assert verdict([bounced, sent]) == Verdict()
    assert verdict([bounced, bounced]) == Verdict(True, True, "gone")
    assert verdict([bounced, blocked]) == Verdict(True, False, "gone; why")
