"""Property tests over months of one customer, with random facts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dunning.decision import Decision, Kind
from dunning.model import ActionStatus, Cause, InvoiceStatus, Promise
from dunning.plan import Plan
from tests.cast.accounts import ODD_DAYS, Dice, calendar, dice, plan
from tests.cast.diary import Diary
from tests.cast.sound_decisions import assert_may_leave, oldest

DAY = timedelta(days=1)
FACTS = [
    "pay",
    "reverse",
    "dispute",
    "settle",
    "pause",
    "resume",
    "pause all",
    "resume all",
    "promise",
    "break contact",
    "correct contact",
    "complete",
    "complete",
    "skip",
    "bounce",
    "credit",
    "plan",
]


class CheckedDiary(Diary):
    """A diary that checks each message at the moment it leaves."""

    def send(self, decision: Decision) -> None:
        assert_may_leave(decision, self.account, self.now)
        super().send(decision)


def life_of(thrown: Dice) -> tuple[CheckedDiary, date]:
    """A customer with one to three invoices, and the day on which it is first seen."""
    zone, odd = thrown.of(ODD_DAYS)
    start = thrown.day(odd, 40, 0)
    days = calendar(thrown, zone, odd)
    life = CheckedDiary(plan(thrown, odd), start.isoformat(), days, thrown.of(LAGS))
    for n in range(thrown.number(1, 3)):
        life.invoice(f"i{n}", thrown.day(start, 20, 40).isoformat(), thrown.of([100, 200]))
    return life, start


LAGS = [timedelta(0), timedelta(milliseconds=30), timedelta(minutes=5)]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(dice, dice, st.integers(0, 12))
def test_random_facts_never_break_a_rule(thrown: Dice, happens: Dice, facts: int) -> None:
    """Only what may leave leaves, each step at most once, and the number of wake-ups is bounded by
    the number of facts and actions."""
    life, day = life_of(thrown)
    for _ in range(facts):
        day += happens.number(0, 12) * DAY
        life.until(later(life, day, happens.number(0, 23)))
        tell(life, happens.of(FACTS), happens)
    life.until(later(life, day + 40 * DAY, 12))
    assert_once_each(life)
    assert life.wakes <= 12 + 4 * (len(life.account.actions) + facts), "it wakes in vain"


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(dice, st.integers(0, 3))
def test_an_undisturbed_plan_is_executed_in_order(thrown: Dice, manual_days: int) -> None:
    """Steps run in order, none twice, to the end of the plan."""
    life, day = life_of(thrown)
    the_plan = life.account.plan
    assert the_plan is not None
    end = later(life, day + 220 * DAY, 10)
    while life.now < end:
        decision = life.settle()
        if decision.kind is Kind.AWAIT_OWNER and decision.step_key is not None:
            life.until(later(life, life.today + manual_days * DAY, 10))
            life.complete(decision.step_key)
        else:
            life.until(min(decision.at or end, end))
    assert_once_each(life)
    assert_in_order(life, the_plan)
    carrier = oldest(life.account, life.today)
    assert carrier is not None
    endless = any(s.repeat_every_days and s.repeat_limit is None for s in the_plan.steps)
    assert endless or life.shown == [Cause.EXHAUSTED]
    for step in the_plan.steps:
        if step.trigger.date_for(carrier.issued_on, carrier.due_on) > carrier.due_on:
            assert life.sent, "an overdue invoice was never reached"


def later(life: CheckedDiary, day: date, hour: int) -> datetime:
    at = datetime.combine(day, time(hour), life.account.calendar.zone).astimezone(UTC)
    return max(at, life.now)


def tell(life: CheckedDiary, fact: str, happens: Dice) -> None:
    """Report one fact now; a fact that makes no sense at this moment is left out."""
    invoice = happens.of(life.account.invoices)
    until = (life.today + happens.number(1, 15) * DAY).isoformat()
    promised = Promise(f"p{life.now}", date.fromisoformat(until), balance_then=invoice.balance)
    opened = [a for a in life.account.actions if a.status is ActionStatus.TO_DO and a.step_key]
    done = [a for a in life.account.actions if a.status is ActionStatus.DONE and a.step_key]
    possible = {
        "promise": invoice.status is InvoiceStatus.OPEN,
        "correct contact": not life.account.contacts[0].email,
        "complete": bool(opened),
        "skip": bool(opened),
        "bounce": bool(done),
    }
    told: dict[str, Callable[[], object]] = {
        "pay": lambda: life.pay(invoice.id),
        "reverse": lambda: life.change(
            invoice.id, status=InvoiceStatus.OPEN, balance=invoice.total
        ),
        "dispute": lambda: life.change(invoice.id, disputed=True),
        "settle": lambda: life.change(invoice.id, disputed=False),
        "resume": lambda: life.change(invoice.id, pauses=()),
        "pause": lambda: life.pause(invoice.id, until),
        "pause all": lambda: life.pause(None, until),
        "resume all": lambda: life.tell(pauses=()),
        "promise": lambda: life.change(invoice.id, promises=(promised,)),
        "break contact": lambda: life.contact(email=False, phone=False, postal=False),
        "correct contact": life.correct,
        "complete": lambda: life.complete(str(opened[0].step_key)),
        "skip": lambda: life.skip(str(opened[0].step_key)),
        "bounce": lambda: life.bounce(str(done[-1].step_key)),
        "credit": lambda: life.tell(credits={"EUR": Decimal(happens.of([0, 100]))}),
        "plan": lambda: life.tell(plan=plan(happens, life.today)),
    }
    if possible.get(fact, True):
        told[fact]()
    life.settle()


def assert_once_each(life: CheckedDiary) -> None:
    executed = [
        (a.invoice_id, a.step_key, a.occurrence)
        for a in life.account.actions
        if a.status is ActionStatus.DONE and a.step_key
    ]
    assert len(executed) == len(set(executed))


def assert_in_order(life: CheckedDiary, the_plan: Plan) -> None:
    """Rules 14 and 25: on each invoice in list order, and repeats in theirs."""
    for invoice in life.account.invoices:
        places = [
            (the_plan.keys.index(str(action.step_key)), action.occurrence)
            for _, action in life.lines
            if action.status is ActionStatus.DONE and action.invoice_id == invoice.id
        ]
        assert places == sorted(places)
