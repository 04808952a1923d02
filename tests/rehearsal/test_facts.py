"""Every kind of fact in a rehearsal, and the days of what follows. Paris, Monday to Friday."""

from __future__ import annotations

from collections.abc import Iterable

from tests.rehearsal.conftest import Lived, Stage, lines, plan, script

MAILS = plan("mails", "s1 email 1", "s8 email 8", "s15 email 15")
SOFT = plan("soft", "kind email 2", "kinder email 9", "kindest email 16")
CALLS = plan("calls", "talk call 1", "again call 8", "s15 email 15")
ALL = [MAILS, SOFT, CALLS]
#: Each customer has one invoice, issued on 3 February and due on Monday 3 March 2025.
ISSUED_DUE = "2025-02-03 2025-03-03"


INVOICE_CUSTOMERS = (
    "payment part bounced credited covered covered2 void moved held longer promised kept disputed"
)
INVOICE_FACTS = lines(
    """
    2025-03-05T12:00,payment,payment,PAYMENT,100.00
    2025-03-05T12:00,payment,part,PART,40.00
    2025-03-05T12:00,payment,bounced,BOUNCED,100.00
    2025-03-13T09:00,reverse_payment,bounced,BOUNCED,
    2025-03-05T12:00,credit,credited,CREDITED,
    2025-03-05T12:00,credit,covered,,100.00 EUR
    2025-03-05T12:00,credit,covered2,,99.99
    2025-03-05T12:00,void,void,VOID,Billed twice
    2025-03-05T12:00,due_date,moved,MOVED,2025-03-10
    2025-03-05T12:00,pause,held,HELD,2025-03-14
    2025-03-05T12:00,pause,longer,LONGER,
    2025-03-20T12:00,resume,longer,LONGER,
    2025-03-05T12:00,promise,promised,PROMISED,2025-03-12
    2025-03-05T12:00,promise,kept,KEPT,2025-03-12 60.00
    2025-03-06,payment,kept,KEPT,60.00
    2025-03-05T12:00,dispute,disputed,DISPUTED,Broken
    2025-03-19T15:00,settle,disputed,DISPUTED,Repaired
    """
)
FIRST, SECOND, THIRD = "Tue 4 Mar 08:30 s1", "Tue 11 Mar 08:30 s8", "Tue 18 Mar 08:30 s15"
INVOICE_DONE = {
    "payment": [FIRST],
    "part": [FIRST, SECOND, THIRD],
    "bounced": [FIRST, "Fri 14 Mar 08:30 s8", "Wed 19 Mar 08:30 s15"],
    "credited": [FIRST],
    "covered": [FIRST],
    "covered2": [FIRST, SECOND, THIRD],
    "void": [FIRST],
    "moved": [FIRST, "Tue 18 Mar 08:30 s8", "Tue 25 Mar 08:30 s15"],
    "held": [FIRST, "Fri 14 Mar 08:30 s8", "Wed 19 Mar 08:30 s15"],
    "longer": [FIRST, "Fri 21 Mar 08:30 s8", "Wed 26 Mar 08:30 s15"],
    "promised": [FIRST, "Thu 13 Mar 08:30 s8", "Tue 18 Mar 08:30 s15"],
    "kept": [FIRST, "Thu 13 Mar 08:30 s8", "Tue 18 Mar 08:30 s15"],
    "disputed": [FIRST, "Thu 20 Mar 08:30 s8", "Tue 25 Mar 08:30 s15"],
}


async def test_facts_about_an_invoice(stage: Stage) -> None:
    rows = [f"{one} {one.upper()} {ISSUED_DUE}" for one in INVOICE_CUSTOMERS.split()]
    (lived,) = await stage.live(script(ALL, "2025-02-20", "2025-03-28", *rows, facts=INVOICE_FACTS))
    assert done(lived, INVOICE_DONE) == INVOICE_DONE
    assert lived.summary.tasks["apply_credit: to_do"] == 1
    assert (lived.summary.refused, lived.violations) == ([], [])


