"""One customer, lived day by day in memory: what ``decide`` answers is done, and written down.

    life = Diary(plan(email("first", 1), call("call", 8)), start="2025-02-20")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-20")
    assert life.sent == ["Tue 4 Mar 08:30 first A"]

Times are local to the organisation. Between two ``until`` a test tells facts: they hold from there.
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

PARIS = Calendar(ZoneInfo("Europe/Paris"))
ANNA = Contact("anna", main=True, email=True, phone=True, postal=True)
#: More decisions than this at one instant would be a loop.
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


class Diary:
    def __init__(
        self,
        the_plan: Plan | None,
        start: str = "2025-01-02",
        calendar: Calendar = PARIS,
        lag: timedelta = timedelta(0),
        spread: timedelta = timedelta(0),
    ) -> None:
        """``lag``: how late the customer is woken each time, as on a busy machine."""
        self.account = Account(
            customer_id="c",
            calendar=calendar,
            plan=the_plan,
            plan_id="p",
            contacts=(ANNA,),
            spread=spread,
        )
        self.now = instant(start, calendar)
        self.lag = lag
        self.lines: list[tuple[str, Action]] = []  # executed and shown, as the time goes by
        self.outcomes: list[str] = []
        self.withdrawn: list[str] = []
        self.wakes = 0

    # What happens by itself.

    def until(self, when: str | datetime) -> Decision:
        """Live until then, doing what is decided on the way; what is decided there."""
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
        """An outage: nothing at all happens until then."""
        self.now = instant(when, self.account.calendar)
        return self.settle()

    def settle(self) -> Decision:
        """Decide and do, until there is nothing left to do at this instant."""
        for _ in range(MOST_ROUNDS):
            decision = decide(self.account, self.now)
            self._record(decision)
            if decision.kind is Kind.SEND:
                self._send(decision)
            elif decision.kind is Kind.ASSIGN:
                self._assign(decision)
            else:
                return decision
        raise AssertionError(f"no end of it at {self.now}: {decision}")

    # What is told.

    @property
    def today(self) -> date:
        return self.account.calendar.today(self.now)

    def tell(self, **account: Any) -> None:
        self.account = replace(self.account, **account)

    def invoice(
        self, id_: str, due: str, total: int | str = 100, issued: str | None = None, **more: Any
    ) -> None:
        issue = day(issued) if issued else day(due) - timedelta(days=30)
        amount = Decimal(total)
        new = Invoice(id_, id_, issue, day(due), amount, amount)
        self.tell(invoices=(*self.account.invoices, replace(new, **more)))

    def change(self, id_: str, **fields: Any) -> None:
        found = [replace(i, **fields) if i.id == id_ else i for i in self.account.invoices]
        self.tell(invoices=tuple(found))

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
        """Anna's addresses, as they are from now on."""
        self.tell(contacts=tuple(replace(c, **fields) for c in self.account.contacts))

    def correct(self) -> None:
        """All of Anna's addresses, once more."""
        for address in ("email", "phone", "postal"):
            self.fix(address)

    def fix(self, address: str) -> None:
        """One of Anna's addresses is corrected now."""
        before = next(c.fixed for c in self.account.contacts if c.id == ANNA.id)
        fixed = {**before, address: (*before.get(address, ()), self.now)}
        self.contact(**{address: True, "fixed": fixed})

    def complete(self, key: str) -> None:
        """Its owner completes an open action; a message leaves through the same path."""
        action = self.open(key)
        if action.type in (ActionType.CALL, ActionType.TASK):
            self._end(action, ActionStatus.DONE, executed_on=self.today)
        else:
            self._put(replace(action, requested=True))

    def skip(self, key: str) -> None:
        self._end(self.open(key), ActionStatus.SKIPPED)

    def bounce(self, key: str) -> None:
        """The message comes back from every recipient (rule 37)."""
        self.contact(email=False)
        found = [a for a in self.account.actions if a.step_key == key]
        action = max(found, key=lambda a: a.seq)
        self._put(replace(action, status=ActionStatus.FAILED, cause=Cause.BOUNCED))

    def act(self, **fields: Any) -> None:
        """An action from elsewhere: ``act(status=…, type=…)``."""
        seq = self._next()
        new = Action(f"a{seq}", seq, "", ActionType.EMAIL, ActionStatus.DONE, plan_id="p")
        self._put(replace(new, **fields))

    # What can be read.

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
        """What was executed: "Tue 4 Mar 08:30 first A"."""
        return [line for line, action in self.lines if action.status is ActionStatus.DONE]

    @property
    def days(self) -> list[str]:
        """The same without time and invoice: "Tue 4 Mar first"."""
        parts = [line.split() for line in self.sent]
        return [" ".join([*part[:3], part[4]]) for part in parts]

    @property
    def assigned(self) -> list[str]:
        return [line for line, action in self.lines if action.status is ActionStatus.TO_DO]

    @property
    def obsolete(self) -> list[str]:
        return [line for line, action in self.lines if action.status is ActionStatus.OBSOLETE]

    # How it is done.

    def _record(self, decision: Decision) -> None:
        for gone in decision.withdraw:
            action = next(a for a in self.account.actions if a.id == gone.action_id)
            self._end(action, ActionStatus.WITHDRAWN)
            self.withdrawn.append(f"{action.step_key or action.cause}: {gone.text}")
        for ended in decision.promises:
            self.outcomes.append(f"{ended.outcome} on {self.today}")
            kept = next(i for i in self.account.invoices if i.id == ended.invoice_id).promises
            left = tuple(p for p in kept if p.id != ended.promise_id)
            self.change(ended.invoice_id, promises=left)
        for task in decision.tasks:
            if not any(
                a.cause is task.cause and a.invoice_id == task.invoice_id
                for a in self.account.actions
                if a.status in (ActionStatus.TO_DO, ActionStatus.DONE, ActionStatus.SKIPPED)
            ):
                self.act(
                    invoice_id=task.invoice_id,
                    type=ActionType.TASK,
                    status=ActionStatus.TO_DO,
                    cause=task.cause,
                )
        self._plan_ahead(decision)
        for key in decision.pass_over:
            self._new(decision, ActionStatus.OBSOLETE, step_key=key, occurrence=0, attempt=0)

    def _plan_ahead(self, decision: Decision) -> None:
        """Keep the one planned action that the decision names; rule 21 needs to know it."""
        kept = [a for a in self.account.actions if a.status is not ActionStatus.PLANNED]
        planned = [a for a in self.account.actions if a.status is ActionStatus.PLANNED]
        same = [a for a in planned if self._is_of(a, decision)]
        self.tell(actions=tuple(kept + same[:1]))
        if decision.kind is Kind.WAIT and decision.automatic:
            if same:
                self._put(replace(same[0], planned_for=decision.due))
            else:
                self._new(decision, ActionStatus.PLANNED, planned_for=decision.due)

    def _is_of(self, action: Action, decision: Decision) -> bool:
        wanted = (decision.invoice_id, decision.step_key, decision.occurrence, self.account.plan_id)
        return wanted == (action.invoice_id, action.step_key, action.occurrence, action.plan_id)

    def _send(self, decision: Decision) -> None:
        if decision.action_id is not None:
            action = next(a for a in self.account.actions if a.id == decision.action_id)
        else:
            action = self._planned(decision)
        self._end(action, ActionStatus.DONE, executed_on=self.today)

    def _assign(self, decision: Decision) -> None:
        action = replace(self._planned(decision), status=ActionStatus.TO_DO, cause=decision.cause,
                         shown_at=self.now)  # fmt: skip
        self._put(action)
        self._write(action)

    def _planned(self, decision: Decision) -> Action:
        for action in self.account.actions:
            if action.status is ActionStatus.PLANNED and self._is_of(action, decision):
                return action
        return self._new(decision, ActionStatus.PLANNED)

    def _new(self, decision: Decision, status: ActionStatus, **more: Any) -> Action:
        assert self.account.plan is not None
        assert decision.invoice_id is not None
        key: Any = more.get("step_key", decision.step_key)
        step = self.account.plan.step(key)
        action = Action(
            id=f"a{self._next()}",
            seq=self._next(),
            invoice_id=decision.invoice_id,
            type=step.type,
            status=status,
            step_key=key,
            plan_id=self.account.plan_id,
            plan_keys=self.account.plan.keys,
            occurrence=decision.occurrence,
            attempt=decision.attempt,
            automatic=step.automatic,
            trigger_on=decision.trigger_on,
        )
        action = replace(action, **more)
        self._put(action)
        if status is ActionStatus.OBSOLETE:
            self._write(action)
        return action

    def _end(self, action: Action, status: ActionStatus, **more: Any) -> None:
        ended = replace(action, status=status, ended_on=self.today, **more)
        self._put(ended)
        if status is ActionStatus.DONE:
            self._write(ended)

    def _put(self, action: Action) -> None:
        others = tuple(a for a in self.account.actions if a.id != action.id)
        self.tell(actions=(*others, action))

    def _next(self) -> int:
        return 1 + max((a.seq for a in self.account.actions), default=0)

    def _write(self, action: Action) -> None:
        at = self.now.astimezone(self.account.calendar.zone)
        what = str(action.step_key or action.cause)
        if action.occurrence:
            what += f"#{action.occurrence}"
        self.lines.append((f"{at:%a} {at.day} {at:%b %H:%M} {what} {action.invoice_id}", action))
