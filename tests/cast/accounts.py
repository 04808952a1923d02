"""Accounts of every kind for Hypothesis: any well-formed account, likely or not.

All choices are read from one string of bytes, because a hundred separate draws take ten times as
long as the decision under test. Choices shrink towards the first of each list.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from dunning.calendar import Calendar
from dunning.model import (
    Account,
    Action,
    ActionStatus,
    Cause,
    Contact,
    Invoice,
    InvoiceStatus,
    Pause,
    Promise,
)
from dunning.plan import CHANNELS, ActionType, FirstAction, Plan, Step, Trigger

#: Days around which the clocks, the date line, February or the year make a difference.
ODD_DAYS = [
    ("Europe/Paris", date(2025, 3, 30)),
    ("Europe/Paris", date(2025, 10, 26)),
    ("Europe/Paris", date(2024, 2, 29)),
    ("America/New_York", date(2025, 3, 9)),
    ("America/New_York", date(2025, 11, 2)),
    ("Australia/Lord_Howe", date(2025, 4, 6)),
    ("Australia/Lord_Howe", date(2025, 10, 5)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Asia/Beirut", date(2025, 3, 30)),
    ("Asia/Beirut", date(2025, 10, 26)),
    ("America/Santiago", date(2025, 4, 5)),
    ("America/Santiago", date(2025, 9, 7)),
    ("America/St_Johns", date(2010, 11, 7)),
    ("Pacific/Kiritimati", date(2025, 12, 31)),
]
ZONES = {name: ZoneInfo(name) for name, _ in ODD_DAYS}
SENDING_TIMES = [time(8, 30), time(0, 0), time(2, 15), time(12, 0), time(17, 30), time(23, 45)]
WEEKS = [frozenset(range(5)), frozenset({6, 0, 1, 2, 3}), frozenset(range(7)), frozenset({2})]
ENDED = [ActionStatus.SKIPPED, ActionStatus.WITHDRAWN, ActionStatus.OBSOLETE, ActionStatus.FAILED]
KEYS = ["s0", "s1", "s2", "s3", "s4"]
T = TypeVar("T")


class Dice:
    def __init__(self, thrown: bytes) -> None:
        self._left = list(reversed(thrown))

    def number(self, least: int, most: int) -> int:
        """``least`` when no bytes are left."""
        return least + (self._left.pop() if self._left else 0) % (most - least + 1)

    def of(self, things: Sequence[T]) -> T:
        return things[self.number(0, len(things) - 1)]

    def day(self, day: date, before: int, after: int) -> date:
        return day + timedelta(days=self.number(-before, after))

    def some(self, things: Sequence[T]) -> list[T]:
        """At least one of them, in another order."""
        left = list(things)
        return [left.pop(self.number(0, len(left) - 1)) for _ in range(self.number(1, len(left)))]

    def yes(self, in_so_many: int = 2) -> bool:
        return self.number(1, in_so_many) == in_so_many


def calendar(dice: Dice, zone: str, day: date) -> Calendar:
    return Calendar(
        ZONES[zone],
        sending_time=dice.of(SENDING_TIMES),
        cut_off=dice.of([time(17, 0), time(9, 0), time(23, 59)]),
        working_days=dice.of(WEEKS),
        holidays=frozenset(dice.day(day, 6, 12) for _ in range(dice.number(0, 5))),
    )


def step(dice: Dice, key: str, day: date) -> Step:
    type_ = dice.of([ActionType.EMAIL] * 5 + list(ActionType))
    base = dice.of(["due", "due", "due", "issue", "date"])
    trigger = Trigger(base, dice.number(0 if base == "issue" else -12, 20))
    if base == "date":
        trigger = Trigger(base, on=dice.day(day, 10, 10))
    recipients = dice.of([("main",), ("main", "others"), ("position:boss",)])
    return Step(
        key=key,
        name=f"step {key} {{}}",
        type=type_,
        automatic=type_ in CHANNELS and not dice.yes(3),
        trigger=trigger,
        contact_delay_days=dice.of([0, 0, 1, 3, 5, 30]),
        repeat_every_days=dice.of([None, None, None, 1, 4]),
        repeat_limit=dice.of([None, 0, 2]),
        recipients=("main",) if type_ is ActionType.SMS else recipients,
    )


def plan(dice: Dice, day: date) -> Plan:
    return Plan(
        name="{any} plan",
        first_action=dice.of(list(FirstAction)),
        contact_delay_days=5,
        tasks_count=dice.yes(),
        steps=tuple(step(dice, key, day) for key in dice.some(KEYS)),
    )


def invoice(dice: Dice, number: int, day: date, wild: bool) -> Invoice:
    due = dice.day(day, 30, 8)
    total = Decimal(dice.of([100, 100, 100, 250, 0, -50]))
    odd = wild and dice.yes(2)
    return Invoice(
        id=f"i{number}",
        number=f"INV-{{{number}}}",
        issued_on=due - timedelta(days=dice.of([0, 14, 30])),
        due_on=due,
        total=total,
        balance=dice.of([total, Decimal(10), Decimal(0)]) if odd else total,
        currency=dice.of(["EUR", "EUR", "USD"]),
        status=dice.of(list(InvoiceStatus)) if odd else InvoiceStatus.OPEN,
        disputed=odd and dice.yes(3),
        pauses=pauses(dice, day) if odd else (),
        promises=promises(dice, number, day) if odd else (),
    )


def pauses(dice: Dice, day: date) -> tuple[Pause, ...]:
    return tuple(
        Pause(None if dice.yes(4) else dice.day(day, 3, 5)) for _ in range(dice.number(0, 2))
    )


def promises(dice: Dice, number: int, day: date) -> tuple[Promise, ...]:
    return tuple(
        Promise(
            id=f"p{number}.{n}",
            promised_on=dice.day(day, 3, 5),
            amount=dice.of([None, Decimal(50)]),
            paid=dice.of([Decimal(0), Decimal(20), Decimal(50)]),
            balance_then=Decimal(100),
        )
        for n in range(dice.number(0, 2))
    )


def action(dice: Dice, number: int, day: date, now: datetime, wild: bool) -> Action:
    status = dice.of([ActionStatus.DONE] * 4 + [*ENDED, *ActionStatus] * wild)
    on = dice.day(day, 12, 0)
    type_ = dice.of(list(ActionType))
    instants = [None, now, now - timedelta(hours=2), now + timedelta(hours=2)]
    return Action(
        id=f"a{number}",
        seq=dice.number(0, 9),
        invoice_id=dice.of(["i0", "i0", "i1", "i2", "gone"]),
        type=type_,
        status=status,
        step_key=dice.of([*KEYS, "deleted", None]),
        plan_id=dice.of(["p", "p", "q"]),
        plan_keys=tuple(dice.some([*KEYS, "deleted"])),
        occurrence=dice.of([0, 0, 1]),
        attempt=dice.number(0, 2),
        automatic=type_ in CHANNELS and dice.yes(),
        requested=status is ActionStatus.TO_DO and dice.yes(),
        planned_for=dice.of(instants),
        trigger_on=dice.of([None, dice.day(day, 8, 2)]),
        executed_on=on if status in (ActionStatus.DONE, ActionStatus.FAILED) else None,
        ended_on=on,
        deadline=dice.of(instants) if status is ActionStatus.SENDING else None,
        shown_at=dice.of(instants),
        unknown=status is ActionStatus.SENDING and dice.yes(),
        cause=dice.of([None, None, None, *Cause]),
    )


def contact(dice: Dice, number: int, now: datetime) -> Contact:
    return Contact(
        id=f"c{number}",
        main=number == 0,
        position=dice.of(["", "boss"]),
        email=not dice.yes(5),
        phone=dice.yes(),
        postal=dice.yes(),
        fixed={
            "email": tuple(
                sorted(now - timedelta(hours=dice.number(0, 99)) for _ in range(dice.number(0, 2)))
            )
        },
    )


def situation(thrown: bytes) -> tuple[Account, datetime]:
    """Any account, and an instant near an odd day of its zone."""
    dice = Dice(thrown)
    wild = dice.yes()  # else without anything that stops a sequence
    zone, odd = dice.of(ODD_DAYS)
    days = calendar(dice, zone, odd)
    spread = dice.of([timedelta(0), timedelta(minutes=17), timedelta(hours=3)])
    day = dice.day(odd, 3, 3)
    minutes = timedelta(hours=dice.number(0, 23), minutes=dice.number(0, 59))
    now = dice.of([days.sending_at(day, spread), days.start_of(day) + minutes])
    day = days.today(now)
    account = Account(
        customer_id="c",
        calendar=days,
        plan=None if dice.yes(20) else plan(dice, day),
        plan_id="p",
        invoices=tuple(invoice(dice, n, day, wild) for n in range(dice.number(0, 4))),
        actions=tuple(action(dice, n, day, now, wild) for n in range(dice.number(0, 4))),
        contacts=tuple(contact(dice, n, now) for n in range(dice.of([2, 1, 2, 0]))),
        pauses=pauses(dice, day) if wild and dice.yes(5) else (),
        credits={"EUR": Decimal(100)} if wild and dice.yes(5) else {},
        tolerance=dice.of([Decimal(0), Decimal(0), Decimal(10)]),
        contextualized_invoice_id=dice.of([None, None, "i0"]),
        spread=spread,
        held_until=dice.of([None, None, dice.day(day, 3, 4)]),
    )
    return account, now


situations = st.binary(min_size=280, max_size=280).map(situation)
dice = st.binary(min_size=100, max_size=100).map(Dice)
