"""Decisions a second on one core: ``python bench/decide.py``.

A customer with ten invoices, a plan of six steps, four past actions, the working days and holidays
of France; a mix of accounts that wait, send, are held and rest. The floor, measured in the same
run, reads the same invoices and actions once and makes one answer, and decides nothing.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).parents[1]))

from dunning.calendar import Calendar
from dunning.decide import decide
from dunning.decision import Decision, Kind
from dunning.model import Account, Action, ActionStatus, Contact, Invoice, Pause
from dunning.plan import ActionType, Plan
from plans.read import parse_plan

FRANCE_2025 = frozenset(
    date(2025, month, day)
    for month, day in (
        (1, 1), (4, 21), (5, 1), (5, 8), (5, 29), (6, 9), (7, 14), (8, 15), (11, 1), (11, 11),
        (12, 25),
    )
)  # fmt: skip
CALENDAR = Calendar(ZoneInfo("Europe/Paris"), holidays=FRANCE_2025)
DUE = date(2025, 4, 1)
LEAST = 20_000


def plan(first_action: str) -> Plan:
    steps = {"almost due": -3, "first": 1, "second": 8, "third": 15, "call": 22, "last": 30}
    return parse_plan({
        "name": "six steps",
        "first_action": first_action,
        "contact_delay_days": 5,
        "steps": [
            {
                "key": key.replace(" ", "-"),
                "name": key,
                "type": "call" if key == "call" else "email",
                "automatic": key != "call",
                "trigger": {"from": "due", "days": days},
            }
            for key, days in steps.items()
        ],
    })  # fmt: skip


def account(first_action: str, done: int) -> Account:
    """Ten invoices a week apart, in no order; on the oldest ``done`` of the four actions."""
    the_plan = plan(first_action)
    invoices = [
        Invoice(
            id=f"i{n}",
            number=f"INV-{1000 + n}",
            issued_on=DUE + timedelta(days=7 * n - 30),
            due_on=DUE + timedelta(days=7 * n),
            total=Decimal("1200.50") + n,
            balance=Decimal("1200.50") + n,
        )
        for n in (6, 3, 9, 0, 5, 8, 1, 7, 2, 4)
    ]
    actions = [
        Action(
            id=f"a{n}",
            seq=n,
            invoice_id="i0" if n >= 4 - done else "paid",
            type=ActionType.EMAIL,
            status=ActionStatus.DONE,
            step_key=the_plan.keys[max(n - 4 + done + 1, 0)],
            plan_id="p",
            plan_keys=the_plan.keys,
            automatic=True,
            trigger_on=DUE,
            executed_on=DUE + timedelta(days=1 + 7 * (n - 4 + done)),
        )
        for n in range(4)
    ]
    return Account(
        customer_id="c",
        calendar=CALENDAR,
        plan=the_plan,
        plan_id="p",
        invoices=tuple(invoices),
        actions=tuple(actions),
        contacts=(
            Contact("k1", main=True, email=True, phone=True),
            Contact("k2", position="Accounting", email=True),
        ),
    )


def accounts() -> list[tuple[Account, datetime, Kind]]:
    morning = datetime(2025, 4, 22, 5, 0, tzinfo=UTC)
    due = datetime(2025, 4, 16, 6, 30, tzinfo=UTC)
    standard, contextualized = account("standard", 2), account("contextualized", 0)
    called = account("standard", 3)
    to_do = Action("a9", 9, "i0", ActionType.CALL, ActionStatus.TO_DO, "call", "p")
    return [
        (standard, datetime(2025, 4, 10, 7, tzinfo=UTC), Kind.WAIT),
        (standard, due, Kind.SEND),
        (contextualized, datetime(2025, 4, 10, 15, tzinfo=UTC), Kind.WAIT),
        (contextualized, datetime(2025, 3, 12, 15, tzinfo=UTC), Kind.WAIT),
        (replace(called, actions=(*called.actions, to_do)), morning, Kind.AWAIT_OWNER),
        (called, datetime(2025, 4, 24, 7, tzinfo=UTC), Kind.ASSIGN),
        (replace(standard, pauses=(Pause(date(2025, 5, 1)),)), morning, Kind.WAIT),
        (standard, datetime(2025, 4, 10, 3, tzinfo=UTC), Kind.WAIT),
    ]


@dataclass(slots=True)
class Answer:
    kind: Kind
    at: datetime | None


def floor(subject: Account, now: datetime) -> Answer:
    """What any pure-Python answer costs: today's date, a look at each invoice and action."""
    today = subject.calendar.today(now)
    oldest = min((i for i in subject.invoices if i.issued_on <= today), key=lambda i: i.due_on)
    last = max((a.executed_on for a in subject.actions if a.executed_on), default=today)
    return Answer(Kind.WAIT, subject.calendar.sending_at(max(oldest.due_on, last)))


def rate(cases: list[tuple[Account, datetime, Kind]], function: object, times: int) -> float:
    """The best of many rounds of a millisecond or two, short enough to fall between what else the
    machine is doing: what a core can do."""
    assert callable(function)
    best, end = 0.0, perf_counter() + 3
    while (begin := perf_counter()) < end:
        for _ in range(times):
            for subject, now, _ in cases:
                function(subject, now)
        best = max(best, times * len(cases) / (perf_counter() - begin))
    return best


def main() -> int:
    cases = accounts()
    for subject, now, expected in cases:
        found: Decision = decide(subject, now)
        assert found.kind is expected, f"{found.kind} is not {expected} at {now}: {found.reasons}"
    decisions, least_work = rate(cases, decide, 5), rate(cases, floor, 50)
    print(f"{decisions:,.0f} decisions/s on one core (ten invoices, six steps, four past actions)")
    print(
        f"{least_work:,.0f} answers/s is the floor; a decision costs {least_work / decisions:.1f}"
    )
    print(f"{'reaches' if decisions >= LEAST else 'misses'} the {LEAST:,} decisions/s of the issue")
    return 0 if decisions >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
