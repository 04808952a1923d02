"""Invitations: one-time tokens that a member exchanges for a key of their own.

Nobody else has a member's key, not even an admin (rule 29). If somebody else uses an invitation, it
becomes visible: the use is on the audit trail, and the member's own attempt fails.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from backoffice.people.audit import record
from backoffice.people.keys import MEMBER, new_key
from store import tables as t
from store.errors import Conflict, NotFound
from store.unit import Unit

GOOD_FOR = timedelta(days=7)
_PREFIX = "dun_invitation_"


def invite(unit: Unit, member: t.Member, by: t.Member) -> tuple[str, t.Invitation]:
    """Makes an invitation, valid for ``GOOD_FOR``, and returns its token. Only the token's SHA-256
    is stored (it has 256 random bits). The member's earlier unused invitation ends. Conflict for a
    member who left."""
    unit.session.refresh(member, with_for_update={"key_share": True})
    if not member.active:
        raise Conflict(f"{member.name} is not a member any more")
    now = datetime.now(UTC)
    end_invitations(unit.at(now), member)
    token = _PREFIX + secrets.token_urlsafe(32)
    row = t.Invitation(
        organisation_id=member.organisation_id,
        member_id=member.id,
        token_hash=_hash(token),
        expires_at=now + GOOD_FOR,
    )
    unit.session.add(row)
    words = f"{member.name} is invited to make a key"
    record(unit, "invitation_made", words, by=by, about=member)
    return token, row


def exchange(session: Session, token: str, name: str) -> str:
    """Returns the member's new key, which is not shown again. The token itself names the
    organisation. NotFound, always in the same words, for a token that does not exist, is used,
    replaced or expired, or of a member who left."""
    now = datetime.now(UTC)
    used = session.connection().execute(
        sa.update(t.Invitation)
        .where(col(t.Invitation.token_hash) == _hash(token), col(t.Invitation.used_at).is_(None))
        .where(col(t.Invitation.expires_at) > now)
        .where(
            sa.exists(
                select(t.Member.id).where(
                    t.Member.id == t.Invitation.member_id, col(t.Member.active)
                )
            )
        )
        .values(used_at=now)
        .returning(col(t.Invitation.member_id))
    )
    member_id = used.scalar_one_or_none()
    if member_id is None:
        raise NotFound(
            "no such invitation, or it was used or has expired; ask an admin for a new one"
        )
    member = session.get_one(t.Member, member_id)
    unit = Unit(session, member.organisation_id)
    key = new_key(unit, MEMBER, name, member)
    words = f"an invitation of {member.name} was exchanged for the key {name!r}"
    record(unit, "invitation_used", words, by=member, about=member)
    return key


def end_invitations(unit: Unit, member: t.Member) -> None:
    """Ends the member's unused invitation."""
    unit.session.connection().execute(
        sa.update(t.Invitation)
        .where(col(t.Invitation.member_id) == member.id, col(t.Invitation.used_at).is_(None))
        .where(col(t.Invitation.expires_at) > unit.real)
        .values(expires_at=unit.real)
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.strip().encode("utf-8", "surrogatepass")).hexdigest()
