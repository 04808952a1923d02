"""From an action to its message: the facts of this moment, put into words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from activities.frozen import attachments
from backoffice.delivery.drafts import check_sender, delivery_id, draft
from backoffice.delivery.links import short_link
from backoffice.worklist.attachments import attached
from backoffice.worklist.edits import check_words
from dunning.plan import ActionType
from messages.compose import compose
from messages.message import Message
from store import tables as t
from store.load import Loaded
from store.unit import Unit


@dataclass(frozen=True, slots=True)
class Put:
    """A message with what is kept of it."""

    message: Message
    frozen: dict[str, Any]
    content_hash: str


def put_into_words(
    unit: Unit, loaded: Loaded, action: t.Action, public_url: str
) -> tuple[Message, Sequence[t.File]]:
    """Raises BadMessage, TemplateError, NotVerified for one that cannot be sent as it is, Invalid
    for a call or a task that was made a message without words for the customer."""
    check_words(
        action.edits, ActionType(action.type), ActionType(action.executed_type or action.type)
    )
    by = unit.session.get(t.Member, action.requested_by) if action.requested_by else None
    key = delivery_id(action)
    link = short_link(unit, loaded, action, key, public_url)
    drafted = draft(unit, loaded, action, by, link=link)
    check_sender(loaded.organisation, drafted)
    files = attached(unit, loaded, action)
    message = compose(drafted, str(key), str(loaded.organisation.id), attachments(files))
    return message, files
