"""Open actions: which one holds the sequence, and which lost their reason (27, 35, 36, 44)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from dunning.carrying import can_carry, paused, why_not
from dunning.decision import Withdrawal
from dunning.due import ADDRESS_CAUSES, age
from dunning.model import Account, Action, ActionStatus, Cause, Invoice
from dunning.recipients import corrected, corrected_at

_TO_DO, _SENDING = ActionStatus.TO_DO, ActionStatus.SENDING
_IN_DOUBT = ActionStatus.NEEDS_REVIEW
_OPEN = (_TO_DO, _SENDING, _IN_DOUBT)
_OWNER_TASKS = (Cause.EXHAUSTED, Cause.APPLY_CREDIT)
#: Causes of tasks about what the customer did. They hold nothing; only a person ends them.
_CUSTOMER_DID = (Cause.REPLIED, Cause.CHANNEL_CLOSED)


@dataclass(slots=True)
class Open:
    """``holder`` is the action that holds the sequence. ``gone``: actions whose reason no longer
    exists. ``tasks`` have no step and hold nothing (rules 26 and 42).

    A message in doubt holds while its invoice carries. It is never withdrawn, because it may have
    left: only its owner's answer ends it.
    """

    holder: Action | None = None
    gone: list[Withdrawal] = field(default_factory=list)
    tasks: list[Action] = field(default_factory=list)

    @property
    def in_flight(self) -> bool:
        """Whether the holder's message may have left already: then nothing withdraws it."""
        return self.holder is not None and self.holder.status is not _TO_DO


def open_actions(account: Account, carrying: Invoice | None, today: date) -> Open:
    found = Open()
    actions = [a for a in account.actions if a.status in _OPEN and not _customer_did(a)]
    if not actions:
        return found
    actions.sort(key=age)
    waiting: list[Action] = []
    in_flight: list[Action] = []
    for action in actions:
        if action.status is _SENDING:
            in_flight.append(action)
        elif action.status is _IN_DOUBT:
            if carrying is not None and action.invoice_id == carrying.id:
                in_flight.append(action)
        elif action.cause in _OWNER_TASKS:
            found.tasks.append(action)
        else:
            gone = _reason_gone(account, action, carrying, today)
            if gone:
                found.gone.append(Withdrawal(action.id, gone))
            elif action.step_key is not None or action.requested:
                waiting.append(action)
    # First a message being sent, then one in doubt, then an action that its owner completed, then
    # one that waits for its owner.
    in_flight.sort(key=lambda a: a.status is not _SENDING)
    waiting.sort(key=lambda a: not a.requested)
    found.holder = next(iter(in_flight + waiting), None)
    return found


def _customer_did(action: Action) -> bool:
    return action.step_key is None and action.cause in _CUSTOMER_DID


def _reason_gone(
    account: Account, action: Action, carrying: Invoice | None, today: date
) -> str | None:
    if carrying is None or action.invoice_id != carrying.id:
        return _not_carrying(account, action, carrying, today)
    if action.step_key is not None:
        if account.plan is None:
            return "the customer has no plan any more (rule 44)"
        if action.plan_id != account.plan_id:
            return "the customer was given another plan (rule 44)"
    if covered(account, carrying):
        return f"unapplied credit covers the balance of {carrying.number} (rule 42)"
    if action.requested:
        if paused(account.pauses, today)[0]:
            return "the customer was paused before it left (rule 36)"
        return None
    if action.automatic and action.cause in ADDRESS_CAUSES and account.plan is not None:
        step = account.plan.find(action.step_key)
        if step is not None and corrected(step, account, _bounced(account, action)):
            fixed = corrected_at(step, account, action)
            on = f" on {account.calendar.today(fixed)}" if fixed is not None else ""
            return f"the contact was corrected{on} (rule 35)"
    return None


def _bounced(account: Account, action: Action) -> Action | None:
    """The action whose message came back, for which its owner got this action."""
    if action.cause is not Cause.BOUNCED:
        return None
    failed = [
        a
        for a in account.actions
        if a.status is ActionStatus.FAILED
        and (a.invoice_id, a.plan_id) == (action.invoice_id, action.plan_id)
        and (a.step_key, a.occurrence) == (action.step_key, action.occurrence)
    ]
    return max(failed, key=age, default=None)


def _not_carrying(account: Account, action: Action, carrying: Invoice | None, today: date) -> str:
    """Rules 6 and 27: why the invoice of an open action is no longer the carrying one."""
    invoice = next((i for i in account.invoices if i.id == action.invoice_id), None)
    if invoice is None:
        return "its invoice is gone (rule 27)"
    if carrying is not None and can_carry(invoice, account, today):
        return f"{carrying.number} is older and carries now (rule 6)"
    rule, words = why_not(invoice, account, today)
    return f"{invoice.number} {words} (rule {rule})"


def tasks_gone(
    account: Account, found: Open, carrying: Invoice | None, today: date, stand: set[Cause] | None
) -> list[Withdrawal]:
    """Withdrawals of the owner's tasks whose cause is gone.

    ``stand``: the causes that the carrying invoice has now. None: unknown while the customer is
    paused or a message is being sent; the tasks stay (rule 39).
    """
    gone = []
    for task in found.tasks:
        if carrying is None or task.invoice_id != carrying.id:
            gone.append(Withdrawal(task.id, _not_carrying(account, task, carrying, today)))
        elif stand is not None and task.cause not in stand:
            rule = 26 if task.cause is Cause.EXHAUSTED else 42
            gone.append(Withdrawal(task.id, f"what it asked for is no longer so (rule {rule})"))
    return gone


def covered(account: Account, invoice: Invoice) -> bool:
    """Rule 42: whether unapplied credit of the customer covers the invoice's balance."""
    credit = account.credits.get(invoice.currency)
    return credit is not None and 0 < invoice.balance <= credit
