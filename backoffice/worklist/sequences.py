"""What the database stores about a customer's sequence, and the sentence that describes it."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from backoffice.worklist.steps import plan_id, step_in
from dunning.decision import Decision, Kind
from dunning.ids import InvoiceId
from store import tables as t
from store.load import Loaded
from store.unit import Unit

_STATES = {
    Kind.SEND: "Sending now",
    Kind.ASSIGN: "Shown to its owner",
    Kind.AWAIT_OWNER: "Waiting for its owner",
    Kind.REST: "Resting",
    Kind.WAIT: "Waiting",
}


def write_sequence(unit: Unit, loaded: Loaded, decision: Decision, handled: int) -> str:
    """Stores the decision and its plan; returns the sentence that describes it."""
    summary = summarise(loaded, decision)
    carried = loaded.account.contextualized_invoice_id
    loaded.customer.contextualized_invoice_id = InvoiceId(uuid.UUID(carried)) if carried else None
    values = {
        "customer_id": loaded.customer.id,
        "organisation_id": loaded.organisation.id,
        "plan_id": plan_id(loaded),
        "state": decision.kind.value,
        "invoice_id": InvoiceId(uuid.UUID(decision.invoice_id)) if decision.invoice_id else None,
        "step_key": decision.step_key,
        "then": decision.then.value if decision.then else None,
        "wake_at": decision.at,
        "summary": summary,
        "decided_at": unit.now,
        "handled": handled,
    }
    statement = insert(t.Sequence).values(values)
    fresh = statement.excluded
    unit.session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=["customer_id"],
            set_={k: getattr(fresh, k) for k in values if k not in ("customer_id", "handled")}
            | {"handled": sa.func.greatest(col(t.Sequence.handled), handled)},
        )
    )
    return summary


def summarise(loaded: Loaded, decision: Decision) -> str:
    """One line for the Temporal UI and the pages: state · step · invoice."""
    parts = [_state(loaded, decision)]
    plan, step = loaded.account.plan, step_in(loaded, decision.step_key)
    if plan is not None and step is not None:
        place = plan.keys.index(step.key) + 1
        parts.append(f"step {place} of {len(plan.steps)} '{step.name}' ({step.type.value})")
    if decision.invoice_id is not None:
        invoice = loaded.find_invoice(decision.invoice_id)
        parts.append(invoice.number if invoice else "")
    if decision.kind is Kind.REST and decision.reasons:
        parts.append(decision.reasons[-1].text)
    return " · ".join(p for p in parts if p)


def _state(loaded: Loaded, decision: Decision) -> str:
    zone = loaded.account.calendar.zone
    at = f"{decision.at.astimezone(zone):%a %-d %b %Y %H:%M %Z}" if decision.at else ""
    if decision.look_up and at:
        return f"Unknown whether it left: asking the provider {at}"
    if decision.kind is Kind.WAIT and at:
        return f"Waiting until {at}"
    return _STATES[decision.kind]
