"""Groups of members: a step of a plan may name one as its owner (rule 33)."""

from __future__ import annotations

from sqlmodel import col, select

from store import tables as t
from store.unit import Unit


def list_groups(unit: Unit) -> dict[str, list[t.Member]]:
    """The groups and their active members, by name."""
    found: dict[str, list[t.Member]] = {}
    rows = unit.session.exec(
        select(t.GroupMember.name, t.Member)
        .join(t.Member, col(t.Member.id) == t.GroupMember.member_id)
        .where(t.GroupMember.organisation_id == unit.organisation_id)
        .order_by(t.GroupMember.name, t.Member.name)
    )
    for name, member in rows:
        found.setdefault(name, []).extend([member] if member.active else [])
    return found


def set_group(unit: Unit, name: str, members: list[t.Member]) -> None:
    """Replaces the group's members."""
    rows = unit.session.exec(
        select(t.GroupMember).where(
            t.GroupMember.organisation_id == unit.organisation_id, t.GroupMember.name == name
        )
    )
    for row in rows:
        unit.session.delete(row)
    unit.session.flush()
    for member in members:
        unit.session.add(
            t.GroupMember(organisation_id=unit.organisation_id, name=name, member_id=member.id)
        )
    unit.session.flush()
