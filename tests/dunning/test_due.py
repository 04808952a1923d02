"""Rules 16 to 19: trigger date, contact delay, and one automatic contact a day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dunning.model import ActionStatus, Cause
from dunning.plan import ActionType
from tests.cast.diary import Diary, call, day, email, instant, plan

LATE = timedelta(seconds=40)


def test_rule_16_the_contact_delay_postpones_a_step_and_moves_no_trigger_date() -> None:
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


def test_rule_17_the_delay_counts_local_dates_from_the_date_of_execution() -> None:
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
def test_rule_18_an_action_that_was_not_executed_is_no_contact(status: ActionStatus) -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-03")
    life.invoice("A", due="2025-03-03")
    on = day("2025-03-03")
    life.act(invoice_id="B", step_key="s1", status=status, executed_on=on, ended_on=on)
    life.until("2025-03-20")
    assert life.days == ["Tue 4 Mar s1"]


def test_rule_18_an_extra_reminder_is_a_contact() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-03")
    life.invoice("A", due="2025-03-03")
    life.act(invoice_id="A", executed_on=day("2025-03-03"))
    life.until("2025-03-20")
    assert life.days == ["Mon 10 Mar s1"]


@pytest.mark.parametrize(("counts", "expected"), [(True, "Mon 10 Mar s1"), (False, "Tue 4 Mar s1")])
def test_rule_18_a_task_is_a_contact_unless_the_plan_says_otherwise(
    counts: bool, expected: str
) -> None:
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
def test_rule_19_without_a_delay_one_contact_a_day_except_on_one_trigger_date(
    lag: timedelta,
) -> None:
    steps = [email("s1", 1), email("twin", 1, type="letter"), email("s2", 1, trigger=due(2))]
    life = Diary(plan(*steps, delay=0), "2025-03-10 07:00", lag=lag)
    life.invoice("A", due="2025-03-03")
    life.until("2025-04-30")
    assert life.days == ["Mon 10 Mar s1", "Mon 10 Mar twin", "Tue 11 Mar s2"]


def due(days: int) -> dict[str, object]:
    return {"from": "due", "days": days}


def test_rule_19_two_steps_of_one_trigger_date_keep_the_contact_delay() -> None:
    life = Diary(plan(email("s1", 1), email("twin", 1)), "2025-03-03")
    life.invoice("A", due="2025-03-03")
    life.until("2025-04-30")
    assert life.days == ["Tue 4 Mar s1", "Mon 10 Mar twin"]


def test_rule_19_after_the_cut_off_the_second_step_of_a_date_goes_a_working_day_later() -> None:
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
        invoice_id="A",
        step_key="s1",
        automatic=True,
        plan_keys=("s1", "twin"),
        trigger_on=day("2025-03-04"),
        executed_on=day("2025-03-04"),
    )
    life.until("2025-03-20")
    assert life.sent == ["Wed 5 Mar 08:30 twin A"]


def test_rule_19_steps_of_two_invoices_with_one_trigger_date_go_out_on_two_days() -> None:
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
