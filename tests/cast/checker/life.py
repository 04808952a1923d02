"""The checker's simulation of one customer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from books.facts import Fact, FactKind
from tests.cast.checker.course import Course
from tests.cast.checker.data import (
    DAY,
    MIDNIGHT,
    TEN,
    ActionRow,
    Invoice,
    OpenAction,
    Step,
    WorkedStep,
)
from tests.cast.checker.plainly import hours


class Life(Course):
    """``wrong``: one line for each violation of the rules by the rehearsal."""

    def live(self, happenings: list[tuple[datetime, int, Any]]) -> None:
        moments = {at for at, _, _ in happenings} | {row.at for row in self.rows}
        day = min(moments, default=self.now).date()
        while day <= self.setting.until:
            moments |= {datetime.combine(day, MIDNIGHT), self.sending(day)}
            moments.add(datetime.combine(day, TEN))
            day += DAY
        queue = list(happenings)
        for self.now in sorted(moments):
            if self.sent_today and self.last != self.now.date():
                self.sent_today = []
            while queue and queue[0][0] <= self.now:
                self.happen(*queue.pop(0)[2])
            rows = [row for row in self.rows if row.at == self.now]
            stopped = {row.place: self.not_now(row) for row in rows}
            self.settle()
            for row in rows:
                if stopped[row.place] or not row.used:
                    self.wrong.append(f"{row}: {stopped[row.place] or self.not_asked_for(row)}")
        if self.open and self.open.row is None:
            self.wrong.append(f"{self._shown(self.open)} is not there as open")

    def apply(self, fact: Fact) -> bool:
        if fact.kind not in (FactKind.COMPLETE, FactKind.SKIP):
            return super().apply(fact)
        if not self.known or (fact.invoice and fact.invoice not in self.invoices):
            return False
        invoice = self.invoices.get(fact.invoice)
        if invoice and fact.currency and fact.currency != invoice.currency:
            return False
        return self.work(executed=fact.kind is FactKind.COMPLETE)

    def settle(self) -> None:
        """At this moment withdraw what lost its reason, and send or assign what is due."""
        self.promises()
        self.withdraw()
        while self.act():
            pass
        if self.owner_works() and self.work(executed=True):
            while self.act():
                pass
        carrying = self.carrying()
        self.carried = carrying.key if carrying else None

    def promises(self) -> None:
        for invoice in self.invoices.values():
            if invoice.promised and (invoice.void or self.balance(invoice) <= 0):
                invoice.promised = None  # it was kept, or its invoice is closed (40)

    def withdraw(self) -> None:
        if self.open is None:
            return
        carrying, opened = self.carrying(), self.open
        fixed = opened.no_recipient and self.reachable(opened.step)
        stays = carrying is not None and carrying.key == opened.invoice and not fixed
        if stays and carrying and opened.plan == self.plan.name and not self.covered(carrying):
            return
        if opened.row is None or opened.row.status != "withdrawn":
            what = f"{opened.invoice} {opened.step.key}, shown on {opened.shown}"
            self.wrong.append(f"{self.name} {what}: not withdrawn on {self.now} (27)")
        self.open = None

    def act(self) -> bool:
        """Whether something was sent, so that more may follow at once."""
        carrying = self.carrying()
        if self.open or carrying is None or self.paused(self.pauses) or self.covered(carrying):
            return False
        coming = self.next(carrying)
        if coming is None:
            return False
        step, occurrence, day = coming
        if day != self.now.date():
            return False
        leaves = step.automatic and self.reachable(step)
        if step.automatic and self.now < self.sending(day):
            return False
        if not leaves:
            self.show(carrying, step, occurrence)
            return False
        row = self.find(carrying.key, step.key, "done")
        if row is None or not row.automatic:
            name = (carrying.key, step.key, occurrence)
            if name not in self.missed:
                self.missed.add(name)
                due = f"{step.key} on {self.now:%a %Y-%m-%d %H:%M}"
                self.wrong.append(
                    f"{self.name} {carrying.key} was to be reached by {due}, and was not"
                )
            return False
        row.used = True
        forbidden = hours(row, self.setting)
        if forbidden:
            self.wrong.append(f"{row}: {forbidden}")
        self.contact(carrying, step, occurrence, executed=True)
        self.sent_today.append((carrying.key, self.trigger(step, carrying), step.key))
        return True

    def show(self, invoice: Invoice, step: Step, occurrence: int) -> None:
        row = self.find(invoice.key, step.key, "to_do", "withdrawn")
        if row is not None:
            row.used = True
        if step.automatic:
            invoice.waited.add((step.key, occurrence))
        self.open = OpenAction(
            invoice.key, step, occurrence, self.plan.name, self.now, step.automatic, row
        )

    def owner_works(self) -> bool:
        """``--manual-days``: at 10:00 that many days after it was assigned, unless hidden (39)."""
        opened, days = self.open, self.setting.manual_days
        if opened is None or opened.no_recipient or days is None or self.paused(self.pauses):
            return False
        day = opened.shown.date() + days * DAY
        first = max(datetime.combine(day, TEN), opened.shown)
        return self.now == first or (self.now > first and self.now.time() == TEN)

    def work(self, *, executed: bool) -> bool:
        """Its owner completes or skips the open action now; False = none is open."""
        opened, self.open = self.open, None
        if opened is None:
            return False
        status = "done" if executed else "skipped"
        row = self.find(opened.invoice, opened.step.key, status)
        if row is None or opened.row is not None:
            self.wrong.append(f"{self._shown(opened)} is not {status} on {self.now}")
        if row is not None:
            row.used = True
        self.contact(self.invoices[opened.invoice], opened.step, opened.occurrence, executed)
        return True

    def contact(self, invoice: Invoice, step: Step, occurrence: int, executed: bool) -> None:
        today = self.now.date()
        invoice.worked.append(WorkedStep(self.plan.name, step, occurrence, today, executed))
        if executed and (step.type != "task" or self.plan.tasks_count):
            self.last = today

    def find(self, invoice: str, step: str, *statuses: str) -> ActionRow | None:
        for row in self.rows:
            here = row.at == self.now and (row.invoice, row.step) == (invoice, step)
            if here and not row.used and row.status in statuses:
                return row
        return None

    def _shown(self, opened: OpenAction) -> str:
        return f"{self.name} {opened.invoice} {opened.step.key}, shown on {opened.shown},"

    def not_now(self, row: ActionRow) -> str:
        """Why no action on this invoice is allowed at this moment; "" = it is allowed."""
        invoice = self.invoices.get(row.invoice)
        if invoice is None:
            return "the customer has no such invoice"
        if row.status == "obsolete":
            row.used = any(self.pre_due(s, invoice) for s in self.plan.steps if s.key == row.step)
            return "" if row.used else "only a step before the due date is passed over (15)"
        if self.paused(self.pauses):
            return "the customer is paused (38)"
        stopped = self.stopped(invoice)
        if stopped:
            return f"{invoice.key} {stopped}"
        carrying = self.carrying()
        if carrying is not None and carrying.key != row.invoice:
            return f"{carrying.key} carries, not {row.invoice} (2)"
        if self.covered(invoice):
            return "unapplied credit covers it (42)"
        return ""

    def not_asked_for(self, row: ActionRow) -> str:
        if row.automatic and row.status == "done" and (forbidden := hours(row, self.setting)):
            return forbidden
        carrying = self.carrying()
        coming = self.next(carrying) if carrying and not self.open else None
        if self.open:
            return f"{self.open.step.key} is open since {self.open.shown} (27)"
        if coming is None:
            return "nothing is to come"
        return f"to come is {coming[0].key} on {coming[2]}"
