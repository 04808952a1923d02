"""Which step of the plan comes next (rules 7, 10 to 15, 25, 37, 43, 44)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from dunning.decision import Reason
from dunning.due import Outlook, age, day_for
from dunning.model import Action, ActionStatus, Cause
from dunning.plan import FirstAction, Step
from dunning.recipients import corrected

_DAY = timedelta(days=1)
_DONE, _SKIPPED, _FAILED = ActionStatus.DONE, ActionStatus.SKIPPED, ActionStatus.FAILED
_CONTEXTUALIZED = FirstAction.CONTEXTUALIZED
_Why = tuple[Reason, ...]
_Ahead = tuple[Sequence[Step], _Why]


@dataclass(slots=True)
class ComingStep:
    """The next step and its local day; no step = the plan is exhausted (rule 26)."""

    step: Step | None
    why: _Why
    day: date = date.max  # if the plan is exhausted: later than any day
    trigger_on: date = date.max
    occurrence: int = 0
    passed: tuple[str, ...] = ()  # keys of steps passed over as obsolete (rule 15)
    cause: Cause | None = None  # why its owner gets it at once (rule 37)


def next_step(view: Outlook) -> ComingStep:
    """The next step and its day.

    It is worked out as of today, then as of each later day on which another step could come next
    (``_changes``), up to the day found so far.
    """
    reopened = _reopened(view)
    if reopened is not None:
        return reopened
    behind = _behind_position(view)
    found = _as_of(view, behind, view.today)
    for change in _changes(view, behind is None):
        if found.day < change:
            break
        found = _as_of(view, behind, change)
    return found


def _changes(view: Outlook, entering: bool) -> list[date]:
    """Later days on which another step could come next: when the invoice becomes overdue, and, if
    its entry is open and contextualized, the date of each step."""
    today, due_on = view.today, view.invoice.due_on
    days = {due_on + _DAY} if today <= due_on < date.max else set()
    if entering and _contextualized(view):
        days.update(day for day in map(view.date_of, view.plan.steps) if day > today)
    return sorted(days)


def _contextualized(view: Outlook) -> bool:
    return view.plan.first_action is _CONTEXTUALIZED or _moved(view)


def _moved(view: Outlook) -> bool:
    """Rule 44: another plan drove the invoice, or it carried when the customer got this plan."""
    return view.position is not None or view.account.contextualized_invoice_id == view.invoice.id


def _as_of(view: Outlook, behind: _Ahead | None, day: date) -> ComingStep:
    if behind is None:
        return _first_possible(view, _entry(view, day), day)
    coming = _first_possible(view, behind, day)
    again = _repeat(view, day)
    if again is not None and (coming.step is None or coming.trigger_on > again.day):
        return again
    return coming


def _entry(view: Outlook, day: date) -> _Ahead:
    """Rules 11 to 13, and 44: where an invoice enters the plan. It is worked out anew each time."""
    number, steps = view.invoice.number, view.plan.steps
    overdue = day > view.invoice.due_on
    if overdue:
        steps = tuple([step for step in steps if not view.pre_due(step)])
    if not _contextualized(view):
        if overdue:
            return steps, (Reason(11, "{} is overdue: the first step not pre-due", (number,)),)
        return steps, (Reason(11, "{} is not overdue: the first step of the plan", (number,)),)
    entry = 0
    closest = date.min
    for place, step in enumerate(steps):
        on = view.date_of(step)
        if closest < on <= day:  # of several steps with the same date, the first in the list
            entry, closest = place, on
    words = "{} enters at the step with the closest past date"
    if closest == date.min:
        words = "{} enters at the first step: no step's date is past"
    why: _Why = (Reason(12, words, (number,)),)
    if _moved(view):
        why = (Reason(44, "given another plan: the entry is contextualized"), *why)
    return steps[entry:], why


def _behind_position(view: Outlook) -> _Ahead | None:
    """Rules 14 and 43: the steps behind the position, by key, in list order.

    None: the invoice has no position in this plan. It has not entered yet, or all steps of its plan
    version were removed.
    """
    position = view.position
    if position is None or position.plan_id != view.account.plan_id:
        return None
    steps, keys, key = view.plan.steps, view.plan.keys, position.step_key
    if key in keys:
        place = keys.index(key)
        return steps[place + 1 :], (Reason(14, "'{}' is behind", (steps[place].name,)),)
    old = position.plan_keys
    place = old.index(key) if key in old else len(old)
    why = (Reason(43, "step '{}' was deleted: the next one that survives", (key,)),)
    for later in old[place + 1 :]:
        if later in keys:
            return steps[keys.index(later) :], why
    before = [keys.index(earlier) for earlier in old[:place] if earlier in keys]
    return (steps[max(before) + 1 :], why) if before else None


def _first_possible(view: Outlook, ahead: _Ahead, as_of: date) -> ComingStep:
    steps, why = ahead
    # Steps may have been reordered, or an earlier plan given back: no step is executed twice.
    executed = {a.step_key for a in view.mine if a.status is _DONE or a.status is _SKIPPED}
    passed: list[str] = []
    for step in steps:
        if step.key in executed:
            continue
        base = view.date_of(step)
        day = day_for(view, step, 0, base, as_of)
        if day is not None:
            return ComingStep(step, why, day, base, 0, _not_on_record(view, passed))
        passed.append(step.key)
    return ComingStep(None, why, passed=_not_on_record(view, passed))


def _not_on_record(view: Outlook, passed: list[str]) -> tuple[str, ...]:
    if not passed:
        return ()
    known = {a.step_key for a in view.mine if a.status is ActionStatus.OBSOLETE}
    return tuple([key for key in passed if key not in known])


def _repeat(view: Outlook, as_of: date) -> ComingStep | None:
    """Rule 25: the next occurrence of the step at the invoice's position."""
    position = view.position
    step = view.plan.find(position.step_key) if position is not None else None
    if position is None or step is None or step.repeat_every_days is None:
        return None
    occurrence = position.occurrence + 1
    ended = position.executed_on or position.ended_on
    if ended is None or (step.repeat_limit is not None and occurrence > step.repeat_limit):
        return None
    base = ended + timedelta(days=step.repeat_every_days)
    day = day_for(view, step, occurrence, base, as_of)
    if day is None:
        return None
    words = (step.name, step.repeat_every_days)
    return ComingStep(
        step, (Reason(25, "'{}' repeats every {} days", words),), day, base, occurrence
    )


def _reopened(view: Outlook) -> ComingStep | None:
    """Rule 37: a step whose message came back is next again, for its owner at once unless the
    contact was corrected. None: a later step has run, or it is pre-due and too late (rule 15)."""
    back: Action | None = None
    for action in view.mine:
        status = action.status
        if (status is _FAILED or status is _DONE or status is _SKIPPED) and (
            back is None or age(action) > age(back)
        ):
            back = action
    if back is None or back.status is not _FAILED:
        return None
    step = view.plan.find(back.step_key)
    if step is None or (view.pre_due(step) and view.today > view.invoice.due_on):
        return None
    why = (Reason(37, "'{}' did not arrive: the same step is open again", (step.name,)),)
    on, day = view.date_of(step), view.today
    if back.cause is Cause.BOUNCED and corrected(step, view.account, back):
        again = day_for(view, step, back.occurrence, on, view.today)
        return ComingStep(step, why, again, on, back.occurrence) if again is not None else None
    return ComingStep(step, why, day, on, back.occurrence, cause=back.cause or Cause.REJECTED)
