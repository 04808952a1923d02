"""``decide``: what happens next to a customer, when, and why. Total, pure, deterministic."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from dunning.calendar import NoWorkingDayError
from dunning.carrying import (
    carrying_invoice,
    changing,
    ended_promises,
    next_change,
    order,
    owed,
    paused,
    why_not,
)
from dunning.decision import Decision, Kind, OwnerTask, Reason
from dunning.due import look_out
from dunning.held import covered, open_actions, tasks_gone
from dunning.model import Account, Action, ActionStatus, Cause, Invoice, InvoiceStatus
from dunning.plan import CHANNELS, Plan
from dunning.step_decision import passed_over, step_decision
from dunning.steps import ComingStep, next_step


def decide(account: Account, now: datetime) -> Decision:
    """The decision on an account at the instant ``now`` (aware, any zone).

    Instants of the answer are in UTC and never before ``now``. ``withdraw``, ``pass_over``,
    ``tasks`` and ``promises`` are to be recorded at once.
    """
    now = now.astimezone(UTC)
    today = account.calendar.today(now)
    carrying = carrying_invoice(account, today)
    opened = open_actions(account, carrying, today)
    stopped, until = paused(account.pauses, today) if account.pauses else (False, None)
    if opened.in_flight and opened.holder is not None:
        found = _in_flight(opened.holder, now)
    elif stopped:
        found = _paused(account, carrying, until)
    elif carrying is None:
        found = _nothing_carries(account, today)
    else:
        found = _carried(account, carrying, opened.holder, now, today)
    more: dict[str, Any] = {}
    if opened.gone or opened.tasks:
        stand = None if stopped or opened.in_flight else {task.cause for task in found.tasks}
        more["withdraw"] = (*opened.gone, *tasks_gone(account, opened, carrying, today, stand))
    dated = changing(account, today)
    if dated:
        promises = ended_promises(dated, account, today)
        if promises:
            more["promises"] = promises
        if found.kind is not Kind.SEND and found.kind is not Kind.ASSIGN:
            more.update(_earlier_change(dated, account, carrying, found, today))
    return replace(found, **more) if more else found


def _earlier_change(
    dated: list[Invoice], account: Account, carrying: Invoice | None, found: Decision, today: date
) -> dict[str, Any]:
    """The wake-up when another invoice takes over, or a promise ends, before ``found.at``."""
    change = next_change(dated, account, carrying, today)
    if change is None:
        return {}
    at = account.calendar.start_of(change)
    if found.at is not None and found.at < at:
        return {}
    kind = Kind.WAIT if found.kind is Kind.REST else found.kind
    return {"kind": kind, "at": at, "then": None}


def _in_flight(action: Action, now: datetime) -> Decision:
    """A message is being sent, or its owner must decide on it."""
    sending = action.status is ActionStatus.SENDING and action.type in CHANNELS
    words = "a message is on its way to the provider; its outcome is looked at then"
    if sending and action.unknown:
        words = "the provider did not answer; it is asked then whether it has the message"
    if not sending:
        words = "nobody knows whether the message left; its owner must say"
    return Decision(
        Kind.WAIT if sending else Kind.AWAIT_OWNER,
        (Reason(36, words),),
        invoice_id=action.invoice_id,
        step_key=action.step_key,
        occurrence=action.occurrence,
        attempt=action.attempt,
        trigger_on=action.trigger_on,
        at=max(action.deadline or now, now).astimezone(UTC) if sending else None,
        then=action.type if sending else None,
        action_id=action.id,
        cause=action.cause,
        look_up=sending and action.unknown,
    )


def as_others_know(account: Account, now: datetime) -> Decision:
    """The decision for members who must not learn of an owner's actions (rule 29). It is correct,
    and does not depend on whether there is an open action."""
    now = now.astimezone(UTC)
    today = account.calendar.today(now)
    carrying = carrying_invoice(account, today)
    stopped, until = paused(account.pauses, today)
    if stopped:
        found = _paused(account, carrying, until)
    elif carrying is None:
        found = _nothing_carries(account, today)
    else:
        carries = _carries(carrying)
        reasons = (carries, Reason(20, "nothing is planned that leaves by itself"))
        found = Decision(Kind.REST, reasons, invoice_id=carrying.id)
    change = _earlier_change(changing(account, today), account, carrying, found, today)
    return replace(found, **change)


def _paused(account: Account, carrying: Invoice | None, until: date | None) -> Decision:
    """Rules 38 and 39: nothing goes out; an open action stays open, but hidden."""
    invoice_id = carrying.id if carrying is not None else None
    nothing = not any(owed(i, account) for i in account.invoices)
    if until is None:
        reason = Reason(38, "the customer is paused until resumed")
        return Decision(Kind.REST, (reason,), invoice_id=invoice_id, owes_nothing=nothing)
    return Decision(
        Kind.WAIT,
        (Reason(38, "the customer is paused until the start of {}", (until,)),),
        invoice_id=invoice_id,
        at=account.calendar.start_of(until),
        owes_nothing=nothing,
    )


def _nothing_carries(account: Account, today: date) -> Decision:
    waiting = sorted((i for i in account.invoices if i.status is InvoiceStatus.OPEN), key=order)
    nothing = not any(owed(i, account) for i in waiting)
    reasons = []
    for invoice in waiting[:5]:
        rule, words = why_not(invoice, account, today)
        reasons.append(Reason(rule, "{} {}", (invoice.number, words)))
    if nothing:
        reasons.append(Reason(1, "the customer has no open invoice with a balance"))
    return Decision(Kind.REST, tuple(reasons), owes_nothing=nothing)


def _carried(
    account: Account, invoice: Invoice, holder: Action | None, now: datetime, today: date
) -> Decision:
    """The decision on a carrying invoice that nothing stops."""
    carries = _carries(invoice)
    if holder is not None:
        return _held(invoice, holder, carries)
    plan = account.plan
    if plan is None:
        reason = Reason(1, "the customer has no plan; assign one to start the sequence")
        return Decision(Kind.REST, (carries, reason), invoice_id=invoice.id)
    if covered(account, invoice):
        words = "unapplied credit covers the balance of {}: apply the credit"
        return _owner_task(
            invoice, Cause.APPLY_CREDIT, carries, Reason(42, words, (invoice.number,))
        )
    view = look_out(account, plan, invoice, now, today)
    try:
        coming = next_step(view)
        if coming.step is None:
            return _exhausted(invoice, plan, coming, carries)
        return step_decision(view, coming, coming.step, carries)
    except (NoWorkingDayError, OverflowError):
        reason = Reason(20, "the organisation's calendar leaves no working day")
        return Decision(Kind.REST, (carries, reason), invoice_id=invoice.id)


def _carries(invoice: Invoice) -> Reason:
    words = "{} (due {}) is the oldest open invoice"
    return Reason(2, words, (invoice.number, invoice.due_on))


def _held(invoice: Invoice, action: Action, carries: Reason) -> Decision:
    """Rule 27: the sequence stays at an open action until it is completed or skipped."""
    leaves = action.requested and action.type in CHANNELS
    if leaves:
        reason = Reason(30, "its owner completed it; it goes out now")
    else:
        rule = 35 if action.cause is Cause.NO_RECIPIENT else 37 if action.cause else 27
        reason = Reason(rule, "an open action waits for its owner to complete or skip it")
    return Decision(
        Kind.SEND if leaves else Kind.AWAIT_OWNER,
        (carries, reason),
        invoice_id=invoice.id,
        step_key=action.step_key,
        occurrence=action.occurrence,
        attempt=action.attempt,
        trigger_on=action.trigger_on,
        then=action.type if leaves else None,
        action_id=action.id,
        cause=action.cause,
    )


def _exhausted(invoice: Invoice, plan: Plan, coming: ComingStep, carries: Reason) -> Decision:
    words = "plan '{}' is exhausted for {}: decide what to do next"
    reasons = [carries, *coming.why]
    if coming.passed:
        reasons.append(passed_over(coming))
    last = Reason(26, words, (plan.name, invoice.number))
    found = _owner_task(invoice, Cause.EXHAUSTED, *reasons, last)
    return replace(found, pass_over=coming.passed) if coming.passed else found


def _owner_task(invoice: Invoice, cause: Cause, *reasons: Reason) -> Decision:
    """Rules 26 and 42: the sequence rests, and the assigned member gets a task that says why."""
    task = OwnerTask(cause, invoice.id, reasons[-1].text)
    return Decision(Kind.REST, reasons, invoice_id=invoice.id, tasks=(task,))
