"""What became of a message, and what that means: statuses and rule 37."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dunning.delivery import Fact, Facts, Status, Verdict, absorb, spellings, verdict

NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)


def of(*facts: Fact, reason: str = "why") -> Facts:
    found = Facts()
    for fact in facts:
        found = absorb(found, fact, NOON, reason)
    return found


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ((), Status.UNKNOWN),
        ((Fact.SENT,), Status.SENT),
        ((Fact.RECEIVED, Fact.SENT), Status.RECEIVED),
        ((Fact.OPENED_BY_MACHINE, Fact.RECEIVED), Status.RECEIVED),
        ((Fact.OPENED, Fact.RECEIVED), Status.OPENED),
        ((Fact.CLICKED,), Status.OPENED),
        ((Fact.COMPLAINED, Fact.OPENED), Status.OPENED),
        ((Fact.BLOCKED, Fact.SENT), Status.FAILED),
        ((Fact.FAILED,), Status.FAILED),
        ((Fact.RETURNED, Fact.RECEIVED), Status.RETURNED),
        ((Fact.BOUNCED, Fact.OPENED, Fact.FAILED), Status.BOUNCED),
        ((Fact.NOTED,), Status.UNKNOWN),
    ],
)
def test_the_shown_status_is_the_first_that_holds(facts: tuple[Fact, ...], status: Status) -> None:
    assert of(*facts).status is status


def test_the_earliest_time_stays() -> None:
    late = absorb(Facts(), Fact.RECEIVED, NOON)
    assert absorb(late, Fact.RECEIVED, NOON - timedelta(hours=1)).received_at == NOON - timedelta(
        hours=1
    )
    assert absorb(late, Fact.RECEIVED, NOON + timedelta(hours=1)) == late


def test_the_reason_is_that_of_the_gravest() -> None:
    soft = absorb(Facts(), Fact.BLOCKED, NOON, "busy")
    hard = absorb(Facts(), Fact.BOUNCED, NOON, "no such user")
    assert absorb(soft, Fact.BOUNCED, NOON, "no such user").reason == "no such user"
    assert absorb(hard, Fact.BLOCKED, NOON, "busy").reason == "no such user"


def test_rule_37_every_recipient_must_have_bounced() -> None:
    bounced, blocked, sent = of(Fact.BOUNCED, reason="gone"), of(Fact.BLOCKED), of(Fact.SENT)
    assert verdict([]) == Verdict()
    assert verdict([bounced, sent]) == Verdict()
    assert verdict([bounced, bounced]) == Verdict(True, True, "gone")
    assert verdict([bounced, blocked]) == Verdict(True, False, "gone; why")


def test_an_address_that_comes_back_in_ascii_is_known_as_it_was_written() -> None:
    assert spellings("Ada@xn--Bcher-kva.example") == {
        "ada@xn--bcher-kva.example",
        "ada@bücher.example",
    }
    assert spellings("ada@xn--é.example") == {"ada@xn--é.example"}
    assert spellings("+33612345678") == {"+33612345678"}
    assert spellings("") == {""}
