"""Rules 16 to 26: on which day a step goes out or is shown, repeats, and the end of the plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from dunning.calendar import Calendar
from dunning.decision import Kind
from dunning.model import ActionStatus, Cause
from dunning.plan import ActionType
from tests.cast.diary import PARIS, Diary, call, day, email, instant, plan

LATE = timedelta(seconds=40)


def test_rule_16_the_offsets_are_absolute_and_the_delay_only_pushes() -> None:
    life = Diary(plan(email("s1", 1), email("s3", 3), email("s30", 30)), "2025-02-20")
    life.invoice("A", due="2025-03-03")
    life.until("2025-04-30")
    assert life.days == ["Tue 4 Mar s1", "Mon 10 Mar s3", "Wed 2 Apr s30"]


def test_rule_16_a_step_has_its_own_contact_delay_or_the_plans() -> None:
    steps = [email("s1", 1), email("s2", 2, contact_delay_days=2), email("s3", 3)]
    life = Diary(plan(*steps, delay=9), "2025-02-20")
    life.invoice("A", due="2025-03-03")
    life.until("2025-04-30")
    assert life.days == ["Tue 4 Mar s1", "Thu 6 Mar s2", "Mon 17 Mar s3"]


def test_rule_17_whole_local_dates_from_the_day_it_was_really_executed() -> None:
    life = Diary(plan(call("call", 1), email("s2", 2)), "2025-02-20")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-05 23:50")
    life.complete("call")
    life.until("2025-03-20")
    assert life.days == ["Wed 5 Mar call", "Mon 10 Mar s2"]


@pytest.mark.parametrize(
    "status",
    [
        ActionStatus.SKIPPED,
        ActionStatus.WITHDRAWN,
        ActionStatus.OBSOLETE,
        ActionStatus.FAILED,
        ActionStatus.PLANNED,
    ],
)
def test_rule_18_what_was_not_executed_does_not_count(status: ActionStatus) -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-03")
    life.invoice("A", due="2025-03-03")
    on = day("2025-03-03")
    life.act(invoice_id="B", step_key="s1", status=status, executed_on=on, ended_on=on)
    life.until("2025-03-20")
    assert life.days == ["Tue 4 Mar s1"]


def test_rule_18_an_extra_reminder_counts() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-03")
    life.invoice("A", due="2025-03-03")
    life.act(invoice_id="A", executed_on=day("2025-03-03"))
    life.until("2025-03-20")
    assert life.days == ["Mon 10 Mar s1"]


@pytest.mark.parametrize(("counts", "expected"), [(True, "Mon 10 Mar s1"), (False, "Tue 4 Mar s1")])
def test_rule_18_a_task_counts_unless_the_plan_says_otherwise(counts: bool, expected: str) -> None:
    life = Diary(plan(email("s1", 1), tasks_count=counts), "2025-03-03")
    life.invoice("A", due="2025-03-03")
    life.act(invoice_id="B", type=ActionType.TASK, step_key="t", executed_on=day("2025-03-03"))
    life.until("2025-03-20")
    assert life.days == [expected]


def test_rule_18_a_task_without_a_step_is_no_contact() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-03")
    life.invoice("A", due="2025-03-03")
    life.act(
        invoice_id="B", type=ActionType.TASK, cause=Cause.EXHAUSTED, executed_on=day("2025-03-03")
    )
    life.until("2025-03-20")
    assert life.days == ["Tue 4 Mar s1"]


@pytest.mark.parametrize("lag", [timedelta(0), LATE], ids=["prompt", "late"])
def test_rule_19_with_a_delay_of_0_one_a_day_except_twins(lag: timedelta) -> None:
    steps = [email("s1", 1), email("twin", 1, type="letter"), email("s2", 1, trigger=due(2))]
    life = Diary(plan(*steps, delay=0), "2025-03-10 07:00", lag=lag)
    life.invoice("A", due="2025-03-03")
    life.until("2025-04-30")
    assert life.days == ["Mon 10 Mar s1", "Mon 10 Mar twin", "Tue 11 Mar s2"]


def due(days: int) -> dict[str, object]:
    return {"from": "due", "days": days}


def test_rule_19_a_twin_with_a_contact_delay_waits_for_it() -> None:
    life = Diary(plan(email("s1", 1), email("twin", 1)), "2025-03-03")
    life.invoice("A", due="2025-03-03")
    life.until("2025-04-30")
    assert life.days == ["Tue 4 Mar s1", "Mon 10 Mar twin"]


def test_rule_19_a_twin_held_up_until_after_the_cut_off_goes_the_next_working_day() -> None:
    life = Diary(plan(email("s1", 1), email("twin", 1), delay=0), "2025-03-03")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-04 08:29")
    life.contact(email=True, phone=False)
    life.now = instant("2025-03-04 17:00")
    life.settle()
    assert life.sent == ["Tue 4 Mar 17:00 s1 A", "Tue 4 Mar 17:00 twin A"]
    life = Diary(plan(email("s1", 1), email("twin", 1), delay=0), "2025-03-04 19:00")
    life.invoice("A", due="2025-03-03")
    life.act(
        invoice_id="A", step_key="s1", automatic=True, plan_keys=("s1", "twin"),
        trigger_on=day("2025-03-04"), executed_on=day("2025-03-04"),
    )  # fmt: skip
    life.until("2025-03-20")
    assert life.sent == ["Wed 5 Mar 08:30 twin A"]


def test_rule_19_another_invoice_of_the_same_trigger_date_is_no_twin() -> None:
    life = Diary(plan(email("s1", 1), delay=0), "2025-03-03")
    life.invoice("A", due="2025-03-03")
    life.invoice("B", due="2025-03-03")
    life.until("2025-03-04 09:00")
    life.pay("A")
    life.until("2025-03-20")
    assert life.sent == ["Tue 4 Mar 08:30 s1 A", "Wed 5 Mar 08:30 s1 B"]


def test_rule_19_a_call_completed_today_does_not_stop_an_email_of_today() -> None:
    life = Diary(plan(call("call", 1), email("s1", 1), delay=0), "2025-03-04 00:00")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-04 08:00")
    life.complete("call")
    life.until("2025-03-20")
    assert life.sent == ["Tue 4 Mar 08:00 call A", "Tue 4 Mar 08:30 s1 A"]


def test_rule_20_automatic_actions_roll_forward_over_weekends_and_holidays() -> None:
    calendar = replace(PARIS, holidays=frozenset({date(2025, 4, 21)}))  # Easter Monday
    life = Diary(plan(email("s1", 1)), "2025-04-01", calendar)
    life.invoice("A", due="2025-04-18")
    life.until("2025-05-30")
    assert life.sent == ["Tue 22 Apr 08:30 s1 A"]


def test_rule_20_other_working_days_than_ours() -> None:
    calendar = Calendar(PARIS.zone, working_days=frozenset({6, 0, 1, 2, 3}))  # Sunday to Thursday
    life = Diary(plan(email("s1", 1)), "2025-03-01", calendar)
    life.invoice("A", due="2025-03-06")
    life.until("2025-05-30")
    assert life.sent == ["Sun 9 Mar 08:30 s1 A"]


def test_rule_20_a_pre_due_step_rolls_back_rather_than_past_the_due_date() -> None:
    life = Diary(plan(email("almost", -1), email("s1", 1)), "2025-02-20")
    life.invoice("A", due="2025-03-02")  # a Sunday, and the 1st is a Saturday
    life.until("2025-04-30")
    assert life.sent == ["Fri 28 Feb 08:30 almost A", "Wed 5 Mar 08:30 s1 A"]


def test_rule_20_it_rolls_forward_as_long_as_that_is_before_the_due_date() -> None:
    life = Diary(plan(email("almost", -2)), "2025-02-20")
    life.invoice("A", due="2025-03-03")  # the 1st is a Saturday, the 3rd a Monday
    life.until("2025-04-30")
    assert life.sent == ["Mon 3 Mar 08:30 almost A"]


@pytest.mark.parametrize("start", ["2025-02-28 09:00", "2025-03-01 07:00"])
def test_rule_20_when_the_day_to_roll_back_to_is_gone_the_step_is_passed_over(start: str) -> None:
    life = Diary(plan(email("almost", -1), email("s1", 1)), start)
    life.invoice("A", due="2025-03-02")
    life.until("2025-04-30")
    assert life.sent == ["Mon 3 Mar 08:30 s1 A"]


def test_rule_20_rolling_back_never_enters_the_contact_delay() -> None:
    life = Diary(plan(email("almost", -1), email("s1", 1), delay=5), "2025-02-24")
    life.invoice("A", due="2025-03-02")
    life.act(invoice_id="B", step_key="s1", executed_on=day("2025-02-24"))
    life.until("2025-04-30")
    assert life.days == ["Mon 3 Mar s1"]


def test_rule_21_due_after_todays_sending_time_it_goes_out_the_next_working_day() -> None:
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
def test_rule_21_planned_for_today_and_held_up_by_an_outage(back: str, sent: str) -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-03")
    life.invoice("A", due="2025-03-03")
    assert life.until("2025-03-03 20:00").automatic
    life.asleep_until(back)
    life.until("2025-04-30")
    assert life.sent == [sent]


def test_rule_21_what_a_fact_held_up_was_not_held_up_by_an_outage() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-03")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-04 08:00")
    life.change("A", disputed=True)
    life.until("2025-03-04 10:00")
    life.change("A", disputed=False)
    life.until("2025-04-30")
    assert life.sent == ["Wed 5 Mar 08:30 s1 A"]


def test_rule_21_a_sending_time_after_the_cut_off_still_sends() -> None:
    calendar = replace(PARIS, sending_time=time(18, 0))
    life = Diary(plan(email("s1", 1)), "2025-03-03", calendar, lag=LATE)
    life.invoice("A", due="2025-03-03")
    life.until("2025-04-30")
    assert life.sent == ["Tue 4 Mar 18:00 s1 A"]


def test_rule_22_a_manual_action_shows_on_its_date_even_on_a_sunday() -> None:
    life = Diary(plan(call("call", 6)), "2025-03-01")
    life.invoice("A", due="2025-03-03")
    assert life.settle().at == instant("2025-03-09 00:00")
    life.until("2025-04-30")
    assert life.assigned == ["Sun 9 Mar 00:00 call A"]


def test_rule_22_a_manual_action_due_this_afternoon_shows_this_afternoon() -> None:
    life = Diary(plan(call("call", 1)), "2025-03-07 18:00")
    life.invoice("A", due="2025-03-03")
    assert life.settle().kind is Kind.AWAIT_OWNER
    assert life.assigned == ["Fri 7 Mar 18:00 call A"]


def test_rule_23_the_sending_time_is_that_of_the_wall_clock_on_either_side_of_dst() -> None:
    life = Diary(plan(email("s1", 1), email("s8", 8)), "2025-03-25")
    life.invoice("A", due="2025-03-26")
    life.until("2025-04-30")
    assert life.sent == ["Thu 27 Mar 08:30 s1 A", "Thu 3 Apr 08:30 s8 A"]


def test_rule_24_the_spread_is_added_to_the_sending_time() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-03", lag=LATE, spread=timedelta(minutes=17))
    life.invoice("A", due="2025-03-03")
    life.until("2025-04-30")
    assert life.sent == ["Tue 4 Mar 08:47 s1 A"]


def test_rule_24_not_even_a_silly_spread_leads_into_another_day() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-03", spread=timedelta(hours=17))
    life.invoice("A", due="2025-03-06")
    life.until("2025-04-30")
    assert life.sent == ["Fri 7 Mar 23:59 s1 A"]


def test_rule_25_a_step_repeats_until_its_limit() -> None:
    life = Diary(plan(email("s1", 1, repeat_every_days=7, repeat_limit=2)), "2025-03-01")
    life.invoice("A", due="2025-03-03")
    life.until("2025-06-30")
    assert life.days == ["Tue 4 Mar s1", "Tue 11 Mar s1#1", "Tue 18 Mar s1#2"]
    assert life.shown == ["exhausted"]


def test_rule_25_never_sooner_than_the_contact_delay() -> None:
    life = Diary(plan(email("s1", 1, repeat_every_days=2), delay=7), "2025-03-01")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-26")
    assert life.days == ["Tue 4 Mar s1", "Tue 11 Mar s1#1", "Tue 18 Mar s1#2", "Tue 25 Mar s1#3"]


def test_rule_25_until_the_next_steps_own_date_arrives() -> None:
    steps = [email("s1", 1, repeat_every_days=7), email("s20", 20)]
    life = Diary(plan(*steps), "2025-03-01")
    life.invoice("A", due="2025-03-03")
    life.until("2025-06-30")
    # The repeat of the 25th would come two days after the date of "s20", Sunday the 23rd.
    assert life.days == ["Tue 4 Mar s1", "Tue 11 Mar s1#1", "Tue 18 Mar s1#2", "Mon 24 Mar s20"]


def test_rule_25_from_the_day_the_previous_occurrence_was_completed_until_it_is_paid() -> None:
    life = Diary(plan(call("call", 1, repeat_every_days=10)), "2025-03-01")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-06 10:00")
    life.complete("call")
    life.until("2025-03-30")
    assert life.assigned == ["Tue 4 Mar 00:00 call A", "Sun 16 Mar 00:00 call#1 A"]
    life.pay("A")
    assert life.settle().owes_nothing
    assert life.shown == []


def test_rule_25_and_15_a_pre_due_step_does_not_repeat_past_the_due_date() -> None:
    steps = [email("almost", -12, repeat_every_days=5), email("s30", 30)]
    life = Diary(plan(*steps), "2025-02-15")
    life.invoice("A", due="2025-03-03")
    life.until("2025-06-30")
    assert life.days == ["Wed 19 Feb almost", "Mon 24 Feb almost#1", "Mon 3 Mar almost#2",
                         "Wed 2 Apr s30"]  # fmt: skip


def test_rule_25_and_20_a_repeat_after_the_due_date_does_not_roll_back_to_before_it() -> None:
    life = Diary(plan(email("almost", -8, repeat_every_days=10)), "2025-02-15")
    life.invoice("A", due="2025-03-03")
    life.until("2025-06-30")
    assert life.days == ["Mon 24 Feb almost"]


def test_rule_25_on_the_very_date_of_the_next_step_that_goes_first() -> None:
    life = Diary(plan(email("s1", 1, repeat_every_days=7), email("s8", 8)), "2025-03-01")
    life.invoice("A", due="2025-03-03")
    life.until("2025-06-30")
    assert life.days == ["Tue 4 Mar s1", "Tue 11 Mar s8"]


def test_rule_26_after_the_last_step_it_says_so_once_and_rests() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-01")
    life.invoice("A", due="2025-03-03")
    decision = life.until("2025-06-30")
    assert (decision.kind, decision.at) == (Kind.REST, None)
    assert (
        decision.reasons[-1].text == "plan 'reminders' is exhausted for A: decide what to do next"
    )
    assert life.shown == ["exhausted"]
    life._end(life.open(cause=Cause.EXHAUSTED), ActionStatus.SKIPPED)
    life.settle()
    assert life.shown == []


def test_rule_26_the_task_goes_when_its_reason_is_gone() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-01")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-10")
    life.tell(plan=plan(email("s1", 1), email("s30", 30)))
    assert life.settle().step_key == "s30"
    assert life.withdrawn == ["exhausted: what it asked for is no longer so (rule 26)"]
    life.tell(plan=plan(email("s1", 1)))
    life.settle()
    life.pay("A")
    life.settle()
    assert life.withdrawn[1:] == ["exhausted: A is paid (rule 4)"]


def test_rule_26_and_39_the_task_stays_while_the_customer_is_paused() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-01")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-10")
    life.pause()
    life.settle()
    assert life.shown == ["exhausted"]
    life.pay("A")
    life.settle()
    assert life.withdrawn == ["exhausted: A is paid (rule 4)"]
