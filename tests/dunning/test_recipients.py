"""Rules 34 and 35: who receives a message, and what happens without a valid recipient."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dunning.decision import Kind
from dunning.model import Cause, Contact
from dunning.plan import ActionType
from dunning.recipients import can_reach, meant
from plans.read import parse_plan
from tests.cast.diary import ANNA, Diary, email, instant, plan


def test_rule_34_each_kind_of_recipient_is_found() -> None:
    ben = Contact("ben", position="Accounting", email=True, phone=True)
    eve = Contact("eve", position="accounting ", email=True)
    account = replace(Diary(None).account, contacts=(ANNA, ben, eve))
    assert [c.id for c in meant(step("email", ["main"]), account)] == ["anna"]
    assert [c.id for c in meant(step("email", ["others"]), account)] == ["ben", "eve"]
    assert [c.id for c in meant(step("email", ["position:accounting"]), account)] == ["ben"]
    both = step("email", ["others", "main", "position:Accounting"])
    assert [c.id for c in meant(both, account)] == ["anna", "ben", "eve"]
    assert [c.id for c in meant(step("sms", ["main"]), account)] == ["anna"]
    assert meant(step("email", ["member:eva@example.com"]), account) == []


def step(type_: str, recipients: list[str], **more: object):  # type: ignore[no-untyped-def]
    data = email("s", 1, type=type_, recipients=recipients, **more)
    return parse_plan({"name": "p", "steps": [data]}).steps[0]


@pytest.mark.parametrize(
    ("type_", "recipients", "missing", "reaches"),
    [
        ("email", ["main"], {"email": False}, False),
        ("email", ["main"], {"phone": False, "postal": False}, True),
        ("sms", ["main"], {"phone": False}, False),
        ("letter", ["main"], {"postal": False}, False),
        ("email", ["position:Accounting"], {}, False),
        ("email", ["member:eva@example.com"], {"email": False}, True),
        ("email", ["eva@example.com"], {"email": False}, True),
        ("email", ["main", "member:eva@example.com"], {"email": False}, False),
    ],
)
def test_rule_35_a_recipient_is_valid_only_with_an_address_of_the_steps_channel(
    type_: str, recipients: list[str], missing: dict[str, Any], reaches: bool
) -> None:
    account = replace(Diary(None).account, contacts=(replace(ANNA, **missing),))
    assert can_reach(step(type_, recipients), account) is reaches


def test_rule_35_copies_alone_are_no_recipient_and_one_valid_recipient_is_enough() -> None:
    account = replace(Diary(None).account, contacts=(replace(ANNA, email=False),))
    assert not can_reach(step("email", ["main"], cc=["member:eva@example.com"]), account)
    ben = Contact("ben", email=True)
    account = replace(account, contacts=(*account.contacts, ben))
    assert can_reach(step("email", ["main", "others"]), account)


def unreachable(lag: timedelta = timedelta(0)) -> Diary:
    life = Diary(plan(email("s1", 1), email("s8", 8)), "2025-03-03", lag=lag)
    life.invoice("A", due="2025-03-05")
    life.contact(email=False)
    life.until("2025-03-06 12:00")
    return life


def test_rule_35_without_a_valid_recipient_a_step_becomes_a_to_do_with_its_cause() -> None:
    life = unreachable()
    assert life.assigned == ["Thu 6 Mar 08:30 s1 A"]
    assert life.open("s1").cause is Cause.NO_RECIPIENT
    assert life.settle().reasons[-1].rule == 35
    assert life.settle().at is None


@pytest.mark.parametrize("at", ["2025-03-06 12:01", "2025-03-07 00:00", "2025-03-07 08:30"])
def test_rule_35_after_a_correction_the_message_goes_out_the_next_working_day(at: str) -> None:
    life = unreachable()
    life.until(at)
    life.correct()
    decision = life.settle()
    assert (decision.kind, decision.then, decision.attempt) == (Kind.WAIT, ActionType.EMAIL, 1)
    life.until("2025-03-12")
    expected = "Fri 7 Mar 08:30 s1 A" if at < "2025-03-07" else "Mon 10 Mar 08:30 s1 A"
    assert life.sent == [expected]


def test_rule_35_after_a_correction_before_its_due_time_it_goes_out_as_planned() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-03")
    life.invoice("A", due="2025-03-05")
    life.contact(email=False)
    life.until("2025-03-06 07:00")
    life.correct()
    life.until("2025-03-20")
    assert life.sent == ["Thu 6 Mar 08:30 s1 A"]


def test_rule_35_of_several_corrections_after_the_to_do_the_first_counts() -> None:
    """Corrected on Friday, and again on Monday at 07:00, other addresses too: Monday 08:30."""
    life = unreachable()
    life.until("2025-03-07 07:00")
    life.fix("email")
    life.until("2025-03-10 07:00")
    life.correct()
    life.until("2025-03-12")
    assert life.sent == ["Mon 10 Mar 08:30 s1 A"]


def test_rule_35_the_first_correction_counts_even_when_decided_on_later() -> None:
    """No decision runs between Friday's correction and Monday's; Friday's still counts."""
    life = unreachable()
    life.now = instant("2025-03-07 07:00")
    life.fix("email")
    life.now = instant("2025-03-10 07:00")
    life.fix("email")
    life.until("2025-03-12")
    assert life.sent == ["Mon 10 Mar 08:30 s1 A"]


def test_rule_35_a_correction_of_an_address_that_is_not_used_does_not_count() -> None:
    life = unreachable()
    life.fix("phone")
    life.until("2025-03-07 07:00")
    assert life.shown == ["s1"]
    life.fix("email")
    life.until("2025-03-12")
    assert life.sent == ["Mon 10 Mar 08:30 s1 A"]


def test_rule_35_a_correction_before_the_to_do_does_not_count() -> None:
    """Corrected on Thursday 07:00, invalid again at 08:00, the to-do at 08:30, corrected Friday."""
    life = Diary(plan(email("s1", 1)), "2025-03-03")
    life.invoice("A", due="2025-03-05")
    life.until("2025-03-06 07:00")
    life.fix("email")
    life.until("2025-03-06 08:00")
    life.contact(email=False)
    life.until("2025-03-07 07:00")
    assert life.shown == ["s1"]
    life.fix("email")
    life.until("2025-03-12")
    assert life.sent == ["Mon 10 Mar 08:30 s1 A"]


def test_rule_35_a_new_main_contact_counts_as_a_correction() -> None:
    life = unreachable()
    life.until("2025-03-07 07:00")
    ben = Contact("ben", main=True, email=True)
    life.tell(contacts=(replace(ANNA, main=False), ben))
    assert life.settle().due == instant("2025-03-10 08:30")
    life.until("2025-03-12")
    assert life.sent == ["Mon 10 Mar 08:30 s1 A"]


def test_rule_35_the_owner_may_complete_the_to_do_before_any_correction() -> None:
    life = unreachable()
    life.complete("s1")
    life.until("2025-03-30")
    assert life.days == ["Thu 6 Mar s1"]
    assert life.assigned[1:] == ["Thu 13 Mar 08:30 s8 A"]
