"""The audit trail, append-only: what was done to members and their keys, and by whom.

Admins read all of it; a member reads what concerns them and what they did.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select

from store import tables as t
from store.unit import Unit

#: What others did to a member is shown to the member: for so many days, and so many entries.
NOTICE_DAYS, MOST_NOTICES = 30, 20


def record(
    unit: Unit,
    kind: str,
    text: str,
    *,
    by: t.Member | None,
    about: t.Member | None,
) -> None:
    """Appends an entry at the real time. ``by`` None: someone with access to the machine."""
    unit.session.add(
        t.AuditEntry(
            organisation_id=unit.organisation_id,
            kind=kind,
            text=text[:2000],
            by=by.name if by else "the machine",
            by_id=by.id if by else None,
            about_id=about.id if about else None,
        )
    )
    unit.session.flush()


def read(
    unit: Unit, member: t.Member, *, before: int | None = None, limit: int = 50
) -> list[t.AuditEntry]:
    """The entries that the member may read, newest first, older than the entry ``before``."""
    statement = (
        select(t.AuditEntry)
        .where(t.AuditEntry.organisation_id == member.organisation_id)
        .order_by(col(t.AuditEntry.id).desc())
        .limit(limit)
    )
    if member.role != "admin":
        mine = sa.or_(col(t.AuditEntry.about_id) == member.id, col(t.AuditEntry.by_id) == member.id)
        statement = statement.where(mine)
    if before is not None:
        statement = statement.where(col(t.AuditEntry.id) < before)
    return list(unit.session.exec(statement))


def notices(unit: Unit, member: t.Member) -> list[t.AuditEntry]:
    """What others did to the member in the last ``NOTICE_DAYS``, newest first."""
    return list(
        unit.session.exec(
            select(t.AuditEntry)
            .where(
                t.AuditEntry.about_id == member.id,
                col(t.AuditEntry.by_id).is_distinct_from(member.id),
                t.AuditEntry.at > datetime.now(UTC) - timedelta(days=NOTICE_DAYS),
            )
            .order_by(col(t.AuditEntry.id).desc())
            .limit(MOST_NOTICES)
        )
    )
