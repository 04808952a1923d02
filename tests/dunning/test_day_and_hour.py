"""Rules 20 to 24: working days, sending time, cut-off, and the spread."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from dunning.calendar import Calendar
from dunning.decision import Kind
from tests.cast.diary import PARIS, Diary, call, day, email, instant, plan

LATE = timedelta(seconds=40)


def test_rule_20_automatic_actions_roll_forward_over_weekends_and_holidays() -> None:
    calendar = replace(PARIS, holidays=frozenset({date(2025, 4, 21)}))  # Easter Monday
    life = Diary(plan(email("s1", 1)), "2025-04-01", calendar)
    life.invoice("A", due="2025-04-18")
    life.until("2025-05-30")
    assert life.sent == ["Tue 22 Apr 08:30 s1 A"]


def test_rule_20_working_days_are_those_of_the_organisation() -> None:
    calendar = Calendar(PARIS.zone, working_days=frozenset({6, 0, 1, 2, 3}))  # Sunday to Thursday
    life = Diary(plan(email("s1", 1)), "2025-03-01", calendar)
    life.invoice("A", due="2025-03-06")
    life.until("2025-05-30")
    assert life.sent == ["Sun 9 Mar 08:30 s1 A"]


def test_rule_20_a_pre_due_step_that_would_roll_past_the_due_date_rolls_back() -> None:
    life = Diary(plan(email("almost", -1), email("s1", 1)), "2025-02-20")
    life.invoice("A", due="2025-03-02")  # a Sunday, and the 1st is a Saturday
    life.until("2025-04-30")
    assert life.sent == ["Fri 28 Feb 08:30 almost A", "Wed 5 Mar 08:30 s1 A"]


def test_rule_20_a_pre_due_step_rolls_forward_as_far_as_the_due_date() -> None:
    life = Diary(plan(email("almost", -2)), "2025-02-20")
    life.invoice("A", due="2025-03-03")  # the 1st is a Saturday, the 3rd a Monday
    life.until("2025-04-30")
    assert life.sent == ["Mon 3 Mar 08:30 almost A"]


@pytest.mark.parametrize("start", ["2025-02-28 09:00", "2025-03-01 07:00"])
def test_rule_20_a_pre_due_step_whose_roll_back_day_is_over_is_passed_over(start: str) -> None:
    life = Diary(plan(email("almost", -1), email("s1", 1)), start)
    life.invoice("A", due="2025-03-02")
    life.until("2025-04-30")
    assert life.sent == ["Mon 3 Mar 08:30 s1 A"]


def test_rule_20_a_step_never_rolls_back_into_the_contact_delay() -> None:
    life = Diary(plan(email("almost", -1), email("s1", 1), delay=5), "2025-02-24")
    life.invoice("A", due="2025-03-02")
    life.act(invoice_id="B", step_key="s1", executed_on=day("2025-02-24"))
    life.until("2025-04-30")
    assert life.days == ["Mon 3 Mar s1"]


def test_rule_21_a_step_due_after_todays_sending_time_goes_out_the_next_working_day() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-07 08:31")  # a Friday
    life.invoice("A", due="2025-03-03")
    life.until("2025-04-30")
    assert life.sent == ["Mon 10 Mar 08:30 s1 A"]


@pytest.mark.parametrize(
    ("back", "sent"),
    [
        ("2025-03-04 11:00", "Tue 4 Mar 11:00 s1 A"),
        ("2025-03-04 17:00", "Tue 4 Mar 17:00 s1 A"),
        ("2025-03-04 17:01", "Wed 5 Mar 08:30 s1 A"),
        ("2025-03-04 23:00", "Wed 5 Mar 08:30 s1 A"),
        ("2025-03-05 03:00", "Wed 5 Mar 08:30 s1 A"),
        ("2025-03-05 10:00", "Wed 5 Mar 10:00 s1 A"),
        ("2025-03-08 10:00", "Mon 10 Mar 08:30 s1 A"),
    ],
)
def test_rule_21_a_step_delayed_by_an_outage_goes_out_until_the_cut_off(
    back: str, sent: str
) -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-03")
    life.invoice("A", due="2025-03-03")
    assert life.until("2025-03-03 20:00").automatic
    life.asleep_until(back)
    life.until("2025-04-30")
    assert life.sent == [sent]


def test_rule_21_a_step_delayed_by_a_fact_goes_out_the_next_working_day() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-03")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-04 08:00")
    life.change("A", disputed=True)
    life.until("2025-03-04 10:00")
    life.change("A", disputed=False)
    life.until("2025-04-30")
    assert life.sent == ["Wed 5 Mar 08:30 s1 A"]


def test_rule_21_a_sending_time_later_than_the_cut_off_still_sends() -> None:
    calendar = replace(PARIS, sending_time=time(18, 0))
    life = Diary(plan(email("s1", 1)), "2025-03-03", calendar, lag=LATE)
    life.invoice("A", due="2025-03-03")
    life.until("2025-04-30")
    assert life.sent == ["Tue 4 Mar 18:00 s1 A"]


def test_rule_22_a_manual_action_is_listed_on_its_date_even_on_a_sunday() -> None:
    life = Diary(plan(call("call", 6)), "2025-03-01")
    life.invoice("A", due="2025-03-03")
    assert life.settle().at == instant("2025-03-09 00:00")
    life.until("2025-04-30")
    assert life.assigned == ["Sun 9 Mar 00:00 call A"]


def test_rule_22_a_manual_action_that_becomes_due_in_the_afternoon_is_listed_at_once() -> None:
    life = Diary(plan(call("call", 1)), "2025-03-07 18:00")
    life.invoice("A", due="2025-03-03")
    assert life.settle().kind is Kind.AWAIT_OWNER
    assert life.assigned == ["Fri 7 Mar 18:00 call A"]


def test_rule_23_the_sending_time_is_local_clock_time_on_both_sides_of_a_change() -> None:
    life = Diary(plan(email("s1", 1), email("s8", 8)), "2025-03-25")
    life.invoice("A", due="2025-03-26")
    life.until("2025-04-30")
    assert life.sent == ["Thu 27 Mar 08:30 s1 A", "Thu 3 Apr 08:30 s8 A"]


def test_rule_24_the_spread_is_added_to_the_sending_time() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-03", lag=LATE, spread=timedelta(minutes=17))
    life.invoice("A", due="2025-03-03")
    life.until("2025-04-30")
    assert life.sent == ["Tue 4 Mar 08:47 s1 A"]


def test_rule_24_a_spread_of_many_hours_stays_on_the_same_date() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-03", spread=timedelta(hours=17))
    life.invoice("A", due="2025-03-06")
    life.until("2025-04-30")
    assert life.sent == ["Fri 7 Mar 23:59 s1 A"]
