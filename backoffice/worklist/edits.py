"""What an owner changed in an action before completing it (rule 28), and for which reader.

The texts of a call or a task are an internal script. They are stored apart from the texts for the
customer, so that no change of type sends a script to the customer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dunning.model import ActionStatus
from dunning.plan import CHANNELS, ActionType
from store import tables as t
from store.errors import Invalid, Mistake

_WORDS = ("subject", "body")
_SCRIPT = "script"
#: Removed when an action gets its edits back with another type: an address belongs to one channel.
_ADDRESSES = ("recipients", "cc", "bcc")


def edited(edits: Mapping[str, Any], kind: ActionType, changes: Mapping[str, Any]) -> Any:
    """The action's edits, with the changes, for its type ``kind``."""
    if kind in CHANNELS:
        return {**edits, **changes}
    script = {name: changes[name] for name in _WORDS if name in changes}
    others = {name: value for name, value in changes.items() if name not in script}
    kept = {_SCRIPT: {**edits.get(_SCRIPT, {}), **script}} if script else {}
    return {**edits, **others, **kept}


def words(edits: Mapping[str, Any], planned: ActionType, kind: ActionType) -> dict[str, str]:
    """Subject and body as the owner wrote them for the action's type. A script may show texts for
    the customer, but a message never shows a script."""
    own = {name: edits[name] for name in _WORDS if name in edits}
    if kind in CHANNELS:
        return own
    script: dict[str, str] = edits.get(_SCRIPT, {})
    return dict(script) if planned not in CHANNELS else {**own, **script}


def plans_words_serve(planned: ActionType, kind: ActionType) -> bool:
    """Whether the step's own texts may be used: a call's or a task's never reach a customer."""
    return kind not in CHANNELS or planned in CHANNELS


def check_words(edits: Mapping[str, Any], planned: ActionType, kind: ActionType) -> None:
    """Raises Invalid, at each missing text, for a call or a task that was made a message and has no
    texts for the customer. An empty text is not missing: it means the built-in one."""
    if plans_words_serve(planned, kind):
        return
    needed = ("body",) if kind is ActionType.SMS else _WORDS
    missing = [name for name in needed if name not in edits]
    if missing:
        reason = (
            f"the words of a {planned} are internal and do not leave; write those of the {kind} "
            "for the customer (an empty text takes the built-in one)"
        )
        detail = f"{' and '.join(missing)}: {reason}"
        raise Invalid(detail, [Mistake(f"/{name}", reason) for name in missing])


def bring_back(row: t.Action, earlier: Iterable[t.Action]) -> bool:
    """Restores the owner's work on an action: as the same owner left the same step, or task, when
    it was withdrawn or came back (note, type, texts, recipients, attachments). True if there was
    any.

    Another owner's work is not restored: only that owner may read it (rule 29).
    """
    mine = [a for a in earlier if a.id != row.id and _was_left(a) and _same(a) == _same(row)]
    last = max(mine, key=lambda a: a.seq or 0, default=None)
    if last is None:
        return False
    chosen = last.executed_type if last.executed_type != last.type else None
    row.note, row.executed_type, row.edits = last.note, chosen, dict(last.edits)
    if (chosen or row.type) != (last.executed_type or last.type):  # the plan has been saved since
        row.edits = {k: v for k, v in row.edits.items() if k not in _ADDRESSES}
    return bool(last.note or chosen or row.edits)


def _was_left(row: t.Action) -> bool:
    """Whether it had an owner, who could edit it, and ended without being executed or skipped."""
    ended = row.status in (ActionStatus.WITHDRAWN, ActionStatus.FAILED)
    return ended and row.owner_id is not None and row.shown_at is not None


def _same(row: t.Action) -> tuple[object, ...]:
    """Key of an owner's work: on a step, or for a task without a step on its cause."""
    what = (row.plan_id, row.step_key, row.occurrence) if row.step_key else (row.cause,)
    return (row.owner_id, row.invoice_id, *what)
