"""What an owner does with an open action before completing it: editing and handing it on (rules 28
and 29). Attachments: ``attachments``; complete and skip: ``working``."""

from __future__ import annotations

from typing import Any

from backoffice.ledger.files import check_size
from backoffice.people.owners import hand_over
from backoffice.worklist import edits
from backoffice.worklist.attachments import attached
from backoffice.worklist.lists import find
from backoffice.worklist.own import has_no_owner, own_open, refuse_in_doubt
from backoffice.worklist.states import note_about, type_of
from dunning.plan import ActionType
from store import tables as t
from store.errors import Invalid, NotFound
from store.load import load
from store.unit import Unit


def edit(unit: Unit, member: t.Member, key: str, changes: dict[str, Any]) -> t.Action:
    """Changes an open action before it is completed (rule 28): type, recipients, cc, bcc, subject,
    body, note, and whether it has the PDFs of its invoices. The planned type is kept beside the
    executed one. Invalid, at the texts, for a call or a task that becomes a message and has no
    texts for the customer."""
    loaded, row = own_open(unit, member, key)
    refuse_in_doubt(row)
    chosen = changes.pop("type", None)
    if chosen is not None:
        row.executed_type = ActionType(chosen).value
    if "note" in changes:
        row.note = changes.pop("note")
    row.edits = edits.edited(row.edits, type_of(row), changes)
    edits.check_words(row.edits, ActionType(row.type), type_of(row))
    if changes.get("attach_invoices"):
        if type_of(row) is not ActionType.EMAIL:
            words = f"only an email has attachments; it is a {type_of(row)}"
            raise Invalid.at("/attach_invoices", words)
        check_size(attached(unit, loaded, row))
    words = f"'{row.name}' is edited"
    note_about(unit.named(member.name), loaded.customer, row, "action_edited", words)
    unit.session.flush()
    return row


def reassign(unit: Unit, member: t.Member, key: str, to: t.Member) -> t.Action:
    """Hands one of the member's own open actions to another member."""
    loaded, row = own_open(unit, member, key)
    hand_over(unit.named(member.name), loaded.customer, row, to)
    return row


def assign(unit: Unit, admin: t.Member, key: str, to: t.Member) -> t.Action:
    """An admin gives an open action without an owner to a member; NotFound for any other action."""
    row = find(unit, admin, key)
    loaded = load(unit, row.customer_id)
    unit.session.refresh(row)
    if not has_no_owner(unit, row):
        raise NotFound(f"no action {key!r}")
    hand_over(unit.named(admin.name), loaded.customer, row, to)
    return row
