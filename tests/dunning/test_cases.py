"""Cases C1 to C6 of docs/rules.md, to the day: Monday to Friday, no holidays, 08:30."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.cast.diary import Diary, call, email, plan

LAGS = pytest.mark.parametrize("lag", [timedelta(0), timedelta(seconds=40)], ids=["prompt", "late"])


@LAGS
def test_c1_the_contact_delay_pushes_over_three_weekends(lag: timedelta) -> None:
    the_plan = plan(email("due", 0), email("first", 4), email("second", 8), email("third", 15))
    life = Diary(the_plan, start="2025-02-20", lag=lag)
    life.invoice("A", due="2025-03-03")
    life.until("2025-06-01")
    assert life.days == [
        "Mon 3 Mar due",
        "Mon 10 Mar first",
        "Mon 17 Mar second",
        "Mon 24 Mar third",
    ]


@LAGS
def test_c2_after_a_late_entry_steps_follow_one_contact_delay_apart(lag: timedelta) -> None:
    days = {"almost": -3, "s1": 1, "s8": 8, "s15": 15, "s22": 22, "s40": 40}
    life = Diary(plan(*(email(k, n) for k, n in days.items())), "2025-03-17 07:00", lag=lag)
    life.invoice("A", due="2025-02-28")
    life.until("2025-06-01")
    assert life.days == [
        "Mon 17 Mar s1",
        "Mon 24 Mar s8",
        "Mon 31 Mar s15",
        "Mon 7 Apr s22",
        "Mon 14 Apr s40",
    ]


@LAGS
def test_c3_a_contextualized_plan_is_entered_at_the_closest_past_step(lag: timedelta) -> None:
    steps = [email("s1", 1), email("s8", 8), email("s15", 15), email("s30", 30)]
    life = Diary(plan(*steps, first="contextualized"), "2025-03-18 07:00", lag=lag)
    life.invoice("A", due="2025-02-28")
    life.until("2025-06-01")
    assert life.days == ["Tue 18 Mar s15", "Mon 31 Mar s30"]


@pytest.mark.parametrize(("first", "step"), [("standard", "s1"), ("contextualized", "s8")])
def test_c4_the_next_carrying_invoice_starts_over_and_the_contact_delay_stays(
    first: str, step: str
) -> None:
    steps = [email("s1", 1), email("s8", 8), email("s15", 15), email("s30", 30)]
    life = Diary(plan(*steps, first=first), "2025-01-10")
    life.invoice("A", due="2025-02-03")
    life.invoice("B", due="2025-02-10")
    life.until("2025-02-20 11:00")
    assert life.sent == ["Tue 4 Feb 08:30 s1 A", "Tue 11 Feb 08:30 s8 A", "Tue 18 Feb 08:30 s15 A"]
    life.pay("A")
    life.until("2025-02-25")
    assert life.sent[3:] == [f"Mon 24 Feb 08:30 {step} B"]


@LAGS
def test_c5_a_corrected_contact_is_written_to_on_the_next_working_day(lag: timedelta) -> None:
    life = Diary(plan(email("first", 1), email("second", 15)), "2025-02-20", lag=lag)
    life.invoice("A", due="2025-03-05")
    life.contact(email=False)
    life.until("2025-03-07 07:00")
    assert [line[:9] for line in life.assigned] == ["Thu 6 Mar"]
    assert life.open("first").attempt == 0
    life.correct()
    life.until("2025-03-12")
    assert life.withdrawn == ["first: the contact was corrected on 2025-03-07 (rule 35)"]
    assert life.shown == []
    assert [line[:16] for line in life.sent] == ["Mon 10 Mar 08:30"]
    assert [a.attempt for _, a in life.lines] == [0, 1]


def test_c6_the_delay_counts_from_the_day_the_call_was_completed() -> None:
    life = Diary(plan(call("call", 1), email("letter", 2)), "2025-02-20")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-06 14:10")
    assert life.assigned == ["Tue 4 Mar 00:00 call A"]
    life.complete("call")
    life.until("2025-03-20")
    assert life.sent == ["Thu 6 Mar 14:10 call A", "Tue 11 Mar 08:30 letter A"]
