"""Rule 37: messages that come back, or that the provider refused."""

from __future__ import annotations

import pytest

from dunning.model import ActionStatus, Cause
from tests.cast.diary import Diary, day, email, instant, plan


def bounced(first: str = "standard") -> Diary:
    steps = [email("s1", 1), email("s8", 8)]
    life = Diary(plan(*steps, first=first), "2025-03-03")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-05 09:00")
    assert life.days == ["Tue 4 Mar s1"]
    life.bounce("s1")
    return life


def test_rule_37_a_bounce_reopens_the_step_and_does_not_count_as_a_contact() -> None:
    life = bounced()
    assert life.settle().cause is Cause.BOUNCED
    assert life.shown == ["s1"]
    life.until("2025-03-07 11:00")
    life.complete("s1")
    life.correct()
    life.until("2025-03-30")
    assert life.days[1:] == ["Fri 7 Mar s1", "Wed 12 Mar s8"]


def test_rule_37_a_bounced_step_is_reopened_although_the_entry_has_moved_on() -> None:
    life = bounced("contextualized")
    life.now = instant("2025-03-12 09:00")  # the date of "s8" has come
    life.settle()
    assert life.shown == ["s1"]


def test_rule_37_and_35_a_corrected_address_is_sent_to_on_the_next_working_day() -> None:
    life = bounced()
    life.until("2025-03-07 07:00")
    life.correct()
    life.until("2025-03-30")
    assert life.days == ["Tue 4 Mar s1", "Mon 10 Mar s1", "Mon 17 Mar s8"]
    assert life.withdrawn == ["s1: the contact was corrected on 2025-03-07 (rule 35)"]


def test_rule_37_a_bounced_manual_message_stays_with_its_owner_after_a_correction() -> None:
    life = Diary(plan(email("letter", 1, automatic=False)), "2025-03-04")
    life.invoice("A", due="2025-03-03")
    life.settle()
    life.complete("letter")
    life.settle()
    life.bounce("letter")
    life.settle()
    life.correct()
    life.settle()
    assert life.shown == ["letter"]
    assert not any("letter" in line for line in life.withdrawn)


def test_rule_37_a_bounced_address_of_the_plan_is_not_sent_to_again() -> None:
    steps = [email("s1", 1, recipients=["board@example.com"])]
    life = Diary(plan(*steps), "2025-03-04")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-04 09:00")
    life.bounce("s1")
    life.until("2025-03-30")
    assert (life.shown, len(life.sent)) == (["s1"], 1)


def test_rule_37_a_bounce_after_a_later_step_ran_reopens_nothing() -> None:
    life = bounced()
    life.correct()
    life.until("2025-03-14")
    assert life.days == ["Tue 4 Mar s1", "Thu 6 Mar s1", "Tue 11 Mar s8"]
    life.bounce("s1")
    life.until("2025-03-30")
    assert life.shown == ["exhausted"]


def test_rule_37_a_bounced_pre_due_step_is_not_reopened_on_an_overdue_invoice() -> None:
    life = Diary(plan(email("almost", -3), email("s1", 1)), "2025-02-20")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-04 09:00")
    life.bounce("almost")
    life.correct()
    life.until("2025-03-30")
    assert life.days[1:] == ["Wed 5 Mar s1"]


@pytest.mark.parametrize("cause", [Cause.REJECTED, Cause.UNKNOWN_OUTCOME, None])
def test_rule_37_a_refused_message_goes_to_its_owner(cause: Cause | None) -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-04 08:31")
    life.invoice("A", due="2025-03-03")
    on = day("2025-03-04")
    life.act(invoice_id="A", step_key="s1", status=ActionStatus.FAILED, cause=cause, ended_on=on)
    life.settle()
    assert life.open("s1").cause is (cause or Cause.REJECTED)
    assert life.open("s1").attempt == 1
