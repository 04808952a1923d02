"""Writes what a decision implies and touches only our own database."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from backoffice.people.owners import find_owners, owner_for
from backoffice.worklist.edits import bring_back
from backoffice.worklist.steps import step_in
from dunning.decision import Decision, Kind, Outcome
from dunning.model import Cause
from dunning.plan import ActionType, Step
from store import tables as t
from store.load import Loaded
from store.timeline import note
from store.unit import Unit

BY = "dunning"


def record(unit: Unit, loaded: Loaded, decision: Decision) -> t.Action | None:
    """Record withdrawals, promises, tasks, the planned action and, for ``assign``, the to-do; open
    actions that nobody owns find their owner.

    ``at`` is the organisation's time. After an ``assign`` the account is to be decided again.
    Answers the action of the step decided, if it has a row.
    """
    _withdraw(unit, loaded, decision)
    _promises(unit, loaded, decision)
    _tasks(unit, loaded, decision)
    planned = _planned(unit, loaded, decision)
    if decision.pass_over:
        pass_over(unit, loaded, decision)
    if decision.kind is Kind.ASSIGN:
        _assign(unit, loaded, decision, planned)
    find_owners(unit.named(BY), loaded.customer, loaded.actions.values())
    unit.session.flush()
    return planned


def action_to_send(unit: Unit, loaded: Loaded, decision: Decision) -> t.Action:
    """Record a decision to send; answers the action that leaves, as it was decided (rule 36)."""
    planned = record(unit, loaded, decision)
    if decision.action_id is not None:  # its owner completed it
        return loaded.actions[uuid.UUID(decision.action_id)]
    step = step_in(loaded, decision.step_key)
    assert step is not None, "a send decision names a step of the plan"
    return planned or new_action(unit, loaded, decision, step, "planned")


def _withdraw(unit: Unit, loaded: Loaded, decision: Decision) -> None:
    for gone in decision.withdraw:
        row = loaded.actions[uuid.UUID(gone.action_id)]
        end(row, "withdrawn", gone.text, unit.now, BY)
        text = f"'{row.name}' is withdrawn: {gone.text}"
        note(unit, loaded.customer, "action_withdrawn", text,
             invoice_id=row.invoice_id, action_id=row.id, by=BY)  # fmt: skip


def end(row: t.Action, status: str, reason: str, at: datetime, by: str) -> None:
    row.status, row.reason, row.ended_at, row.ended_by = status, reason, at, by


def _promises(unit: Unit, loaded: Loaded, decision: Decision) -> None:
    for ended in decision.promises:
        row = unit.session.get_one(t.Promise, uuid.UUID(ended.promise_id))
        row.outcome, row.outcome_at = ended.outcome.value, unit.now
        invoice = unit.session.get_one(t.Invoice, row.invoice_id)
        words = ended.outcome.value.replace("_", "-")
        text = f"the promise of {row.promised_on} for {invoice.number} is {words}"
        if ended.outcome is Outcome.ENDED:
            text += f": {invoice.number} {invoice.closed_reason}"
        note(unit, loaded.customer, f"promise_{ended.outcome.value}", text,
             invoice_id=row.invoice_id, by=BY)  # fmt: skip


def _tasks(unit: Unit, loaded: Loaded, decision: Decision) -> None:
    """Rules 26 and 42: a task of the assigned member, once for its reason."""
    for task in decision.tasks:
        invoice_id = uuid.UUID(task.invoice_id)
        known = unit.session.exec(
            select(t.Action.id).where(
                t.Action.invoice_id == invoice_id,
                col(t.Action.step_key).is_(None),
                t.Action.cause == task.cause.value,
                col(t.Action.status).in_(("to_do", "done", "skipped")),
            )
        ).first()
        if known is not None:
            continue
        owner = owner_for(unit, loaded.customer, "assigned")
        name = "plan exhausted" if task.cause is Cause.EXHAUSTED else "apply the credit"
        row = t.Action(
            organisation_id=loaded.organisation.id,
            customer_id=loaded.customer.id,
            invoice_id=invoice_id,
            plan_id=_plan_id(loaded),
            plan_version_id=loaded.plan_version.id if loaded.plan_version else None,
            name=name,
            type="task",
            status="to_do",
            cause=task.cause.value,
            reason=task.text,
            owner_id=owner.id if owner else None,
            shown_at=unit.now,
            created_at=unit.now,
        )
        bring_back(row, loaded.actions.values())
        unit.session.add(row)
        unit.session.flush()
        kind = "exhausted" if task.cause is Cause.EXHAUSTED else "credit_covers"
        note(unit, loaded.customer, kind, task.text, invoice_id=invoice_id, by=BY)


def _plan_id(loaded: Loaded) -> uuid.UUID | None:
    return loaded.plan_version.plan_id if loaded.plan_version else None


def _planned(unit: Unit, loaded: Loaded, decision: Decision) -> t.Action | None:
    """Keep one planned action: the automatic step that comes next (rule 21 needs to know it). It
    becomes what was decided now: the plan may have been saved since it was planned."""
    wanted: t.Action | None = None
    step = step_in(loaded, decision.step_key) if decision.action_id is None else None
    waits = decision.kind is Kind.WAIT
    if waits and step is not None and not step.automatic:
        step = None  # not shown before its day
    for row in loaded.actions.values():
        if row.status != "planned":
            continue
        same = (
            step is not None
            and str(row.invoice_id) == decision.invoice_id
            and row.plan_id == _plan_id(loaded)
            and (row.step_key, row.occurrence) == (decision.step_key, decision.occurrence)
        )
        if same and wanted is None:
            wanted = row
        else:
            end(row, "withdrawn", _why_not_planned(decision), unit.now, BY)
    if step is None:
        return None
    if wanted is None:
        return new_action(unit, loaded, decision, step, "planned") if waits else None
    version = loaded.plan_version
    wanted.plan_version_id = version.id if version else None
    wanted.name, wanted.type, wanted.automatic = step.name, step.type.value, step.automatic
    wanted.trigger_on = decision.trigger_on
    if waits or wanted.planned_for is None or wanted.planned_for > unit.now:
        wanted.planned_for = decision.due  # else: for when it was planned counts (rule 21)
    return wanted


def _why_not_planned(decision: Decision) -> str:
    reason = decision.reasons[-1] if decision.reasons else None
    return f"{reason.text} (rule {reason.rule})" if reason else "another step comes next"


def new_action(unit: Unit, loaded: Loaded, decision: Decision, step: Step, status: str) -> t.Action:
    """An action of a step; it gets its owner when it is shown."""
    row = t.Action(
        organisation_id=loaded.organisation.id,
        customer_id=loaded.customer.id,
        invoice_id=uuid.UUID(decision.invoice_id),
        plan_id=_plan_id(loaded),
        plan_version_id=loaded.plan_version.id if loaded.plan_version else None,
        step_key=step.key,
        name=step.name,
        occurrence=decision.occurrence,
        attempt=decision.attempt,
        type=step.type.value,
        automatic=step.automatic,
        status=status,
        trigger_on=decision.trigger_on,
        planned_for=decision.due,
        created_at=unit.now,
    )
    unit.session.add(row)
    unit.session.flush()
    return row


def pass_over(unit: Unit, loaded: Loaded, decision: Decision) -> None:
    """Rule 15: pre-due steps that came too late are on record as obsolete; no contact."""
    known = {
        (a.step_key, a.status) for a in loaded.actions.values()
        if str(a.invoice_id) == decision.invoice_id and a.plan_id == _plan_id(loaded)
    }  # fmt: skip
    worked = any(status in ("done", "skipped", "obsolete") for _, status in known)
    for key in decision.pass_over:
        step = step_in(loaded, key)
        # Before the first action the entry passes steps over without a trace (rules 11 to 13).
        if step is None or (key, "obsolete") in known or not worked:
            continue
        row = new_action(
            unit,
            loaded,
            Decision(
                Kind.ASSIGN,
                invoice_id=decision.invoice_id,
                step_key=key,
                attempt=_next_attempt(loaded, decision, key),
            ),
            step,
            "obsolete",
        )
        end(row, "obsolete", "too late before the due date (rule 15)", unit.now, BY)
        note(unit, loaded.customer, "action_obsolete", f"'{step.name}' is passed over",
             invoice_id=row.invoice_id, action_id=row.id, by=BY)  # fmt: skip


def _next_attempt(loaded: Loaded, decision: Decision, key: str) -> int:
    return 1 + max(
        (
            a.attempt
            for a in loaded.actions.values()
            if str(a.invoice_id) == decision.invoice_id and a.step_key == key and a.occurrence == 0
        ),
        default=-1,
    )


_CAUSES = {
    Cause.NO_RECIPIENT: "no valid recipient (rule 35)",
    Cause.BOUNCED: "the message bounced (rule 37)",
    Cause.REJECTED: "the provider refused the message",
}


def _assign(
    unit: Unit,
    loaded: Loaded,
    decision: Decision,
    planned: t.Action | None,
) -> None:
    """The action is with its owner from now on (rules 22 and 35)."""
    step = step_in(loaded, decision.step_key)
    assert step is not None, "an assign decision names a step of the plan"
    row = planned or new_action(unit, loaded, decision, step, "to_do")
    row.status, row.shown_at, row.planned_for = "to_do", unit.now, decision.due
    owner = owner_for(unit, loaded.customer, step.owner)
    row.owner_id = owner.id if owner else None
    if decision.cause is not None:
        row.cause = decision.cause.value
        row.reason = _CAUSES.get(decision.cause, decision.cause.value)
    returned = bring_back(row, loaded.actions.values())
    text = f"'{row.name}' ({row.type}) is to do"
    text += " again, as its owner had left it" if returned else ""
    text += f": {row.reason}" if row.reason else ""
    note(unit, loaded.customer, "action_to_do", text,
         invoice_id=row.invoice_id, action_id=row.id, by=BY)  # fmt: skip


def write_sequence(unit: Unit, loaded: Loaded, decision: Decision, handled: int) -> str:
    """Remember what was decided, and with which plan; returns the sentence that says it."""
    summary = summarise(loaded, decision)
    carried = loaded.account.contextualized_invoice_id
    loaded.customer.contextualized_invoice_id = uuid.UUID(carried) if carried else None
    values = {
        "customer_id": loaded.customer.id,
        "organisation_id": loaded.organisation.id,
        "plan_id": _plan_id(loaded),
        "state": decision.kind.value,
        "invoice_id": uuid.UUID(decision.invoice_id) if decision.invoice_id else None,
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
    zone = loaded.account.calendar.zone
    parts = []
    if decision.look_up and decision.at is not None:
        asked = f"{decision.at.astimezone(zone):%a %-d %b %Y %H:%M %Z}"
        parts.append(f"Unknown whether it left: asking the provider {asked}")
    elif decision.kind is Kind.WAIT and decision.at is not None:
        parts.append(f"Waiting until {decision.at.astimezone(zone):%a %-d %b %Y %H:%M %Z}")
    else:
        parts.append({
            Kind.SEND: "Sending now", Kind.ASSIGN: "Shown to its owner",
            Kind.AWAIT_OWNER: "Waiting for its owner", Kind.REST: "Resting",
            Kind.WAIT: "Waiting",
        }[decision.kind])  # fmt: skip
    plan, step = loaded.account.plan, step_in(loaded, decision.step_key)
    if plan is not None and step is not None:
        place = plan.keys.index(step.key) + 1
        kind = ActionType(step.type).value
        parts.append(f"step {place} of {len(plan.steps)} '{step.name}' ({kind})")
    if decision.invoice_id is not None:
        invoice = loaded.invoices.get(uuid.UUID(decision.invoice_id))
        parts.append(invoice.number if invoice else "")
    if decision.kind is Kind.REST and decision.reasons:
        parts.append(decision.reasons[-1].text)
    return " · ".join(p for p in parts if p)
