"""Rule 25: a step that repeats."""

from __future__ import annotations

from tests.cast.diary import Diary, call, email, plan


def test_rule_25_a_step_repeats_until_its_limit() -> None:
    life = Diary(plan(email("s1", 1, repeat_every_days=7, repeat_limit=2)), "2025-03-01")
    life.invoice("A", due="2025-03-03")
    life.until("2025-06-30")
    assert life.days == ["Tue 4 Mar s1", "Tue 11 Mar s1#1", "Tue 18 Mar s1#2"]
    assert life.shown == ["exhausted"]


def test_rule_25_a_repeat_is_never_sooner_than_the_contact_delay() -> None:
    life = Diary(plan(email("s1", 1, repeat_every_days=2), delay=7), "2025-03-01")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-26")
    assert life.days == ["Tue 4 Mar s1", "Tue 11 Mar s1#1", "Tue 18 Mar s1#2", "Tue 25 Mar s1#3"]


def test_rule_25_a_step_repeats_until_the_trigger_date_of_the_next_step() -> None:
    steps = [email("s1", 1, repeat_every_days=7), email("s20", 20)]
    life = Diary(plan(*steps), "2025-03-01")
    life.invoice("A", due="2025-03-03")
    life.until("2025-06-30")
    # The repeat of the 25th would come two days after the date of "s20", Sunday the 23rd.
    assert life.days == ["Tue 4 Mar s1", "Tue 11 Mar s1#1", "Tue 18 Mar s1#2", "Mon 24 Mar s20"]


def test_rule_25_a_call_repeats_from_its_day_of_completion_until_the_invoice_is_paid() -> None:
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
    assert life.days == [
        "Wed 19 Feb almost",
        "Mon 24 Feb almost#1",
        "Mon 3 Mar almost#2",
        "Wed 2 Apr s30",
    ]


def test_rule_25_and_20_a_repeat_after_the_due_date_does_not_roll_back_before_it() -> None:
    life = Diary(plan(email("almost", -8, repeat_every_days=10)), "2025-02-15")
    life.invoice("A", due="2025-03-03")
    life.until("2025-06-30")
    assert life.days == ["Mon 24 Feb almost"]


def test_rule_25_a_repeat_on_the_date_of_the_next_step_gives_way_to_it() -> None:
    life = Diary(plan(email("s1", 1, repeat_every_days=7), email("s8", 8)), "2025-03-01")
    life.invoice("A", due="2025-03-03")
    life.until("2025-06-30")
    assert life.days == ["Tue 4 Mar s1", "Tue 11 Mar s8"]
