"""Writes what a decision implies, only in our own database."""

from __future__ import annotations

import uuid

from backoffice.people.owners import find_owners, owner_for
from backoffice.worklist.edits import bring_back
from backoffice.worklist.planned import new_action, pass_over, plan_ahead
from backoffice.worklist.states import BY, end, note_about, open_for
from backoffice.worklist.steps import step_in
from backoffice.worklist.tasks import give_tasks
from dunning.decision import Decision, Kind, Outcome
from dunning.ids import ActionId
from dunning.model import ActionStatus, Cause
from store import tables as t
from store.load import Loaded
from store.timeline import note
from store.unit import Unit

_CAUSES = {
    Cause.NO_RECIPIENT: "no valid recipient (rule 35)",
    Cause.BOUNCED: "the message bounced (rule 37)",
    Cause.REJECTED: "the provider refused the message",
}


def record(unit: Unit, loaded: Loaded, decision: Decision) -> t.Action | None:
    """Records withdrawals, promises, tasks, the planned action and, for ``assign``, the to-do;
    finds owners for open actions without one.

    After an ``assign`` the account must be decided again. Returns the action of the step decided,
    if it has a row.
    """
    ours = unit.named(BY)
    _withdraw(ours, loaded, decision)
    _promises(ours, loaded, decision)
    give_tasks(ours, loaded, decision)
    planned = plan_ahead(ours, loaded, decision)
    if decision.pass_over:
        pass_over(ours, loaded, decision)
    if decision.kind is Kind.ASSIGN:
        _assign(ours, loaded, decision, planned)
    find_owners(ours, loaded.customer, loaded.actions.values())
    unit.session.flush()
    return planned


def action_to_send(unit: Unit, loaded: Loaded, decision: Decision) -> t.Action:
    """Records a decision to send; returns the action to be sent, as it was decided (rule 36)."""
    planned = record(unit, loaded, decision)
    if decision.action_id is not None:  # its owner has completed it
        return loaded.actions[ActionId(uuid.UUID(decision.action_id))]
    step = step_in(loaded, decision.step_key)
    assert step is not None, "a send decision names a step of the plan"
    return planned or new_action(unit, loaded, decision, step, ActionStatus.PLANNED)


def _withdraw(unit: Unit, loaded: Loaded, decision: Decision) -> None:
    for gone in decision.withdraw:
        row = loaded.actions[ActionId(uuid.UUID(gone.action_id))]
        end(unit, row, ActionStatus.WITHDRAWN, gone.text)
        words = f"'{row.name}' is withdrawn: {gone.text}"
        note_about(unit, loaded.customer, row, "action_withdrawn", words)


def _promises(unit: Unit, loaded: Loaded, decision: Decision) -> None:
    for ended in decision.promises:
        row = unit.session.get_one(t.Promise, uuid.UUID(ended.promise_id))
        row.outcome, row.outcome_at = ended.outcome.value, unit.now
        invoice = unit.session.get_one(t.Invoice, row.invoice_id)
        words = ended.outcome.value.replace("_", "-")
        text = f"the promise of {row.promised_on} for {invoice.number} is {words}"
        if ended.outcome is Outcome.ENDED:
            text += f": {invoice.number} {invoice.closed_reason}"
        kind = f"promise_{ended.outcome.value}"
        note(unit, loaded.customer, kind, text, invoice_id=row.invoice_id, by=unit.by)


def _assign(unit: Unit, loaded: Loaded, decision: Decision, planned: t.Action | None) -> None:
    """Gives the action to its owner (rules 22 and 35)."""
    step = step_in(loaded, decision.step_key)
    assert step is not None, "an assign decision names a step of the plan"
    row = planned or new_action(unit, loaded, decision, step, ActionStatus.TO_DO)
    row.planned_for = decision.due
    owner = owner_for(unit, loaded.customer, step.owner)
    cause = decision.cause
    reason = _CAUSES.get(cause, cause.value) if cause is not None else ""
    open_for(unit, row, owner.id if owner else None, cause, reason)
    returned = bring_back(row, loaded.actions.values())
    text = f"'{row.name}' ({row.type}) is to do"
    text += " again, as its owner had left it" if returned else ""
    text += f": {row.reason}" if row.reason else ""
    note_about(unit, loaded.customer, row, "action_to_do", text)
