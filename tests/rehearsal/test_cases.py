"""C1 to C6 of the rules, to the day, on the real engine and the real database.

Monday to Friday, no holidays, 08:30, Paris.
"""

from __future__ import annotations

from tests.rehearsal.conftest import Stage, days, lines, plan, script

C1 = plan("C1", "due email 0", "first email 4", "second email 8", "third email 15")
C2 = plan(
    "C2",
    "almost email -3",
    "s1 email 1",
    "s8 email 8",
    "s15 email 15",
    "s22 email 22",
    "s40 email 40",
)
STEPS = ("s1 email 1", "s8 email 8", "s15 email 15", "s30 email 30")
STANDARD = plan("standard", *STEPS)
CONTEXTUALIZED = plan("contextualized", *STEPS, first_action="contextualized")
C5 = plan("C5", "first email 1", "second email 30")
C6 = plan("C6", "talk call 1", "letter email 2")

ROWS = lines(
    """
    c1  A1 2025-02-20 2025-03-03 -          C1
    c4s A4 2025-01-10 2025-02-03 2025-02-20 standard
    c4s B4 2025-01-10 2025-02-10 -          standard
    c4c A5 2025-01-10 2025-02-03 2025-02-20 contextualized
    c4c B5 2025-01-10 2025-02-10 -          contextualized
    c5  A6 2025-02-20 2025-03-05 -          C5
    c6  A7 2025-02-20 2025-03-03 -          C6
    """
)
FACTS = lines(
    """
    2025-03-06T08:00,contact_invalid,c5,,The mailbox is full
    2025-03-07T07:00,contact_valid,c5,,
    2025-03-06T14:10,complete,c6,,They pay next week
    """
)
#: The first days of each customer; C1 and C6 have no more.
DONE = days(
    """
    c1  Mon  3 Mar 08:30 due A1
    c1  Mon 10 Mar 08:30 first A1
    c1  Mon 17 Mar 08:30 second A1
    c1  Mon 24 Mar 08:30 third A1
    c4s Tue  4 Feb 08:30 s1 A4
    c4s Tue 11 Feb 08:30 s8 A4
    c4s Tue 18 Feb 08:30 s15 A4
    c4s Mon 24 Feb 08:30 s1 B4
    c4c Tue  4 Feb 08:30 s1 A5
    c4c Tue 11 Feb 08:30 s8 A5
    c4c Tue 18 Feb 08:30 s15 A5
    c4c Mon 24 Feb 08:30 s8 B5
    c5  Mon 10 Mar 08:30 first A6
    c6  Thu  6 Mar 14:10 talk A7
    c6  Tue 11 Mar 08:30 letter A7
    """
)
LATE_DONE = days(
    """
    c2 Mon 17 Mar 08:30 s1 A2
    c2 Mon 24 Mar 08:30 s8 A2
    c2 Mon 31 Mar 08:30 s15 A2
    c2 Mon  7 Apr 08:30 s22 A2
    c2 Mon 14 Apr 08:30 s40 A2
    c3 Tue 18 Mar 08:30 s15 A3
    c3 Mon 31 Mar 08:30 s30 A3
    """
)


async def test_c1_to_c6(stage: Stage) -> None:
    plans = [C1, STANDARD, CONTEXTUALIZED, C5, C6]
    together = script(plans, "2025-01-10", "2025-04-20", *ROWS, facts=FACTS, manual_days=None)
    second = script([C2], "2025-03-17", "2025-05-01", "c2 A2 2025-01-31 2025-02-28")
    third = script([CONTEXTUALIZED], "2025-03-18", "2025-05-01", "c3 A3 2025-01-31 2025-02-28")
    lived, late, later = await stage.live(together, second, third)
    first = {customer: lived.days(customer)[: len(some)] for customer, some in DONE.items()}
    assert first == DONE
    for customer in ("c1", "c6"):
        assert lived.days(customer) == DONE[customer]
    assert late.days("c2") == LATE_DONE["c2"]
    assert later.days("c3") == LATE_DONE["c3"]
    assert lived.days("c5", "withdrawn") == ["Thu 6 Mar 08:30 first A6"]
    assert lived.violations + late.violations + later.violations == []
    assert lived.summary.refused == []


async def test_c6_with_an_owner_who_takes_two_days(stage: Stage) -> None:
    row = "c6 A 2025-02-20 2025-03-03"
    takes_two, never = (
        script([C6], "2025-02-20", "2025-03-20", row, manual_days=days_) for days_ in (2, None)
    )
    lived, left = await stage.live(takes_two, never)
    assert lived.days("c6") == ["Thu 6 Mar 10:00 talk A", "Tue 11 Mar 08:30 letter A"]
    assert left.days("c6") == []
    assert left.days("c6", "to_do") == ["Tue 4 Mar 00:00 talk A"]
    assert lived.violations + left.violations == []
