"""Properties of every decision, checked by a second implementation of the rules."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from dunning.decide import decide
from dunning.decision import Decision, Kind
from dunning.model import Account, Action, ActionStatus, Invoice, InvoiceStatus
from dunning.plan import ActionType, Step
from dunning.recipients import can_reach

OPEN = (ActionStatus.TO_DO, ActionStatus.SENDING, ActionStatus.NEEDS_REVIEW)


def assert_well_formed(decision: Decision, account: Account, now: datetime) -> None:
    for at in (decision.at, decision.due):
        assert at is None or (at >= now and at.tzinfo is UTC)
    assert decision.reasons
    assert all(reason.text and 1 <= reason.rule <= 44 for reason in decision.reasons)
    to_do = {a.id for a in account.actions if a.status is ActionStatus.TO_DO}
    gone = [w.action_id for w in decision.withdraw]
    assert len(gone) == len(set(gone))
    assert set(gone) <= to_do
    assert all(withdrawal.text for withdrawal in decision.withdraw)
    assert decision.action_id not in gone
    match decision.kind:
        case Kind.SEND:
            assert decision.then is not None
            assert decision.at is None
        case Kind.ASSIGN:
            assert (decision.at, decision.then, decision.due) == (None, None, now)
            assert decision.step_key is not None
        case Kind.WAIT:
            assert decision.at is not None
        case Kind.AWAIT_OWNER:
            assert decision.action_id is not None
        case Kind.REST:
            assert (decision.at, decision.then, decision.step_key) == (None, None, None)
    if decision.owes_nothing:
        assert not any(open_above(i, account) for i in account.invoices)


def open_above(invoice: Invoice, account: Account) -> bool:
    return invoice.status is InvoiceStatus.OPEN and invoice.balance > account.tolerance


def oldest(account: Account, today: date) -> Invoice | None:
    """The carrying invoice by rules 1 to 3, implemented a second time."""
    pool = [
        i
        for i in account.invoices
        if open_above(i, account)
        and i.issued_on <= today
        and not i.disputed
        and all(p.until is not None and p.until <= today for p in i.pauses)
        and all(p.promised_on < today for p in i.promises)
    ]
    pool.sort(key=lambda i: (i.due_on, -i.total, i.issued_on, i.id))
    return pool[0] if pool else None


def assert_may_leave(decision: Decision, account: Account, now: datetime) -> None:
    """Rules 3, 27, 36, 38 and 42; for an automatic action also rule 35 and its time."""
    today = account.calendar.today(now)
    invoice = oldest(account, today)
    assert invoice is not None
    assert decision.invoice_id == invoice.id
    assert all(p.until is not None and p.until <= today for p in account.pauses)
    credit = account.credits.get(invoice.currency)
    assert credit is None or credit < invoice.balance
    if decision.action_id is not None:
        action = next(a for a in account.actions if a.id == decision.action_id)
        assert action.requested
        assert action.invoice_id == invoice.id
        return
    gone = {w.action_id for w in decision.withdraw}
    assert not [
        a
        for a in account.actions
        if a.status in OPEN
        and a.step_key is not None
        and a.id not in gone
        and a.cause not in ("exhausted", "apply_credit")
    ]
    assert account.held_until is None or account.held_until <= today
    assert account.plan is not None
    assert can_reach(account.plan.step(decision.step_key or ""), account)
    assert_right_time(decision, account, now)
    assert now <= account.calendar.cut_off_at(today, account.spread)


def assert_right_time(decision: Decision, account: Account, at: datetime) -> None:
    """Rules 16 to 24 for an automatic action: day, hour, contact delay, one contact a day."""
    calendar = account.calendar
    assert account.plan is not None
    step = account.plan.step(decision.step_key or "")
    assert step.automatic
    day = calendar.today(at)
    assert calendar.is_working(day)
    assert at >= calendar.sending_at(day, account.spread)
    contacts = [a for a in account.actions if is_contact(a, account)]
    for contact in contacts:
        assert contact.executed_on is not None
        assert day >= contact.executed_on + timedelta(days=step.contact_delay_days)
        if contact.executed_on == day and contact.automatic:
            assert contact.invoice_id == decision.invoice_id
            assert contact.trigger_on == decision.trigger_on
    if decision.occurrence == 0:
        assert not_yet_executed(decision, account, step)


def is_contact(action: Action, account: Account) -> bool:
    if action.status is not ActionStatus.DONE or action.executed_on is None:
        return False
    if action.type is not ActionType.TASK:
        return True
    assert account.plan is not None
    return account.plan.tasks_count and action.step_key is not None


def not_yet_executed(decision: Decision, account: Account, step: Step) -> bool:
    """On this invoice and by this plan; a step that bounced counts as not executed (rule 37)."""
    mine = [
        a
        for a in account.actions
        if a.invoice_id == decision.invoice_id and a.plan_id == "p" and a.step_key is not None
    ]
    ends = (ActionStatus.DONE, ActionStatus.SKIPPED, ActionStatus.FAILED)
    last = max((a for a in mine if a.status in ends), key=lambda a: (a.seq, a.id), default=None)
    if last is not None and last.status is ActionStatus.FAILED and last.step_key == step.key:
        return True
    return not any(a.step_key == step.key and a.status in ends[:2] for a in mine)


def assert_waking_makes_progress(decision: Decision, account: Account) -> None:
    assert decision.at is not None
    again = decide(account, decision.at)
    its_turn = decision.at == decision.due and again.invoice_id == decision.invoice_id
    if again.kind in (Kind.SEND, Kind.ASSIGN):
        same = (again.step_key, again.occurrence) == (decision.step_key, decision.occurrence)
        assert same or not its_turn
    else:
        assert not its_turn, "it was its turn, and nothing happens"
        assert again.at is None or again.at > decision.at
