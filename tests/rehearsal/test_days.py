"""Working weeks, holidays, clocks that change, old books, repeats: whole books, by the checker."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

from rehearsal.script import read_rows
from tests.rehearsal.conftest import Stage, example, example_plan, facts_of, plan, script

REPEATS = plan("repeats", "s1 email 1", "s4 email 4 repeat_every_days=7 repeat_limit=3",
               "last email 40", delay=3)  # fmt: skip
BEFORE = plan("before", "early email -3", "due email 0", "s5 email 5", delay=2)
TWO = plan("two", "mail email 1", "text sms 1", "letter letter 20", delay=0)
SPRING = plan("spring", "s1 email 1", "s8 email 8", delay=1)


async def test_days_off_and_clocks_that_change(stage: Stage) -> None:
    # In France, Easter Monday is 21 April 2025; 1, 8 and 29 May are Thursdays, 9 June is a Monday.
    france = script(
        [REPEATS, BEFORE, TWO], "2025-03-20", "2025-06-30",
        "again A 2025-03-20 2025-04-18 2025-06-05 repeats",
        "again B 2025-03-20 2025-06-08 - repeats",
        "may C 2025-04-01 2025-05-04 - before",
        "easter D 2025-04-01 2025-04-21 - before",
        "same E 2025-04-01 2025-04-30 - two",
        facts=("2025-05-05T10:00,skip,same,,They have no mobile phone",),
        holidays="FR",
    )  # fmt: skip
    # Sunday to Friday; in Jerusalem the clocks go forward on Friday 28 March 2025 at 02:00.
    israel = script(
        [SPRING], "2025-03-01", "2025-04-10",
        "c A 2025-03-01 2025-03-27",
        timezone="Asia/Jerusalem", working_days="sun-fri", sending_time=time(2, 30),
    )  # fmt: skip
    # 02:30 does not exist in New York on Sunday 9 March 2025; 01:30 is there twice on 2 November.
    spring, autumn = (
        script([SPRING], start, until, f"c A {start} {due}", timezone="America/New_York",
               working_days="mon-sun", sending_time=time(hour, 30))
        for start, until, due, hour in (
            ("2025-03-01", "2025-03-20", "2025-03-08", 2),
            ("2025-10-20", "2025-11-12", "2025-11-01", 1),
        )
    )  # fmt: skip
    lived = await stage.live(france, israel, spring, autumn)
    assert [one.violations for one in lived] == [[], [], [], []]
    french, east, gap, twice = lived
    assert french.days("again") == [
        "Tue 22 Apr 08:30 s1 A", "Fri 25 Apr 08:30 s4 A", "Fri 2 May 08:30 s4 A",
        "Fri 9 May 08:30 s4 A", "Fri 16 May 08:30 s4 A", "Wed 28 May 08:30 last A",
        "Tue 10 Jun 08:30 s1 B", "Fri 13 Jun 08:30 s4 B", "Fri 20 Jun 08:30 s4 B",
        "Fri 27 Jun 08:30 s4 B",
    ]  # fmt: skip
    # Its own step would be due on Sunday 4 May: too late to roll forward, too soon to roll back.
    assert french.days("may") == ["Fri 2 May 08:30 early C", "Fri 9 May 08:30 s5 C"]
    assert french.days("may", "obsolete") == ["Fri 9 May 08:30 due C"]
    # On Easter Monday itself nothing leaves: it rolls back to Good Friday.
    assert french.days("easter")[:2] == ["Fri 18 Apr 08:30 early D", "Mon 28 Apr 08:30 s5 D"]
    # Two steps of one date: the second has nowhere to go, so its owner has it, and skips it.
    assert french.days("same") == ["Fri 2 May 08:30 mail E", "Tue 20 May 08:30 letter E"]
    assert french.days("same", "skipped") == ["Mon 5 May 10:00 text E"]
    assert east.days("c") == ["Fri 28 Mar 03:00 s1 A", "Fri 4 Apr 02:30 s8 A"]
    assert gap.days("c") == ["Sun 9 Mar 03:00 s1 A", "Sun 16 Mar 02:30 s8 A"]
    assert twice.days("c") == ["Sun 2 Nov 01:30 s1 A", "Sun 9 Nov 01:30 s8 A"]


async def test_the_sample_book_with_its_facts(stage: Stage) -> None:
    """Weeks of it by both plans, with an owner who takes two days and one who never comes."""
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
