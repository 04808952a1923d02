"""Rule 29: what a member sees of actions and of the timeline. It is decided here and nowhere else.

Only its owner sees an open manual action. Of one that was withdrawn or skipped, others see only the
fact and the reason: any member can have an action withdrawn, with a dispute or another plan, and
must not be able to read its contents in that way.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select

from backoffice.people.owners import is_open, without_owner
from dunning.model import ActionStatus
from store import tables as t

_NOT_EXECUTED = (ActionStatus.SKIPPED, ActionStatus.WITHDRAWN)
#: Entries about such an action that everybody reads: how it ended, and what became of a message
#: that may have left before.
_TOLD = (
    "action_left",
    "action_skipped",
    "action_withdrawn",
    "auto_reply",
    "letter_tracking",
    "reply",
)


def visible_to(member: t.Member) -> ColumnElement[bool]:
    """Everything but the open manual actions of other members. Admins also see the open actions
    that nobody owns."""
    mine = col(t.Action.owner_id).is_not_distinct_from(member.id)  # never NULL: it is negated too
    seen = sa.or_(sa.not_(is_open()), mine)
    return sa.or_(seen, without_owner()) if member.role == "admin" else seen


def withheld_from(row: t.Action, member: t.Member) -> bool:
    """Whether what its owner wrote and chose stays the owner's: note, texts, recipients, type and
    attachments of an action that ended without having been executed."""
    return row.status in _NOT_EXECUTED and row.shown_at is not None and row.owner_id != member.id


def hidden_entries(member: t.Member) -> ColumnElement[bool]:
    """Entries of the timeline that the member does not read: about an action that is somebody
    else's, and how one that is ``withheld_from`` the member was worked."""
    withheld = sa.and_(
        col(t.Action.status).in_(_NOT_EXECUTED),
        col(t.Action.shown_at).is_not(None),
        col(t.Action.owner_id).is_distinct_from(member.id),
    )
    told = sa.or_(
        col(t.TimelineEntry.kind).in_(_TOLD), col(t.TimelineEntry.kind).startswith("message_")
    )
    return sa.exists(
        select(t.Action.id).where(
            t.Action.id == t.TimelineEntry.action_id,
            sa.or_(sa.not_(visible_to(member)), sa.and_(withheld, sa.not_(told))),
        )
    )


def hidden_send(member: t.Member) -> ColumnElement[bool]:
    """Of a customer's ``t.Sequence``: it sends a message that another member completed."""
    return sa.exists(
        select(t.Action.id).where(
            t.Action.customer_id == t.Sequence.customer_id,
            col(t.Action.requested_at).is_not(None),
            sa.not_(visible_to(member)),
        )
    )
