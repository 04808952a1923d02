"""The next step and its day, by the rules."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.cast.checker.data import (
    DAY,
    Invoice,
    Step,
)
from tests.cast.checker.facts import Facts


class Course(Facts):
    """The steps that the plan asks for at the moment ``now``."""

    def sending(self, day: date) -> datetime:
        """The sending time of a day; a time that does not exist moves to the next that does
        (23)."""
        zone = ZoneInfo(self.setting.timezone)
        at = datetime.combine(day, self.setting.sending_time)
        while at.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != at:
            at += timedelta(minutes=1)
        return at

    def working(self, day: date) -> bool:
        return day.weekday() in self.setting.working_days and day not in self.setting.holidays

    def trigger(self, step: Step, invoice: Invoice) -> date:
        on = step.trigger.get("date")
        if on is not None:
            return on if isinstance(on, date) else date.fromisoformat(on)
        base = self.due(invoice) if step.trigger["from"] == "due" else invoice.issued
        return base + timedelta(days=step.trigger.get("days", 0))

    def pre_due(self, step: Step, invoice: Invoice) -> bool:
        return self.trigger(step, invoice) <= self.due(invoice)

    def day_of(self, invoice: Invoice, step: Step, occurrence: int, base: date) -> date | None:
        """The day, from today on, on which it is sent or assigned; None = too late (15)."""
        due_on, pre_due, today = self.due(invoice), self.pre_due(step, invoice), self.now.date()
        first = today
        if self.last is not None:
            first = max(first, self.last + timedelta(days=step.delay))
        if not step.automatic:
            day = max(base, first)
            return None if pre_due and day > due_on else day
        if (step.key, occurrence) in invoice.waited:
            first = max(first, self.corrected + DAY)
        if first == today and self.now > self.sending(today):
            first += DAY
        if first == self.last and not all(
            (invoice.key, self.trigger(step, invoice)) == sent[:2] and step.key != sent[2]
            for sent in self.sent_today
        ):
            first += DAY  # one a day, except steps of the same date (19)
        if not pre_due:
            day = max(base, first)
            while not self.working(day):
                day += DAY
            return day
        if base > due_on:
            return None
        days = [
            first + n * DAY
            for n in range((due_on - first).days + 1)
            if self.working(first + n * DAY)
        ]
        return next((d for d in days if d >= base), days[-1] if days else None)

    def next(self, invoice: Invoice) -> tuple[Step, int, date] | None:
        """Step, occurrence and day; None = exhausted (26)."""
        worked = invoice.worked[-1] if invoice.worked else None
        if worked is not None and worked.plan == self.plan.name:
            steps = self.plan.steps[worked.step.place + 1 :]
        else:
            worked, steps = None, self.entry(invoice)
        over = {w.step.key for w in invoice.worked if w.plan == self.plan.name}
        found = None
        for step in steps:
            on = self.trigger(step, invoice)
            day = None if step.key in over else self.day_of(invoice, step, 0, on)
            if day is not None:
                found = (step, 0, day)
                break
        if worked is not None and worked.step.every:
            again = worked.occurrence + 1
            if worked.step.limit is None or again <= worked.step.limit:
                base = worked.on + timedelta(days=worked.step.every)
                day = self.day_of(invoice, worked.step, again, base)
                if day and (found is None or self.trigger(found[0], invoice) > day):
                    return worked.step, again, day
        return found

    def entry(self, invoice: Invoice) -> list[Step]:
        """The steps from the one at which an invoice enters the plan today (10 to 13, 44)."""
        steps, today = self.plan.steps, self.now.date()
        if today > self.due(invoice):
            steps = [s for s in steps if not self.pre_due(s, invoice)]
        if self.plan.contextualized or invoice.worked or self.replanned == invoice.key:
            past = [s for s in steps if self.trigger(s, invoice) <= today]
            if past:
                closest = max(self.trigger(s, invoice) for s in past)
                first = next(s for s in past if self.trigger(s, invoice) == closest)
                return steps[steps.index(first) :]
        return steps
