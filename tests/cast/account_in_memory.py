"""Carries out decisions on an account in memory, for ``tests.cast.diary``."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from dunning.decision import Decision, Kind
from dunning.model import Account, Action, ActionStatus
from dunning.plan import ActionType


class AccountInMemory:
    """An account, the time, and one line for each action that was executed or assigned."""

    def __init__(self, account: Account, now: datetime) -> None:
        self.account = account
        self.now = now
        self.lines: list[tuple[str, Action]] = []
        self.outcomes: list[str] = []
        self.withdrawn: list[str] = []

    @property
    def today(self) -> date:
        return self.account.calendar.today(self.now)

    def tell(self, **account: Any) -> None:
        """Change fields of the account from now on."""
        self.account = replace(self.account, **account)

    def change(self, id_: str, **fields: Any) -> None:
        """Change fields of an invoice from now on."""
        found = [replace(i, **fields) if i.id == id_ else i for i in self.account.invoices]
        self.tell(invoices=tuple(found))

    def act(self, **fields: Any) -> None:
        """Add an action that no decision made: ``act(status=…, type=…)``."""
        seq = self._next()
        new = Action(f"a{seq}", seq, "", ActionType.EMAIL, ActionStatus.DONE, plan_id="p")
        self.put(replace(new, **fields))

    def record(self, decision: Decision) -> None:
        for gone in decision.withdraw:
            action = next(a for a in self.account.actions if a.id == gone.action_id)
            self.end(action, ActionStatus.WITHDRAWN)
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
        """Keep only the planned action that the decision names; rule 21 reads it."""
        kept = [a for a in self.account.actions if a.status is not ActionStatus.PLANNED]
        planned = [a for a in self.account.actions if a.status is ActionStatus.PLANNED]
        same = [a for a in planned if self._is_of(a, decision)]
        self.tell(actions=tuple(kept + same[:1]))
        if decision.kind is Kind.WAIT and decision.automatic:
            if same:
                self.put(replace(same[0], planned_for=decision.due))
            else:
                self._new(decision, ActionStatus.PLANNED, planned_for=decision.due)

    def _is_of(self, action: Action, decision: Decision) -> bool:
        wanted = (decision.invoice_id, decision.step_key, decision.occurrence, self.account.plan_id)
        return wanted == (action.invoice_id, action.step_key, action.occurrence, action.plan_id)

    def send(self, decision: Decision) -> None:
        if decision.action_id is not None:
            action = next(a for a in self.account.actions if a.id == decision.action_id)
        else:
            action = self._planned(decision)
        self.end(action, ActionStatus.DONE, executed_on=self.today)

    def assign(self, decision: Decision) -> None:
        action = replace(
            self._planned(decision),
            status=ActionStatus.TO_DO,
            cause=decision.cause,
            shown_at=self.now,
        )
        self.put(action)
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
        self.put(action)
        if status is ActionStatus.OBSOLETE:
            self._write(action)
        return action

    def end(self, action: Action, status: ActionStatus, **more: Any) -> None:
        ended = replace(action, status=status, ended_on=self.today, **more)
        self.put(ended)
        if status is ActionStatus.DONE:
            self._write(ended)

    def put(self, action: Action) -> None:
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
