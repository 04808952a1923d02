"""Tasks without a step that tell an owner what the customer did: a reply, a closed channel.

They hold nothing and count as no contact; only their owner ends them.
"""

from __future__ import annotations

import uuid

from sqlmodel import col, select

from backoffice.people.owners import owner_for, owner_of
from dunning.model import Cause
from store import tables as t
from store.unit import Unit

_NAMES = {
    Cause.REPLIED: "answer the customer",
    Cause.CHANNEL_CLOSED: "find another way to reach the customer",
}


def customer_did(
    unit: Unit,
    customer: t.Customer,
    cause: Cause,
    text: str,
    action: t.Action | None,
) -> None:
    """Give the task to the owner of ``action``, else to the customer's assigned member. A second
    reason while the first task is open is added to it. Without any invoice there is no task."""
    invoice_id = action.invoice_id if action else _an_invoice(unit, customer)
    if invoice_id is None:
        return
    known = unit.session.exec(
        select(t.Action).where(
            t.Action.invoice_id == invoice_id,
            col(t.Action.step_key).is_(None),
            t.Action.cause == cause.value,
            t.Action.status == "to_do",
        )
    ).first()
    if known is not None:
        known.reason = f"{known.reason}\n{text}"[-2000:]
        return
    owner = owner_of(unit, customer, action) if action else None
    if owner is None:
        assigned = owner_for(unit, customer, "assigned")
        owner = assigned.id if assigned else None
    unit.session.add(
        t.Action(
            organisation_id=customer.organisation_id,
            customer_id=customer.id,
            invoice_id=invoice_id,
            plan_id=action.plan_id if action else None,
            plan_version_id=action.plan_version_id if action else None,
            name=_NAMES[cause],
            type="task",
            status="to_do",
            cause=cause.value,
            reason=text[:2000],
            owner_id=owner,
            shown_at=unit.now,
            created_at=unit.now,
        )
    )
    unit.session.flush()


def _an_invoice(unit: Unit, customer: t.Customer) -> uuid.UUID | None:
    """The one that carries, else the newest."""
    sequence = unit.session.get(t.Sequence, customer.id)
    if sequence is not None and sequence.invoice_id is not None:
        return sequence.invoice_id
    return unit.session.exec(
        select(t.Invoice.id)
        .where(t.Invoice.customer_id == customer.id)
        .order_by(col(t.Invoice.issued_on).desc(), col(t.Invoice.id))
        .limit(1)
    ).first()