def done(lived: Lived, customers: Iterable[str]) -> dict[str, list[str]]:
    """Day and step of each action that is done."""
    return {one: [day.rpartition(" ")[0] for day in lived.days(one)] for one in customers}


CUSTOMER_ROWS = (
    f"away A {ISSUED_DUE}",
    f"gone B {ISSUED_DUE}",
    f"skips C {ISSUED_DUE} - calls",
    f"works D {ISSUED_DUE} - calls",
    f"hidden E {ISSUED_DUE} - calls",
    f"gentle F {ISSUED_DUE}",
    f"lost G {ISSUED_DUE}",
    f"nobody H {ISSUED_DUE} - mails 100.00 none",
)
CUSTOMER_FACTS = lines(
    """
    2025-03-10T09:00,pause,away,,2025-03-17
    2025-03-05T12:00,pause,gone,,
    2025-03-17T12:00,resume,gone,,
    2025-03-05T11:00,skip,skips,,They wrote to us
    2025-03-06T16:00,complete,works,,They pay soon
    2025-03-04T09:00,pause,hidden,,2025-03-08
    2025-03-05T09:00,plan,gentle,,soft
    2025-03-10T09:00,contact_invalid,lost,,The mailbox is full
    2025-03-12T08:00,contact_valid,lost,,
    """
)
CUSTOMER_DONE = {
    "away": [FIRST, "Mon 17 Mar 08:30 s8", "Mon 24 Mar 08:30 s15"],
    "gone": [FIRST, "Tue 18 Mar 08:30 s8", "Mon 24 Mar 08:30 s15"],
    "skips": ["Sat 15 Mar 10:00 again", "Thu 20 Mar 08:30 s15"],
    "works": ["Thu 6 Mar 16:00 talk", "Sat 15 Mar 10:00 again", "Thu 20 Mar 08:30 s15"],
    "hidden": ["Sat 8 Mar 10:00 talk", "Mon 17 Mar 10:00 again", "Mon 24 Mar 08:30 s15"],
    # With its new plan it enters at the closest past step, on the first day it may be contacted.
    "gentle": [
        FIRST,
        "Mon 10 Mar 08:30 kind",
        "Mon 17 Mar 08:30 kinder",
        "Mon 24 Mar 08:30 kindest",
    ],
    "lost": [FIRST, "Thu 13 Mar 08:30 s8", THIRD],
    "nobody": [],
}


async def test_facts_about_a_customer(stage: Stage) -> None:
    (lived,) = await stage.live(
        script(
            ALL,
            "2025-02-20",
            "2025-03-28",
            *CUSTOMER_ROWS,
            facts=CUSTOMER_FACTS,
            manual_days=4,
        )
    )
    assert lived.violations == []
    assert done(lived, CUSTOMER_DONE) == CUSTOMER_DONE
    assert lived.days("skips", "skipped") == ["Wed 5 Mar 11:00 talk C"]
    assert lived.days("lost", "withdrawn") == ["Tue 11 Mar 08:30 s8 G"]
    assert lived.days("nobody", "to_do") == ["Tue 4 Mar 08:30 s1 H"]
    assert lived.summary.refused == []


async def test_a_fact_that_makes_no_sense_at_its_time_is_refused_and_changes_nothing(
    stage: Stage,
) -> None:
    facts = lines(
        """
        2025-03-05,complete,a,,
        2025-03-05,skip,a,,no reason
        2025-03-05,reverse_payment,a,A,
        2025-03-05,dispute,a,B,not issued yet
        2025-03-05,promise,a,A,2025-03-30 100.01
        """
    )
    rows = (f"a A {ISSUED_DUE}", "a B 2025-03-10 2025-04-10")
    (lived,) = await stage.live(script(ALL, "2025-02-20", "2025-03-20", *rows, facts=facts))
    assert [line.split(":")[0] for line in lived.summary.refused] == [
        f"facts line {n}" for n in range(2, 7)
    ]
    assert "not between 0 and the balance" in lived.summary.refused[-1]
    assert [d[:10].strip() for d in lived.days("a")] == ["Tue 4 Mar", "Tue 11 Mar", "Tue 18 Mar"]
    assert lived.violations == []
