"""Simulates one customer day by day in memory: each decision is carried out at once and recorded.

    life = Diary(plan(email("first", 1), call("call", 8)), start="2025-02-20")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-20")
    assert life.sent == ["Tue 4 Mar 08:30 first A"]

Times are local to the organisation. A fact that a test tells between two ``until`` holds from then.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from dunning.calendar import Calendar
from dunning.decide import decide
from dunning.decision import Decision, Kind
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
from dunning.plan import ActionType, Plan
from plans.read import parse_plan
from tests.cast.account_in_memory import AccountInMemory

PARIS = Calendar(ZoneInfo("Europe/Paris"))
ANNA = Contact("anna", main=True, email=True, phone=True, postal=True)
#: More decisions than this at one instant are an endless loop.
MOST_ROUNDS = 60


def plan(*steps: dict[str, Any], first: str = "standard", delay: int = 5, **more: Any) -> Plan:
    data = {"name": "reminders", "first_action": first, "contact_delay_days": delay} | more
    return parse_plan(data | {"steps": list(steps)})


def email(key: str, days: int | str, **more: Any) -> dict[str, Any]:
    """An automatic email; ``days`` from the due date, or a fixed date."""
    trigger = {"date": days} if isinstance(days, str) else {"from": "due", "days": days}
    return {"key": key, "type": "email", "automatic": True, "trigger": trigger} | more


def call(key: str, days: int | str, **more: Any) -> dict[str, Any]:
    return email(key, days, type="call", automatic=False, **more)


def day(text: str) -> date:
    return date.fromisoformat(text)


def instant(text: str, calendar: Calendar = PARIS) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=calendar.zone).astimezone(UTC)


class Diary(AccountInMemory):
    def __init__(
        self,
        the_plan: Plan | None,
        start: str = "2025-01-02",
        calendar: Calendar = PARIS,
        lag: timedelta = timedelta(0),
        spread: timedelta = timedelta(0),
    ) -> None:
        """``lag``: how late the customer is woken each time, as on a busy machine."""
        account = Account(
            customer_id="c",
            calendar=calendar,
            plan=the_plan,
            plan_id="p",
            contacts=(ANNA,),
            spread=spread,
        )
        super().__init__(account, instant(start, calendar))
        self.lag = lag
        self.wakes = 0

    # Time.

    def until(self, when: str | datetime) -> Decision:
        """Move the clock to then, and carry out each decision on the way; returns the last one."""
        end = instant(when, self.account.calendar) if isinstance(when, str) else when
        decision = self.settle()
        while decision.at is not None and decision.at <= end:
            assert decision.at > self.now, f"at {self.now} it waits for nothing: {decision}"
            self.now = max(self.now, min(decision.at + self.lag, end))
            self.wakes += 1
            decision = self.settle()
        self.now = max(self.now, end)
        return self.settle()

    def asleep_until(self, when: str) -> Decision:
        """An outage: no decision is made until then."""
        self.now = instant(when, self.account.calendar)
        return self.settle()

    def settle(self) -> Decision:
        """Decide and carry out, until nothing is left to do at this instant."""
        for _ in range(MOST_ROUNDS):
            decision = decide(self.account, self.now)
            self.record(decision)
            if decision.kind is Kind.SEND:
                self.send(decision)
            elif decision.kind is Kind.ASSIGN:
                self.assign(decision)
            else:
                return decision
        raise AssertionError(f"no end of it at {self.now}: {decision}")

    # Facts.

    def invoice(
        self, id_: str, due: str, total: int | str = 100, issued: str | None = None, **more: Any
    ) -> None:
        issue = day(issued) if issued else day(due) - timedelta(days=30)
        amount = Decimal(total)
        new = Invoice(id_, id_, issue, day(due), amount, amount)
        self.tell(invoices=(*self.account.invoices, replace(new, **more)))

    def pay(self, id_: str) -> None:
        self.change(id_, status=InvoiceStatus.PAID, balance=Decimal(0))

    def pause(self, id_: str | None = None, until: str | None = None) -> None:
        pauses = (Pause(day(until) if until else None),)
        if id_ is None:
            self.tell(pauses=(*self.account.pauses, *pauses))
        else:
            self.change(id_, pauses=pauses)

    def promise(self, id_: str, on: str, amount: int | None = None) -> None:
        balance = next(i.balance for i in self.account.invoices if i.id == id_)
        promised = Decimal(amount) if amount is not None else None
        new = Promise(f"promise of {id_}", day(on), promised, Decimal(0), balance)
        self.change(id_, promises=(new,))

    def contact(self, **fields: Any) -> None:
        """Set Anna's addresses from now on."""
        self.tell(contacts=tuple(replace(c, **fields) for c in self.account.contacts))

    def correct(self) -> None:
        """Correct all of Anna's addresses now."""
        for address in ("email", "phone", "postal"):
            self.fix(address)

    def fix(self, address: str) -> None:
        """Correct one of Anna's addresses now."""
        before = next(c.fixed for c in self.account.contacts if c.id == ANNA.id)
        fixed = {**before, address: (*before.get(address, ()), self.now)}
        self.contact(**{address: True, "fixed": fixed})

    def complete(self, key: str) -> None:
        """The owner completes the open action; a message is then sent by the next decision."""
        action = self.open(key)
        if action.type in (ActionType.CALL, ActionType.TASK):
            self.end(action, ActionStatus.DONE, executed_on=self.today)
        else:
            self.put(replace(action, requested=True))

    def skip(self, key: str) -> None:
        self.end(self.open(key), ActionStatus.SKIPPED)

    def bounce(self, key: str) -> None:
        """The message bounces for every recipient (rule 37)."""
        self.contact(email=False)
        found = [a for a in self.account.actions if a.step_key == key]
        action = max(found, key=lambda a: a.seq)
        self.put(replace(action, status=ActionStatus.FAILED, cause=Cause.BOUNCED))

    # Results.

    def open(self, key: str | None = None, cause: Cause | None = None) -> Action:
        found = [a for a in self.account.actions if a.status is ActionStatus.TO_DO]
        wanted = [a for a in found if a.step_key == key and cause in (None, a.cause)]
        assert len(wanted) == 1, f"{key} {cause} is not open, or twice: {found}"
        return wanted[0]

    @property
    def shown(self) -> list[str]:
        """The open actions: step, or cause of a task without one."""
        return [
            str(a.step_key or a.cause)
            for a in self.account.actions
            if a.status is ActionStatus.TO_DO
        ]

    @property
    def sent(self) -> list[str]:
        """The executed actions: "Tue 4 Mar 08:30 first A"."""
        return [line for line, action in self.lines if action.status is ActionStatus.DONE]

    @property
    def days(self) -> list[str]:
        """The executed actions without time and invoice: "Tue 4 Mar first"."""
        parts = [line.split() for line in self.sent]
        return [" ".join([*part[:3], part[4]]) for part in parts]

    @property
    def assigned(self) -> list[str]:
        return [line for line, action in self.lines if action.status is ActionStatus.TO_DO]

    @property
    def obsolete(self) -> list[str]:
        return [line for line, action in self.lines if action.status is ActionStatus.OBSOLETE]
