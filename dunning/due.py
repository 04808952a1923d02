"""On which day a step goes out or is shown (rules 10, 15 to 24, 35)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from dunning.model import Account, Action, ActionStatus, Cause, Invoice
from dunning.plan import ActionType, Plan, Step
from dunning.recipients import corrected_at

_DAY = timedelta(days=1)
_DONE, _SKIPPED = ActionStatus.DONE, ActionStatus.SKIPPED
_TASK = ActionType.TASK
#: Causes that end when the contact is corrected (rules 35 and 37).
ADDRESS_CAUSES = (Cause.NO_RECIPIENT, Cause.BOUNCED)


@dataclass(slots=True)
class Outlook:
    """The account seen from its carrying invoice at one instant."""

    account: Account
    plan: Plan
    invoice: Invoice
    now: datetime
    today: date
    mine: list[Action]  # the actions of this plan's steps on this invoice
    position: Action | None  # the last one completed or skipped on it, by any plan (rules 7, 13)
    last: date | None  # the customer's last executed action that counts (rules 8, 17, 18)
    dates: dict[str, date] = field(default_factory=dict)  # results of ``date_of``, by step key

    def date_of(self, step: Step) -> date:
        """The step's own date for this invoice."""
        found = self.dates.get(step.key)
        if found is None:
            found = step.trigger.date_for(self.invoice.issued_on, self.invoice.due_on)
            self.dates[step.key] = found
        return found

    def pre_due(self, step: Step) -> bool:
        """Rule 10: its date is on or before the due date of this invoice."""
        return self.date_of(step) <= self.invoice.due_on

    def from_delay(self, step: Step) -> date:
        """The first day that the contact delay allows (rules 16 and 17)."""
        if self.last is None:
            return date.min
        return self.last + timedelta(days=step.contact_delay_days)


def age(action: Action) -> tuple[int, str]:
    return (action.seq, action.id)


def look_out(account: Account, plan: Plan, invoice: Invoice, now: datetime, today: date) -> Outlook:
    last: date | None = None
    position: Action | None = None
    mine = []
    for action in account.actions:
        done = action.status is _DONE
        on = action.executed_on
        if done and on is not None and (last is None or on > last) and counts(action, plan):
            last = on
        if action.step_key is None or action.invoice_id != invoice.id:
            continue
        if action.plan_id == account.plan_id:
            mine.append(action)
        if (done or action.status is _SKIPPED) and (
            position is None or age(action) > age(position)
        ):
            position = action
    return Outlook(account, plan, invoice, now, today, mine, position, last)


def counts(action: Action, plan: Plan) -> bool:
    """Rule 18: a task counts as a contact unless the plan says otherwise, and only with a step."""
    return action.type is not _TASK or (plan.tasks_count and action.step_key is not None)


def day_for(view: Outlook, step: Step, occurrence: int, base: date, as_of: date) -> date | None:
    """The local day on which a step whose date is ``base`` is executed or shown.

    It is worked out as of ``as_of`` (today or a later day), as if nothing were executed until then.
    None: the step is pre-due, and its day has passed or would be after the due date (rule 15).
    """
    due_on, pre_due = view.invoice.due_on, view.pre_due(step)
    if pre_due and base > due_on:
        return None  # a repeat (rule 25) must not roll back to a day before its date
    earliest = max(as_of, view.from_delay(step))
    if not step.automatic:  # rule 22: a manual step does not roll to a working day
        day = max(base, earliest)
        if not view.account.calendar.exists(day):
            day += _DAY
        return None if pre_due and day > due_on else day
    if view.account.held_until is not None:  # the customer wrote back
        earliest = max(earliest, view.account.held_until)
    corrected = _corrected(view, step, occurrence)
    if corrected is not None:
        earliest = max(earliest, corrected + _DAY)
    if earliest == view.today and not _still_today(view, step, occurrence):
        earliest += _DAY
    if earliest == view.last and not _may_share(view, step, earliest):
        earliest += _DAY
    calendar = view.account.calendar
    day = calendar.next_working(max(base, earliest))
    if pre_due and day > due_on:
        # Rule 20: rolling forward would push it past the due date, so it rolls back.
        day = calendar.previous_working(min(max(base, earliest), due_on))
        return day if day >= earliest else None
    return day


def due_at(view: Outlook, step: Step, day: date) -> datetime:
    """The UTC instant at which it is executed or shown that day, never in the past."""
    calendar = view.account.calendar
    if step.automatic:
        return max(calendar.sending_at(day, view.account.spread), view.now)
    return max(calendar.start_of(day), view.now)


def _still_today(view: Outlook, step: Step, occurrence: int) -> bool:
    """Rule 21: whether an automatic action that is due can still leave today."""
    calendar, spread = view.account.calendar, view.account.spread
    if view.now <= calendar.sending_at(view.today, spread):
        return True
    if view.now > calendar.cut_off_at(view.today, spread):
        return False
    for action in view.mine:
        if (
            action.status is ActionStatus.PLANNED
            and action.step_key == step.key
            and action.occurrence == occurrence
            and action.planned_for is not None
            and action.planned_for <= view.now
        ):
            return True  # it was planned, and only an outage delayed it
    # Rule 19: a step with the trigger date of the step just sent goes out on the same day.
    sent = _sent_on(view, view.today)
    return step.contact_delay_days == 0 and bool(sent) and _of_one_trigger_date(view, step, sent)


def _may_share(view: Outlook, step: Step, day: date) -> bool:
    """Rule 19: whether the step may go out on a day that already had its contact."""
    return _of_one_trigger_date(view, step, _sent_on(view, day))


def _sent_on(view: Outlook, day: date) -> list[Action]:
    """The automatic contacts of the customer on a day."""
    return [
        a
        for a in view.account.actions
        if a.automatic and a.executed_on == day and a.status is _DONE
    ]


def _of_one_trigger_date(view: Outlook, step: Step, sent: list[Action]) -> bool:
    """Whether all sent actions are of other steps with this step's own trigger date."""
    on, invoice_id = view.date_of(step), view.invoice.id
    return all(
        a.invoice_id == invoice_id and a.trigger_on == on and a.step_key != step.key for a in sent
    )


def _corrected(view: Outlook, step: Step, occurrence: int) -> date | None:
    """Rule 35: the day on which the contact was corrected, when the step waited for that."""
    waited = [
        a
        for a in view.mine
        if a.cause in ADDRESS_CAUSES and a.step_key == step.key and a.occurrence == occurrence
    ]
    if not waited:
        return None
    last = max(waited, key=age)
    fixed = corrected_at(step, view.account, last)
    if fixed is not None:
        return view.account.calendar.today(fixed)
    return view.today if last.status is ActionStatus.TO_DO else last.ended_on
