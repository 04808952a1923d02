"""Rules 10 to 15: where an invoice enters the plan."""

from __future__ import annotations

from dunning.decision import Kind
from dunning.model import ActionStatus
from tests.cast.diary import Diary, call, day, email, plan

STEPS = [email("almost", -3), email("s1", 1), email("s8", 8), email("s15", 15)]


def first_day(life: Diary, until: str = "2025-06-30") -> str:
    life.until(until)
    return life.days[0]


def rules(life: Diary) -> list[int]:
    return [r.rule for r in life.settle().reasons]


def test_rule_10_an_invoice_is_overdue_the_day_after_its_due_date_in_the_local_zone() -> None:
    life = Diary(plan(*STEPS), "2025-03-03 23:59")
    life.invoice("A", due="2025-03-03")
    assert "A is not overdue: the first step of the plan" not in str(life.settle().reasons)
    assert life.settle().step_key == "s1"  # too late for "almost" today
    life = Diary(plan(call("almost", -3), email("s1", 1)), "2025-03-03 23:59")
    life.invoice("A", due="2025-03-03")
    life.settle()
    assert life.shown == ["almost"]
    life = Diary(plan(call("almost", -3), email("s1", 1)), "2025-03-04 00:00")
    life.invoice("A", due="2025-03-03")
    life.settle()
    assert life.shown == []


def test_rule_10_a_step_10_days_after_issue_is_pre_due_with_terms_of_30_days() -> None:
    thanks = {"key": "thanks", "type": "email", "automatic": True}
    thanks["trigger"] = {"from": "issue", "days": 10}
    life = Diary(plan(thanks, email("s1", 1)), "2025-03-05")
    life.invoice("A", due="2025-03-03", issued="2025-02-01")
    assert life.settle().step_key == "s1"
    life = Diary(plan(thanks, email("s1", 1)), "2025-03-05")
    life.invoice("A", due="2025-03-03", issued="2025-03-02")
    assert life.settle().step_key == "thanks"


def test_rule_10_a_step_on_the_due_date_is_pre_due() -> None:
    life = Diary(plan(email("today", 0), email("s1", 1)), "2025-03-04")
    life.invoice("A", due="2025-03-03")
    assert life.settle().step_key == "s1"


def test_rule_11_an_invoice_that_is_not_overdue_enters_at_the_first_step() -> None:
    life = Diary(plan(*STEPS), "2025-02-10")
    life.invoice("A", due="2025-03-03")
    assert rules(life)[:2] == [2, 11]
    assert first_day(life) == "Fri 28 Feb almost"


def test_rule_11_an_overdue_invoice_enters_at_the_first_step_that_is_not_pre_due() -> None:
    life = Diary(plan(*STEPS), "2025-06-02 07:00")
    life.invoice("A", due="2023-03-03")
    assert first_day(life) == "Mon 2 Jun s1"
    assert life.obsolete == []  # never met, so not on record


def test_rule_12_an_invoice_enters_at_the_closest_past_step() -> None:
    life = Diary(plan(*STEPS, first="contextualized"), "2025-03-13 07:00")
    life.invoice("A", due="2025-03-03")
    assert rules(life)[:2] == [2, 12]
    assert first_day(life) == "Thu 13 Mar s8"


def test_rule_12_of_two_steps_with_one_date_the_earlier_in_the_list_is_entered() -> None:
    steps = [email("s1", 1), email("s8", 8), email("twin", 8, contact_delay_days=0)]
    life = Diary(plan(*steps, first="contextualized"), "2025-03-13 07:00")
    life.invoice("A", due="2025-03-03")
    life.until("2025-04-30")
    assert life.days == ["Thu 13 Mar s8", "Thu 13 Mar twin"]


def test_rule_12_the_list_need_not_be_in_the_order_of_the_dates() -> None:
    steps = [email("s15", 15), email("s1", 1), email("s8", 8)]
    life = Diary(plan(*steps, first="contextualized"), "2025-03-10 07:00")
    life.invoice("A", due="2025-03-03")
    life.until("2025-04-30")
    assert life.days == ["Mon 10 Mar s1", "Mon 17 Mar s8"]


def test_rule_12_without_a_past_step_an_invoice_enters_at_the_first() -> None:
    life = Diary(plan(*STEPS, first="contextualized"), "2025-02-10")
    life.invoice("A", due="2025-03-03")
    assert first_day(life) == "Fri 28 Feb almost"


