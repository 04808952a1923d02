"""Working weeks, holidays, clock changes, repeats: rehearsed, and judged by the checker."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

from rehearsal.script import Script, read_rows
from tests.rehearsal.conftest import (
    Stage,
    days,
    example,
    example_plan,
    facts_of,
    lines,
    plan,
    script,
)

REPEATS = plan(
    "repeats",
    "s1 email 1",
    "s4 email 4 repeat_every_days=7 repeat_limit=3",
    "last email 40",
    delay=3,
)
BEFORE = plan("before", "early email -3", "due email 0", "s5 email 5", delay=2)
TWO = plan("two", "mail email 1", "text sms 1", "letter letter 20", delay=0)
SPRING = plan("spring", "s1 email 1", "s8 email 8", delay=1)

#: In France, Easter Monday is 21 April 2025; 1, 8 and 29 May are Thursdays, 9 June is a Monday.
FRENCH_ROWS = lines(
    """
    again  A 2025-03-20 2025-04-18 2025-06-05 repeats
    again  B 2025-03-20 2025-06-08 -          repeats
    may    C 2025-04-01 2025-05-04 -          before
    easter D 2025-04-01 2025-04-21 -          before
    same   E 2025-04-01 2025-04-30 -          two
    """
)
FRENCH_DONE = days(
    """
    again  Tue 22 Apr 08:30 s1 A
    again  Fri 25 Apr 08:30 s4 A
    again  Fri  2 May 08:30 s4 A
    again  Fri  9 May 08:30 s4 A
    again  Fri 16 May 08:30 s4 A
    again  Wed 28 May 08:30 last A
    again  Tue 10 Jun 08:30 s1 B
    again  Fri 13 Jun 08:30 s4 B
    again  Fri 20 Jun 08:30 s4 B
    again  Fri 27 Jun 08:30 s4 B
    may    Fri  2 May 08:30 early C
    may    Fri  9 May 08:30 s5 C
    same   Fri  2 May 08:30 mail E
    same   Tue 20 May 08:30 letter E
    """
)


async def test_repeats_and_holidays(stage: Stage) -> None:
    skip = "2025-05-05T10:00,skip,same,,They have no mobile phone"
    plans = [REPEATS, BEFORE, TWO]
    (lived,) = await stage.live(
        script(plans, "2025-03-20", "2025-06-30", *FRENCH_ROWS, facts=(skip,), holidays="FR")
    )
    assert lived.violations == []
    assert {customer: lived.days(customer) for customer in FRENCH_DONE} == FRENCH_DONE
    # The step "due" of customer "may" falls on Sunday 4 May. It may not move past the due date
    # (rule 20), and on the Friday before, the contact delay after "early" is not over.
    assert lived.days("may", "obsolete") == ["Fri 9 May 08:30 due C"]
    # Nothing leaves on Easter Monday itself: its step is sent on the working day before.
    assert lived.days("easter")[:2] == ["Fri 18 Apr 08:30 early D", "Mon 28 Apr 08:30 s5 D"]
    # Two steps of one date: there is no day for the second, so its owner gets it, and skips it.
    assert lived.days("same", "skipped") == ["Mon 5 May 10:00 text E"]


async def test_sending_times_on_days_when_clocks_change(stage: Stage) -> None:
    # Sunday to Friday; in Jerusalem the clocks go forward on Friday 28 March 2025 at 02:00.
    israel = script(
        [SPRING],
        "2025-03-01",
        "2025-04-10",
        "c A 2025-03-01 2025-03-27",
        timezone="Asia/Jerusalem",
        working_days="sun-fri",
        sending_time=time(2, 30),
    )
    # In New York 02:30 does not exist on Sunday 9 March 2025; 01:30 happens twice on 2 November.
    spring = in_new_york("2025-03-01", "2025-03-20", "2025-03-08", time(2, 30))
    autumn = in_new_york("2025-10-20", "2025-11-12", "2025-11-01", time(1, 30))
    lived = await stage.live(israel, spring, autumn)
    assert [one.violations for one in lived] == [[], [], []]
    assert [one.days("c") for one in lived] == [
        ["Fri 28 Mar 03:00 s1 A", "Fri 4 Apr 02:30 s8 A"],
        ["Sun 9 Mar 03:00 s1 A", "Sun 16 Mar 02:30 s8 A"],
        ["Sun 2 Nov 01:30 s1 A", "Sun 9 Nov 01:30 s8 A"],
    ]


def in_new_york(start: str, until: str, due: str, sending_time: time) -> Script:
    return script(
        [SPRING],
        start,
        until,
        f"c A {start} {due}",
        timezone="America/New_York",
        working_days="mon-sun",
        sending_time=sending_time,
    )


async def test_the_sample_book_with_its_facts(stage: Stage) -> None:
    """Weeks of it by both plans, with an owner who takes two days and one who does nothing."""
    rows, bad = read_rows(example("book.csv"), None)
    assert not bad
    told = facts_of(*example("facts.csv").read_text("utf-8").splitlines()[1:])
    plans = [example_plan("plan.toml"), example_plan("plan-contextualized.toml")]
    standard, contextualized = (
        replace(
            script(ordered, start, until, holidays="FR", manual_days=days), rows=rows, facts=told
        )
        for ordered, start, until, days in (
            (plans, "2025-05-12", "2025-05-23", 2),
            (plans[::-1], "2025-07-15", "2025-07-22", None),
        )
    )
    for lived in await stage.live(standard, contextualized):
        assert lived.violations == []
        assert len(lived.actions) > 4
