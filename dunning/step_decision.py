"""The decision on the step that comes next: send it, assign it to its owner, or wait."""

from __future__ import annotations

from dunning.decision import Decision, Kind, Reason
from dunning.due import Outlook, due_at
from dunning.model import ActionStatus, Cause
from dunning.plan import Step
from dunning.recipients import can_reach
from dunning.steps import ComingStep

_BACK = {
    Cause.BOUNCED: "it bounced",
    Cause.REJECTED: "it was refused",
    Cause.UNKNOWN_OUTCOME: "it may not have left",
}


def step_decision(view: Outlook, coming: ComingStep, step: Step, carries: Reason) -> Decision:
    """Send the step, assign it to its owner, or wait for its day."""
    due, cause = due_at(view, step, coming.day), coming.cause
    reasons = [carries, *coming.why, *_reasons(view, coming, step)]
    kind = Kind.WAIT
    if cause is not None:
        kind = Kind.ASSIGN
        reasons.append(
            Reason(37, "{}: it turns into a to-do of its owner", (_BACK.get(cause, "it failed"),))
        )
    elif due <= view.now:
        kind = Kind.SEND if step.automatic else Kind.ASSIGN
        if step.automatic and not can_reach(step, view.account):
            kind, cause = Kind.ASSIGN, Cause.NO_RECIPIENT
            reasons.append(Reason(35, "no valid recipient: it turns into a to-do of its owner"))
    if kind is Kind.ASSIGN:
        due = view.now
    waits = kind is Kind.WAIT
    return Decision(
        kind,
        tuple(reasons),
        invoice_id=view.invoice.id,
        step_key=step.key,
        occurrence=coming.occurrence,
        attempt=_attempt(view, step.key, coming.occurrence),
        trigger_on=coming.trigger_on,
        due=due,
        at=due if waits else None,
        then=step.type if step.automatic and kind is not Kind.ASSIGN else None,
        cause=cause,
        pass_over=() if waits else coming.passed,
        automatic=step.automatic,
    )


def _reasons(view: Outlook, coming: ComingStep, step: Step) -> list[Reason]:
    trigger_on, day = view.date_of(step), coming.day
    reasons = [Reason(16, "'{}' has the trigger date {}", (step.name, trigger_on))]
    if coming.passed:
        reasons.append(passed_over(coming))
    delay, held = view.from_delay(step), view.account.held_until
    if held is not None and held > view.today and step.automatic:
        reasons.append(Reason(38, "the customer wrote back: nothing automatic before {}", (held,)))
    if delay > trigger_on:
        words = "last contact on {} and a contact delay of {} days allow {}"
        reasons.append(Reason(17, words, (view.last, step.contact_delay_days, delay)))
    if coming.cause is not None:
        return reasons
    if not step.automatic:
        reasons.append(Reason(22, "manual: shown to its owner from {}", (day,)))
    elif day == view.today and view.now > view.account.calendar.sending_at(day):
        reasons.append(Reason(21, "automatic: it was due this morning and still leaves today"))
    else:
        reasons.append(Reason(20, "automatic: {}, a working day, at the sending time", (day,)))
    return reasons


def passed_over(coming: ComingStep) -> Reason:
    return Reason(15, "passed over, too late before the due date: {}", (", ".join(coming.passed),))


def _attempt(view: Outlook, key: str, occurrence: int) -> int:
    """The planned action's attempt, else one more than the highest so far."""
    tries = [a for a in view.mine if a.step_key == key and a.occurrence == occurrence]
    if not tries:
        return 0
    last = max(tries, key=lambda a: (a.attempt, a.id))
    return last.attempt if last.status is ActionStatus.PLANNED else last.attempt + 1
