"""Decisions a second on one core: ``python bench/decide.py``.

A customer with ten invoices, a plan of six steps, four past actions, the working days and holidays
of France; a mix of accounts that wait, send, are held and rest. The floor, measured in the same
run, reads the same invoices and actions once and makes one answer, without any decision.
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

HOLIDAYS = "01-01 04-21 05-01 05-08 05-29 06-09 07-14 08-15 11-01 11-11 12-25"
FRANCE_2025 = frozenset(date.fromisoformat(f"2025-{day}") for day in HOLIDAYS.split())
CALENDAR = Calendar(ZoneInfo("Europe/Paris"), holidays=FRANCE_2025)
DUE = date(2025, 4, 1)
LEAST = 20_000


def plan(first_action: str) -> Plan:
    steps = {"almost due": -3, "first": 1, "second": 8, "third": 15, "call": 22, "last": 30}
    return parse_plan(
        {
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
        }
    )


def account(first_action: str, done: int) -> Account:
    """Ten invoices due a week apart; ``done`` of the four past actions are on the oldest."""
    the_plan = plan(first_action)
    return Account(
        customer_id="c",
        calendar=CALENDAR,
        plan=the_plan,
        plan_id="p",
        invoices=tuple(invoice(n) for n in (6, 3, 9, 0, 5, 8, 1, 7, 2, 4)),
        actions=tuple(past_action(n, n - 4 + done, the_plan.keys) for n in range(4)),
        contacts=(
            Contact("k1", main=True, email=True, phone=True),
            Contact("k2", position="Accounting", email=True),
        ),
    )


def invoice(n: int) -> Invoice:
    return Invoice(
        id=f"i{n}",
        number=f"INV-{1000 + n}",
        issued_on=DUE + timedelta(days=7 * n - 30),
        due_on=DUE + timedelta(days=7 * n),
        total=Decimal("1200.50") + n,
        balance=Decimal("1200.50") + n,
    )


def past_action(n: int, week: int, keys: tuple[str, ...]) -> Action:
    """In the week of that number after the due date; in a negative one, on a paid invoice."""
    return Action(
        id=f"a{n}",
        seq=n,
        invoice_id="i0" if week >= 0 else "paid",
        type=ActionType.EMAIL,
        status=ActionStatus.DONE,
        step_key=keys[max(week + 1, 0)],
        plan_id="p",
        plan_keys=keys,
        automatic=True,
        trigger_on=DUE,
        executed_on=DUE + timedelta(days=1 + 7 * week),
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
    """The best of many rounds of a millisecond or two: some of them nothing else interrupts."""
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
    print(f"{'reaches' if decisions >= LEAST else 'misses'} the goal of {LEAST:,} decisions/s")
    return 0 if decisions >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
