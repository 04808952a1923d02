"""An organisation always keeps one active admin with a valid key; without one nobody could add
another.

A change that removes an admin or an admin's key first locks all admins, in one statement ordered by
id. So two such changes run one after the other.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select

from store import tables as t
from store.errors import Conflict
from store.unit import Unit


def before_leaving(unit: Unit, member: t.Member) -> None:
    """Before an admin leaves or loses the role: Conflict if no other admin has a valid key."""
    _lock(unit, member)
    if member.role != "admin" or not member.active:
        return
    if not _any_key(unit, member, col(t.ApiKey.member_id) != member.id):
        raise Conflict(
            f"{member.name} is the only admin with a key, without whom nobody could let anybody in "
            f"again; make another member an admin with PUT /v1/members/{{member}} first, who "
            f"exchanges an invitation of POST /v1/members/{{member}}/invitations for a key"
        )


def before_revoking(unit: Unit, member: t.Member, key: t.ApiKey) -> None:
    """Before a key is revoked: Conflict for the last valid key of all admins."""
    _lock(unit, member)
    its_own, others = col(t.ApiKey.id) == key.id, col(t.ApiKey.id) != key.id
    if _any_key(unit, member, its_own) and not _any_key(unit, member, others):
        raise Conflict(
            "this is the last key of an admin, without which nobody could let anybody in again; "
            "make another one with POST /v1/me/keys first"
        )


def _lock(unit: Unit, member: t.Member) -> None:
    """Locks the admins and the member, and reads their rows again."""
    unit.session.exec(
        select(t.Member)
        .where(t.Member.organisation_id == member.organisation_id)
        .where(
            sa.or_(
                col(t.Member.id) == member.id,
                sa.and_(col(t.Member.role) == "admin", col(t.Member.active)),
            )
        )
        .order_by(col(t.Member.id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()


def _any_key(unit: Unit, member: t.Member, which: Any) -> bool:
    """Whether an admin of the member's organisation has a valid key among these."""
    until = col(t.ApiKey.expires_at)
    found = unit.session.exec(
        select(t.ApiKey.id)
        .join(t.Member, col(t.Member.id) == t.ApiKey.member_id)
        .where(t.Member.organisation_id == member.organisation_id)
        .where(t.Member.role == "admin", col(t.Member.active))
        .where(col(t.ApiKey.revoked_at).is_(None))
        .where(sa.or_(until.is_(None), until > datetime.now(UTC)))
        .where(which)
        .limit(1)
    )
    return found.first() is not None
