"""Rule 29: what a member sees of actions and of the timeline. It is decided only here.

Only its owner sees an open manual action. If it is withdrawn or skipped, others see only that fact
and the reason: any member can cause a withdrawal, with a dispute or another plan, and must not be
able to read the action's contents in that way.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select

from backoffice.people.owners import is_open, without_owner
from dunning.model import ActionStatus
from store import tables as t

_NOT_EXECUTED = (ActionStatus.SKIPPED, ActionStatus.WITHDRAWN)
#: Kinds of entries about such an action that everybody reads: how it ended, and what became of a
#: message that may have left before.
_READ_BY_ALL = (
    "action_left",
    "action_skipped",
    "action_withdrawn",
    "auto_reply",
    "letter_tracking",
    "reply",
)


def visible_to(member: t.Member) -> ColumnElement[bool]:
    """All actions but the open manual actions of other members. Admins also see open actions
    without an owner."""
    mine = col(t.Action.owner_id).is_not_distinct_from(member.id)  # never NULL: it is also negated
    seen = sa.or_(sa.not_(is_open()), mine)
    return sa.or_(seen, without_owner()) if member.role == "admin" else seen


def withheld_from(row: t.Action, member: t.Member) -> bool:
    """Whether the owner's work on an action stays hidden: note, texts, recipients, type and
    attachments of an action that ended without being executed."""
    return row.status in _NOT_EXECUTED and row.shown_at is not None and row.owner_id != member.id


def hidden_entries(member: t.Member) -> ColumnElement[bool]:
    """Entries of the timeline that the member may not read: about an action of another owner that
    is not visible, and about work on an action that is ``withheld_from`` the member."""
    withheld = sa.and_(
        col(t.Action.status).in_(_NOT_EXECUTED),
        col(t.Action.shown_at).is_not(None),
        col(t.Action.owner_id).is_distinct_from(member.id),
    )
    read_by_all = sa.or_(
        col(t.TimelineEntry.kind).in_(_READ_BY_ALL),
        col(t.TimelineEntry.kind).startswith("message_"),
    )
    return sa.exists(
        select(t.Action.id).where(
            t.Action.id == t.TimelineEntry.action_id,
            sa.or_(sa.not_(visible_to(member)), sa.and_(withheld, sa.not_(read_by_all))),
        )
    )


def hidden_send(member: t.Member) -> ColumnElement[bool]:
    """For a customer's ``t.Sequence``: whether it sends a message that another member completed."""
    return sa.exists(
        select(t.Action.id).where(
            t.Action.customer_id == t.Sequence.customer_id,
            col(t.Action.requested_at).is_not(None),
            sa.not_(visible_to(member)),
        )
    )