def test_rule_12_an_overdue_invoice_does_not_enter_at_a_pre_due_step() -> None:
    steps = [email("almost", -3), email("s8", 8)]
    life = Diary(plan(*steps, first="contextualized"), "2025-03-04 07:00")
    life.invoice("A", due="2025-03-03")
    assert life.settle().kind is Kind.WAIT
    assert first_day(life) == "Tue 11 Mar s8"


def test_rule_12_steps_with_a_fixed_date_are_entered_like_any_other() -> None:
    steps = [email("s1", 1), email("spring", "2025-03-20"), email("s40", 40)]
    life = Diary(plan(*steps, first="contextualized"), "2025-03-24 07:00")
    life.invoice("A", due="2025-03-03")
    life.until("2025-04-30")
    assert life.days == ["Mon 24 Mar spring", "Mon 14 Apr s40"]  # 12 April is a Saturday


def test_rule_13_the_entry_is_decided_again_until_an_action_is_executed() -> None:
    life = Diary(plan(*STEPS, first="contextualized"), "2025-03-05 09:00")
    life.invoice("A", due="2025-03-03")
    assert life.settle().step_key == "s1"
    life.pause(until="2025-03-13")
    assert first_day(life) == "Thu 13 Mar s8"


def test_rule_13_a_contact_delay_that_ends_after_the_next_steps_date_moves_the_entry() -> None:
    life = Diary(plan(*STEPS, first="contextualized", delay=10), "2025-03-03")
    life.invoice("A", due="2025-03-01")
    life.act(invoice_id="paid", step_key="s1", executed_on=day("2025-03-03"))
    decision = life.settle()
    assert decision.step_key == "s8"  # on the 13th, when its date, the 9th, is the closest past
    assert first_day(life) == "Thu 13 Mar s8"


def test_rule_13_a_passed_over_or_withdrawn_step_leaves_the_entry_open() -> None:
    life = Diary(plan(*STEPS, first="contextualized"), "2025-03-13 07:00")
    life.invoice("A", due="2025-03-03")
    for status in (ActionStatus.OBSOLETE, ActionStatus.WITHDRAWN, ActionStatus.FAILED):
        life.act(invoice_id="A", step_key="s15", status=status, plan_id="another")
    assert life.settle().step_key == "s8"


def test_rule_13_and_12_in_an_unsorted_list_the_next_step_by_date_is_waited_for() -> None:
    steps = [email("s8", 8), email("almost", -2)]
    life = Diary(plan(*steps, first="contextualized"), "2025-03-02")
    life.invoice("A", due="2025-03-03")
    life.act(invoice_id="paid", step_key="s1", executed_on=day("2025-02-28"))
    assert life.settle().step_key == "s8"
    assert life.shown == []


def test_rule_14_after_the_first_action_steps_follow_in_list_order() -> None:
    steps = [email("s8", 8), email("s1", 1), email("s15", 15)]
    life = Diary(plan(*steps, first="contextualized"), "2025-03-11 07:00")
    life.invoice("A", due="2025-03-03")
    life.until("2025-04-30")
    assert life.days == ["Tue 11 Mar s8", "Mon 17 Mar s1", "Mon 24 Mar s15"]


def test_rule_15_a_pre_due_step_reached_too_late_is_obsolete_and_no_contact() -> None:
    life = Diary(plan(call("call", -10), email("almost", -3), email("s1", 1)), "2025-02-20")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-06 07:00")
    assert life.shown == ["call"]
    life.skip("call")
    life.until("2025-04-30")
    assert life.days == ["Thu 6 Mar s1"]
    assert [line.split()[4] for line in life.obsolete] == ["almost"]


def test_rule_15_pre_due_steps_are_passed_over_after_a_long_pause() -> None:
    steps = [email("thanks", -20), email("almost", -3), email("s1", 1)]
    life = Diary(plan(*steps), "2025-02-01")
    life.invoice("A", due="2025-03-03")
    life.until("2025-02-15")
    life.pause(until="2025-03-10")
    life.until("2025-04-30")
    assert life.days == ["Tue 11 Feb thanks", "Mon 10 Mar s1"]
    assert [line.split()[4] for line in life.obsolete] == ["almost"]


def test_rule_15_and_26_steps_passed_over_at_the_end_of_the_plan_are_recorded_once() -> None:
    life = Diary(plan(email("thanks", -20), email("almost", -3)), "2025-02-01")
    life.invoice("A", due="2025-03-03")
    life.until("2025-02-15")
    life.pause(until="2025-03-10")
    life.until("2025-04-30")
    assert [line.split()[4] for line in life.obsolete] == ["almost"]
    assert life.shown == ["exhausted"]
    assert life.settle().pass_over == ()  # once
