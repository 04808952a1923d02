"""Whole lives: months of one customer, with everything that can happen to it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

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
    "pay", "reverse", "dispute", "settle", "pause", "resume", "pause all", "resume all", "promise",
    "break contact", "correct contact", "complete", "complete", "skip", "bounce", "credit", "plan",
]  # fmt: skip


class Life(Diary):
    """A diary that checks each message at the moment it leaves."""

    def _send(self, decision: Decision) -> None:
        assert_may_leave(decision, self.account, self.now)
        super()._send(decision)


def life_of(thrown: Dice) -> tuple[Life, date]:
    """A customer with one to three invoices, and the day on which it is first seen."""
    zone, odd = thrown.of(ODD_DAYS)
    start = thrown.day(odd, 40, 0)
    days = calendar(thrown, zone, odd)
    life = Life(plan(thrown, odd), start.isoformat(), days, thrown.of(LAGS))
    for n in range(thrown.number(1, 3)):
        life.invoice(f"i{n}", thrown.day(start, 20, 40).isoformat(), thrown.of([100, 200]))
    return life, start


LAGS = [timedelta(0), timedelta(milliseconds=30), timedelta(minutes=5)]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(dice, dice, st.integers(0, 12))
def test_a_life_full_of_facts(thrown: Dice, happens: Dice, facts: int) -> None:
    """Whatever happens: only what may leave leaves, each step at most once, and no wake-up in vain
    but for what time itself changes."""
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
def test_a_life_that_nothing_stops(thrown: Dice, manual_days: int) -> None:
    """Steps in order, none twice, and the whole plan is lived through to its end."""
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


def later(life: Life, day: date, hour: int) -> datetime:
    at = datetime.combine(day, time(hour), life.account.calendar.zone).astimezone(UTC)
    return max(at, life.now)


def tell(life: Life, fact: str, happens: Dice) -> None:
    """One fact, as somebody reports it at this moment."""
    invoice = happens.of(life.account.invoices)
    until = (life.today + happens.number(1, 15) * DAY).isoformat()
    open_ = [a for a in life.account.actions if a.status is ActionStatus.TO_DO and a.step_key]
    done = [a for a in life.account.actions if a.status is ActionStatus.DONE and a.step_key]
    changes: dict[str, dict[str, Any]] = {
        "pay": {"status": InvoiceStatus.PAID, "balance": Decimal(0)},
        "reverse": {"status": InvoiceStatus.OPEN, "balance": invoice.total},
        "dispute": {"disputed": True},
        "settle": {"disputed": False},
        "resume": {"pauses": ()},
    }
    if fact in changes:
        life.change(invoice.id, **changes[fact])
    elif fact == "pause":
        life.pause(invoice.id, until)
    elif fact == "pause all":
        life.pause(None, until)
    elif fact == "resume all":
        life.tell(pauses=())
    elif fact == "promise" and invoice.status is InvoiceStatus.OPEN:
        promised = Promise(f"p{life.now}", date.fromisoformat(until), balance_then=invoice.balance)
        life.change(invoice.id, promises=(promised,))
    elif fact == "break contact":
        life.contact(email=False, phone=False, postal=False)
    elif fact == "correct contact" and not life.account.contacts[0].email:
        life.correct()
    elif fact == "complete" and open_:
        life.complete(str(open_[0].step_key))
    elif fact == "skip" and open_:
        life.skip(str(open_[0].step_key))
    elif fact == "bounce" and done:
        life.bounce(str(done[-1].step_key))
    elif fact == "credit":
        life.tell(credits={"EUR": Decimal(happens.of([0, 100]))})
    elif fact == "plan":
        life.tell(plan=plan(happens, life.today))
    life.settle()


def assert_once_each(life: Life) -> None:
    executed = [
        (a.invoice_id, a.step_key, a.occurrence)
        for a in life.account.actions
        if a.status is ActionStatus.DONE and a.step_key
    ]
    assert len(executed) == len(set(executed))


def assert_in_order(life: Life, the_plan: Plan) -> None:
    """Rules 14 and 25: on each invoice in list order, and repeats in theirs."""
    for invoice in life.account.invoices:
        places = [
            (the_plan.keys.index(str(action.step_key)), action.occurrence)
            for _, action in life.lines
            if action.status is ActionStatus.DONE and action.invoice_id == invoice.id
        ]
        assert places == sorted(places)
