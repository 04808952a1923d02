"""The files of an action: what its owner attaches, and all that goes with its email (rule 28)."""

from __future__ import annotations

import uuid

from backoffice.ledger.files import about
from backoffice.worklist.steps import step_of
from dunning.carrying import can_carry, order
from dunning.plan import ActionType
from store import tables as t
from store.load import Loaded
from store.unit import Unit


def attached(unit: Unit, loaded: Loaded, action: t.Action) -> list[t.File]:
    """What goes with an email: the PDFs of the invoices that it lists, where its step or its owner
    attaches them, then what its owner attached. Contents are loaded when they are read."""
    if ActionType(action.executed_type or action.type) is not ActionType.EMAIL:
        return []
    step = step_of(unit, loaded, action)
    ids: list[uuid.UUID] = []
    if action.edits.get("attach_invoices", bool(step and step.attach_invoices)):
        today = loaded.account.calendar.today(unit.now)
        listed = [i for i in loaded.account.invoices if can_carry(i, loaded.account, today)]
        rows = [loaded.invoices[uuid.UUID(i.id)] for i in sorted(listed, key=order)]
        ids += [row.pdf_id for row in rows if row.pdf_id is not None]
    ids += [uuid.UUID(key) for key in action.edits.get("attachments", ())]
    return about(unit, ids)
