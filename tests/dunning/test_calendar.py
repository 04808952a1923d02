"""Rules 20, 21 and 23: working days and hours, where the clocks or the calendar change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from dunning.calendar import Calendar, NoWorkingDayError, instant
from tests.cast.diary import Diary, call, email, plan


def local(zone: str, day: str, at: str) -> str:
    found = instant(ZoneInfo(zone), date.fromisoformat(day), time.fromisoformat(at))
    return found.astimezone(ZoneInfo(zone)).isoformat()


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        ("Europe/Paris", "2025-03-30", "02:30", "2025-03-30T03:00:00+02:00"),
        ("America/New_York", "2025-03-09", "02:00", "2025-03-09T03:00:00-04:00"),
        ("Australia/Lord_Howe", "2025-10-05", "02:15", "2025-10-05T02:30:00+11:00"),
        ("Asia/Beirut", "2025-03-30", "00:00", "2025-03-30T01:00:00+03:00"),
        ("America/Santiago", "2025-09-07", "00:30", "2025-09-07T01:00:00-03:00"),
        ("Pacific/Apia", "2011-12-30", "08:30", "2011-12-31T00:00:00+14:00"),
    ],
)
def test_rule_23_a_sending_time_skipped_by_the_clock_moves_to_the_next_that_exists(
    zone: str, day: str, at: str, expected: str
) -> None:
    assert local(zone, day, at) == expected


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        ("Europe/Paris", "2025-10-26", "02:30", "2025-10-26T02:30:00+02:00"),
        ("America/New_York", "2025-11-02", "01:30", "2025-11-02T01:30:00-04:00"),
        ("Australia/Lord_Howe", "2025-04-06", "01:45", "2025-04-06T01:45:00+11:00"),
        ("America/Santiago", "2025-04-05", "23:30", "2025-04-05T23:30:00-03:00"),
    ],
)
def test_rule_23_of_a_sending_time_that_occurs_twice_the_first_is_taken(
    zone: str, day: str, at: str, expected: str
) -> None:
    assert local(zone, day, at) == expected


def test_a_day_that_starts_twice_is_taken_from_its_second_start() -> None:
    """St John's put its clocks back at 00:01: Sunday began, and Saturday came back."""
    calendar = Calendar(ZoneInfo("America/St_Johns"))
    start = calendar.start_of(date(2010, 11, 7))
    assert start == datetime(2010, 11, 7, 3, 30, tzinfo=UTC)
    assert calendar.today(start - timedelta(minutes=30)) == date(2010, 11, 6)


def test_rule_20_a_date_that_the_time_zone_skipped_is_no_working_day() -> None:
    calendar = Calendar(ZoneInfo("Pacific/Apia"))
    assert not calendar.is_working(date(2011, 12, 30))
    assert calendar.next_working(date(2011, 12, 30)) == date(2012, 1, 2)
    assert calendar.previous_working(date(2011, 12, 30)) == date(2011, 12, 29)
    assert calendar.start_of(date(2011, 12, 30)) == calendar.start_of(date(2011, 12, 31))


def test_rule_15_a_call_on_a_date_that_the_time_zone_skipped_is_passed_over() -> None:
    life = Diary(
        plan(call("call", 0), email("s1", 1)), "2011-12-20", Calendar(ZoneInfo("Pacific/Apia"))
    )
    life.invoice("A", due="2011-12-30")
    assert life.until("2011-12-29 20:00").step_key == "s1"
    life.until("2012-01-10")
    assert life.assigned == []


@pytest.mark.parametrize("first", [date(2024, 2, 27), date(2023, 12, 29), date(2025, 3, 28)])
def test_rule_20_next_and_previous_working_days_across_leap_days_and_new_year(first: date) -> None:
    calendar = Calendar(ZoneInfo("Europe/Paris"), holidays=frozenset({date(2024, 1, 1)}))
    for n in range(8):
        day = first + timedelta(days=n)
        later, earlier = calendar.next_working(day), calendar.previous_working(day)
        assert earlier <= day <= later
        assert calendar.is_working(later)
        assert calendar.is_working(earlier)
        between = [earlier + timedelta(days=d) for d in range(1, (later - earlier).days)]
        assert not any(calendar.is_working(d) for d in between)


def test_rule_20_without_any_working_day_the_customer_rests_with_that_reason() -> None:
    never = Calendar(ZoneInfo("Europe/Paris"), working_days=frozenset())
    with pytest.raises(NoWorkingDayError):
        never.next_working(date(2025, 1, 1))
    with pytest.raises(NoWorkingDayError):
        never.previous_working(date(2, 1, 1))
    with pytest.raises(NoWorkingDayError):
        never.next_working(date(9998, 1, 1))
    life = Diary(plan(email("s1", 1)), "2025-03-03", never)
    life.invoice("A", due="2025-03-03")
    assert life.until("2025-06-30").reasons[-1].rule == 20
    life = Diary(plan(call("s1", 1)), "2025-03-03", never)
    life.invoice("A", due="2025-03-03")
    life.until("2025-06-30")
    assert life.shown == ["s1"]  # a manual action needs no working day (rule 22)


def test_rule_21_the_cut_off_is_never_before_the_sending_time() -> None:
    zone, day = ZoneInfo("Europe/Paris"), date(2025, 1, 15)
    assert Calendar(zone).cut_off_at(day) == datetime(2025, 1, 15, 16, tzinfo=UTC)
    late = Calendar(zone, sending_time=time(18))
    assert late.cut_off_at(day) == datetime(2025, 1, 15, 18, tzinfo=UTC)


def test_rule_23_and_24_the_sending_time_stays_on_its_day() -> None:
    """In Nuuk Saturday, 29 March 2025 has no 23:30: Sunday begins an hour early."""
    nuuk = Calendar(ZoneInfo("America/Nuuk"), sending_time=time(23, 30))
    for day in (date(2025, 3, 28), date(2025, 3, 29), date(2025, 10, 25)):
        at = nuuk.sending_at(day, timedelta(minutes=45))
        assert at.astimezone(nuuk.zone).date() == day


@pytest.mark.parametrize(
    ("zone", "due", "sent"),
    [
        ("America/New_York", "2025-03-09", "Mon 10 Mar 08:30 s1 A"),
        ("Australia/Lord_Howe", "2025-10-05", "Mon 6 Oct 08:30 s1 A"),
        ("Asia/Beirut", "2025-03-30", "Mon 31 Mar 08:30 s1 A"),
        ("America/Santiago", "2025-09-07", "Mon 8 Sep 08:30 s1 A"),
        ("Pacific/Apia", "2011-12-29", "Mon 2 Jan 08:30 s1 A"),
        ("Asia/Kathmandu", "2024-02-28", "Thu 29 Feb 08:30 s1 A"),
    ],
)
def test_rule_23_the_sending_time_is_local_in_every_time_zone(
    zone: str, due: str, sent: str
) -> None:
    start = f"{date.fromisoformat(due) - timedelta(days=20)}"
    life = Diary(plan(email("s1", 1)), start, Calendar(ZoneInfo(zone)))
    life.invoice("A", due=due)
    life.until(f"{date.fromisoformat(due) + timedelta(days=20)}")
    assert life.sent == [sent]
