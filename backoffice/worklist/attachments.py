"""The files of an action: those that its owner attaches, and all that its email has (rule 28)."""

from __future__ import annotations

import uuid

from backoffice.ledger import files
from backoffice.worklist.own import own_open, refuse_in_doubt
from backoffice.worklist.states import note_about, type_of
from backoffice.worklist.steps import step_of
from dunning.carrying import can_carry, order
from dunning.ids import FileId, InvoiceId
from dunning.plan import ActionType
from store import tables as t
from store.errors import Conflict, NotFound
from store.load import Loaded
from store.unit import Unit

_EDIT = "attachments"


def attach(
    unit: Unit, member: t.Member, key: str, name: str, content_type: str, content: bytes
) -> t.Action:
    """Attaches a file to one of the member's own open emails (rule 28). Conflict for an action of
    another type, Invalid for a file that cannot be attached or is too large."""
    loaded, row = own_open(unit, member, key)
    refuse_in_doubt(row)
    if type_of(row) is not ActionType.EMAIL:
        raise Conflict(f"only an email has attachments; it is a {type_of(row)}")
    by = unit.named(member.name)
    file = files.keep(by, name, content_type, content)
    own = row.edits.get(_EDIT, [])
    if str(file.id) not in own:
        row.edits = {**row.edits, _EDIT: [*own, str(file.id)]}
        files.check_size(attached(unit, loaded, row))
        words = f"{file.name} is attached to '{row.name}'"
        note_about(by, loaded.customer, row, "action_edited", words)
        unit.session.flush()
    return row


def detach(unit: Unit, member: t.Member, key: str, file: str) -> t.Action:
    """Removes an attached file. NotFound for a file that its owner did not attach."""
    loaded, row = own_open(unit, member, key)
    refuse_in_doubt(row)
    own = row.edits.get(_EDIT, [])
    if file not in own:
        raise NotFound(f"no file {file!r} was attached to this action")
    row.edits = {**row.edits, _EDIT: [one for one in own if one != file]}
    (taken,) = files.about(unit, [FileId(uuid.UUID(file))])
    words = f"{taken.name} is taken off '{row.name}'"
    note_about(unit.named(member.name), loaded.customer, row, "action_edited", words)
    unit.session.flush()
    return row


def attached(unit: Unit, loaded: Loaded, action: t.Action) -> list[t.File]:
    """The files that are sent with an email: the PDFs of the invoices that it lists, if its step or
    its owner attaches them, then the files of its owner. Contents are loaded when they are read."""
    if type_of(action) is not ActionType.EMAIL:
        return []
    step = step_of(unit, loaded, action)
    ids: list[FileId] = []
    if action.edits.get("attach_invoices", bool(step and step.attach_invoices)):
        today = loaded.account.calendar.today(unit.now)
        listed = [i for i in loaded.account.invoices if can_carry(i, loaded.account, today)]
        rows = [loaded.invoices[InvoiceId(uuid.UUID(i.id))] for i in sorted(listed, key=order)]
        ids += [row.pdf_id for row in rows if row.pdf_id is not None]
    ids += [FileId(uuid.UUID(key)) for key in action.edits.get(_EDIT, ())]
    return files.about(unit, ids)
