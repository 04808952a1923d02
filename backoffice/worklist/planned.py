"""The actions of steps: planned ahead, made, or passed over."""

from __future__ import annotations

import uuid

from backoffice.worklist.states import end, note_about
from backoffice.worklist.steps import plan_id, step_in
from dunning.decision import Decision, Kind
from dunning.ids import InvoiceId
from dunning.model import ActionStatus
from dunning.plan import Step
from store import tables as t
from store.load import Loaded
from store.unit import Unit

#: A step whose action has one of these statuses was reached: later passed-over steps are recorded.
_WORKED = {ActionStatus.DONE, ActionStatus.SKIPPED, ActionStatus.OBSOLETE}


def plan_ahead(unit: Unit, loaded: Loaded, decision: Decision) -> t.Action | None:
    """Keeps one planned action: the automatic step that comes next (rule 21 needs it). It is
    updated to the current decision, because the plan may have been saved since it was planned."""
    step = _next_automatic(loaded, decision)
    wanted = _keep_one(unit, loaded, decision, step)
    if step is None:
        return None
    waits = decision.kind is Kind.WAIT
    if wanted is None:
        return new_action(unit, loaded, decision, step, ActionStatus.PLANNED) if waits else None
    version = loaded.plan_version
    wanted.plan_version_id = version.id if version else None
    wanted.name, wanted.type, wanted.automatic = step.name, step.type.value, step.automatic
    wanted.trigger_on = decision.trigger_on
    if waits or wanted.planned_for is None or wanted.planned_for > unit.now:
        wanted.planned_for = decision.due  # else the old time counts (rule 21)
    return wanted


def new_action(
    unit: Unit, loaded: Loaded, decision: Decision, step: Step, status: ActionStatus
) -> t.Action:
    """Makes an action of a step. It gets its owner when it is opened."""
    row = t.Action(
        organisation_id=loaded.organisation.id,
        customer_id=loaded.customer.id,
        invoice_id=InvoiceId(uuid.UUID(decision.invoice_id)),
        plan_id=plan_id(loaded),
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
    """Rule 15: records pre-due steps that came too late as obsolete; they are no contacts."""
    known = {
        (a.step_key, a.status)
        for a in loaded.actions.values()
        if str(a.invoice_id) == decision.invoice_id and a.plan_id == plan_id(loaded)
    }
    worked = any(status in _WORKED for _, status in known)
    for key in decision.pass_over:
        step = step_in(loaded, key)
        # Before its first action an invoice passes steps over without a record (rules 11 to 13).
        if step is None or (key, ActionStatus.OBSOLETE) in known or not worked:
            continue
        passed = Decision(
            Kind.ASSIGN,
            invoice_id=decision.invoice_id,
            step_key=key,
            attempt=_next_attempt(loaded, decision, key),
        )
        row = new_action(unit, loaded, passed, step, ActionStatus.OBSOLETE)
        end(unit, row, ActionStatus.OBSOLETE, "too late before the due date (rule 15)")
        words = f"'{step.name}' is passed over"
        note_about(unit, loaded.customer, row, "action_obsolete", words)


def _next_automatic(loaded: Loaded, decision: Decision) -> Step | None:
    """The automatic step decided, or a manual one on its day: before that day it is not shown."""
    step = step_in(loaded, decision.step_key) if decision.action_id is None else None
    if decision.kind is Kind.WAIT and step is not None and not step.automatic:
        return None
    return step


def _keep_one(unit: Unit, loaded: Loaded, decision: Decision, step: Step | None) -> t.Action | None:
    """The planned action of the step; other planned actions are withdrawn."""
    wanted: t.Action | None = None
    for row in loaded.actions.values():
        if row.status != ActionStatus.PLANNED:
            continue
        same = (
            step is not None
            and str(row.invoice_id) == decision.invoice_id
            and row.plan_id == plan_id(loaded)
            and (row.step_key, row.occurrence) == (decision.step_key, decision.occurrence)
        )
        if same and wanted is None:
            wanted = row
        else:
            end(unit, row, ActionStatus.WITHDRAWN, _why_not_planned(decision))
    return wanted


def _why_not_planned(decision: Decision) -> str:
    reason = decision.reasons[-1] if decision.reasons else None
    return f"{reason.text} (rule {reason.rule})" if reason else "another step comes next"


def _next_attempt(loaded: Loaded, decision: Decision, key: str) -> int:
    return 1 + max(
        (
            a.attempt
            for a in loaded.actions.values()
            if str(a.invoice_id) == decision.invoice_id and a.step_key == key and a.occurrence == 0
        ),
        default=-1,
    )
