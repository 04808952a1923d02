"""Tasks without a step: the plan is exhausted, a credit should be applied (rules 26 and 42), the
customer wrote back or closed a channel. They are no contacts; only their owner ends them."""

from __future__ import annotations

import uuid

from sqlmodel import col, select

from backoffice.people.owners import owner_for, owner_of
from backoffice.worklist.edits import bring_back
from backoffice.worklist.states import open_for
from backoffice.worklist.steps import plan_id
from dunning.decision import Decision
from dunning.ids import InvoiceId
from dunning.model import ActionStatus, Cause
from dunning.plan import ActionType
from store import tables as t
from store.load import Loaded
from store.timeline import note
from store.unit import Unit

_NAMES = {
    Cause.EXHAUSTED: "plan exhausted",
    Cause.APPLY_CREDIT: "apply the credit",
    Cause.REPLIED: "answer the customer",
    Cause.CHANNEL_CLOSED: "find another way to reach the customer",
}
_ENTRIES = {Cause.EXHAUSTED: "exhausted", Cause.APPLY_CREDIT: "credit_covers"}
_ONCE = (ActionStatus.TO_DO, ActionStatus.DONE, ActionStatus.SKIPPED)


def give_tasks(unit: Unit, loaded: Loaded, decision: Decision) -> None:
    """Rules 26 and 42: gives the assigned member a task, once for its reason."""
    customer = loaded.customer
    for task in decision.tasks:
        invoice_id = InvoiceId(uuid.UUID(task.invoice_id))
        if _of_cause(unit, invoice_id, task.cause, _ONCE) is not None:
            continue
        owner = owner_for(unit, customer, "assigned")
        row = _task(unit, customer, invoice_id, task.cause)
        row.plan_id = plan_id(loaded)
        row.plan_version_id = loaded.plan_version.id if loaded.plan_version else None
        open_for(unit, row, owner.id if owner else None, task.cause, task.text)
        bring_back(row, loaded.actions.values())
        unit.session.add(row)
        unit.session.flush()
        kind = _ENTRIES[task.cause]
        note(unit, customer, kind, task.text, invoice_id=invoice_id, by=unit.by)


def customer_did(
    unit: Unit,
    customer: t.Customer,
    cause: Cause,
    text: str,
    action: t.Action | None,
) -> None:
    """Gives the task to the owner of ``action``, else to the customer's assigned member. While the
    first task is open, further reasons are added to it. Without any invoice there is no task."""
    invoice_id = action.invoice_id if action else _invoice_for_task(unit, customer)
    if invoice_id is None:
        return
    known = _of_cause(unit, invoice_id, cause, (ActionStatus.TO_DO,))
    if known is not None:
        known.reason = f"{known.reason}\n{text}"[-2000:]
        return
    owner = owner_of(unit, customer, action) if action else None
    if owner is None:
        assigned = owner_for(unit, customer, "assigned")
        owner = assigned.id if assigned else None
    row = _task(unit, customer, invoice_id, cause)
    row.plan_id = action.plan_id if action else None
    row.plan_version_id = action.plan_version_id if action else None
    open_for(unit, row, owner, cause, text[:2000])
    unit.session.add(row)
    unit.session.flush()


def _of_cause(
    unit: Unit, invoice_id: InvoiceId, cause: Cause, statuses: tuple[ActionStatus, ...]
) -> t.Action | None:
    return unit.session.exec(
        select(t.Action).where(
            t.Action.invoice_id == invoice_id,
            col(t.Action.step_key).is_(None),
            t.Action.cause == cause.value,
            col(t.Action.status).in_(statuses),
        )
    ).first()


def _task(unit: Unit, customer: t.Customer, invoice_id: InvoiceId, cause: Cause) -> t.Action:
    return t.Action(
        organisation_id=customer.organisation_id,
        customer_id=customer.id,
        invoice_id=invoice_id,
        name=_NAMES[cause],
        type=ActionType.TASK,
        status=ActionStatus.TO_DO,
        created_at=unit.now,
    )


def _invoice_for_task(unit: Unit, customer: t.Customer) -> InvoiceId | None:
    """The carrying invoice, else the newest."""
    sequence = unit.session.get(t.Sequence, customer.id)
    if sequence is not None and sequence.invoice_id is not None:
        return sequence.invoice_id
    return unit.session.exec(
        select(col(t.Invoice.id))
        .where(t.Invoice.customer_id == customer.id)
        .order_by(col(t.Invoice.issued_on).desc(), col(t.Invoice.id))
        .limit(1)
    ).first()
