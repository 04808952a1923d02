"""Renders an action as its message, with the facts of this moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from backoffice.delivery.deliveries import delivery_id
from backoffice.delivery.drafts import check_sender, draft
from backoffice.delivery.frozen import attachments, freeze, thaw
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
class Kept:
    """What is stored of a message: the message itself, and the SHA-256 of its content."""

    frozen: dict[str, Any] = field(default_factory=dict)
    content_hash: str = ""


def new_message(
    unit: Unit, loaded: Loaded, action: t.Action, public_url: str
) -> tuple[Message, Kept]:
    """Raises BadMessage, TemplateError or NotVerified for a message that cannot be sent as it is,
    Invalid for a call or a task that was made a message without texts for the customer."""
    kind = ActionType(action.executed_type or action.type)
    check_words(action.edits, ActionType(action.type), kind)
    by = unit.session.get(t.Member, action.requested_by) if action.requested_by else None
    key = delivery_id(action)
    link = short_link(unit, loaded, action, key, public_url)
    drafted = draft(unit, loaded, action, by, link=link)
    check_sender(loaded.organisation, drafted)
    files = attached(unit, loaded, action)
    message = compose(drafted, str(key), str(loaded.organisation.id), attachments(files))
    return message, Kept(freeze(message, files), message.content_hash())


def stored_message(unit: Unit, row: t.Delivery) -> tuple[Message, Kept]:
    """The message of the delivery's last claim, unchanged."""
    return thaw(unit.session, row), Kept(dict(row.message), row.message_hash)
