"""Members, groups and keys."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from backoffice.people import admins
from backoffice.people.audit import record
from backoffice.people.owners import customers_without_owner
from dunning.ids import our_id
from store import tables as t
from store.errors import Conflict, NotFound
from store.locks import lock_organisation
from store.nudges import nudge_many
from store.unit import Unit

_ALPHABET = string.ascii_letters + string.digits
#: Of 62 letters and digits: 256 bits.
_SECRET_LENGTH = 43
MEMBER, BILLING = "member", "billing"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking: a member, or a billing system (``member`` is None)."""

    organisation_id: uuid.UUID
    scope: str
    key_id: str
    member: t.Member | None = None

    @property
    def name(self) -> str:
        return self.member.name if self.member else "billing"


def new_key(
    unit: Unit,
    scope: str,
    name: str,
    member: t.Member | None = None,
) -> str:
    """Make a key and return it; only its hash stays (it has 256 random bits, so SHA-256 serves)."""
    key_id = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
    unit.session.add(
        t.ApiKey(
            id=key_id,
            organisation_id=unit.organisation_id,
            member_id=member.id if member else None,
            scope=scope,
            name=name,
            secret_hash=_hash(secret),
            last4=secret[-4:],
        )
    )
    return f"dun_live_{key_id}_{secret}"


def may_be_key(text: str) -> bool:
    """Whether it has the form of a key, which needs no look-up. Keys of before are shorter."""
    return (
        re.fullmatch(r"dun_live_[A-Za-z0-9]{12}_([A-Za-z0-9]{32}|[A-Za-z0-9]{43})", text)
        is not None
    )


def authenticate(session: Session, key: str) -> Principal | None:
    """The principal of a key; None when it is unknown, revoked, expired or of a member who left."""
    if not may_be_key(key):
        return None
    *_, key_id, secret = key.split("_")
    found = session.exec(
        select(t.ApiKey, t.Member)
        .outerjoin(t.Member, col(t.Member.id) == t.ApiKey.member_id)
        .where(t.ApiKey.id == key_id)
    ).one_or_none()
    row, member = found if found is not None else (None, None)
    good = hmac.compare_digest(row.secret_hash if row else _hash(""), _hash(secret))
    if row is None or not good or row.revoked_at is not None:
        return None
    if row.expires_at is not None and row.expires_at <= datetime.now(UTC):
        return None
    if row.scope == MEMBER and (member is None or not member.active):
        return None
    return Principal(row.organisation_id, row.scope, row.id, member)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def put_member(unit: Unit, email: str, name: str, role: str = "member") -> t.Member:
    """Create or update a member by e-mail address; one who had left is back. Who comes may be the
    owner that an open action waits for: the customers of those look again. Conflict when no admin
    with a key would be left."""
    row = _of_address(unit, email)
    if row is None:  # two who write it differently must not both make it
        lock_organisation(unit)
        row = _of_address(unit, email)
    if row is None:
        row = t.Member(organisation_id=unit.organisation_id, email=email, name=name)
        unit.session.add(row)
    elif row.role == "admin" and role != "admin":
        admins.before_leaving(unit, row)
    row.name, row.role, row.active = name, role, True
    unit.session.flush()
    unowned = customers_without_owner(unit)
    if unowned:
        nudge_many(unit, unowned)
    return row


def _of_address(unit: Unit, email: str) -> t.Member | None:
    """Both sides in lower case by PostgreSQL, whose idea of it is not Python's ("İ")."""
    return unit.session.exec(
        select(t.Member).where(
            t.Member.organisation_id == unit.organisation_id,
            sa.func.lower(t.Member.email) == sa.func.lower(email),
        )
    ).one_or_none()


def list_members(unit: Unit) -> list[t.Member]:
    """The active ones, by name."""
    return list(
        unit.session.exec(
            select(t.Member)
            .where(t.Member.organisation_id == unit.organisation_id, col(t.Member.active))
            .order_by(t.Member.name, t.Member.email)
        )
    )


def groups(unit: Unit) -> dict[str, list[t.Member]]:
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


def make_key(unit: Unit, member: t.Member, name: str) -> str:
    """One more key of the member who asks."""
    key = new_key(unit, MEMBER, name, member)
    words = f"{member.name} made the key {name!r}"
    record(unit, "key_made", words, by=member, about=member)
    return key


def make_key_on_the_machine(unit: Unit, member: t.Member, name: str) -> str:
    """A key of a member, made by whoever works on the machine itself; the member is shown it.
    Conflict for one who left."""
    unit.session.refresh(member, with_for_update={"key_share": True})
    if not member.active:
        raise Conflict(f"{member.name} is not a member any more")
    key = new_key(unit, MEMBER, name, member)
    words = f"the key {name!r} of {member.name} is made on the machine itself"
    record(unit, "key_made", words, by=None, about=member)
    return key


def list_keys(unit: Unit, member: t.Member) -> list[t.ApiKey]:
    """The keys that are not revoked, oldest first: of an admin all, else the member's own."""
    statement = (
        select(t.ApiKey)
        .where(t.ApiKey.organisation_id == member.organisation_id)
        .where(col(t.ApiKey.revoked_at).is_(None))
        .order_by(col(t.ApiKey.created_at), t.ApiKey.id)
    )
    if member.role != "admin":
        statement = statement.where(t.ApiKey.member_id == member.id)
    return list(unit.session.exec(statement))


def revoke_key(unit: Unit, by: t.Member, key_id: str) -> None:
    """The key is good no more. A member revokes their own, an admin any. NotFound when there is
    none that they may revoke, or it was revoked before; Conflict for the last key of an admin."""
    row = unit.session.get(t.ApiKey, key_id)
    if row is None or row.organisation_id != by.organisation_id:
        raise NotFound(f"no key {key_id!r}")
    if by.role != "admin" and row.member_id != by.id:
        raise NotFound(f"no key {key_id!r}")
    whose = unit.session.get(t.Member, row.member_id) if row.member_id else None
    if whose is not None:
        admins.before_revoking(unit, whose, row)
    unit.session.refresh(row, with_for_update={"key_share": True})
    if row.revoked_at is not None:
        raise NotFound(f"no key {key_id!r}")
    row.revoked_at = datetime.now(UTC)
    words = f"the key {row.name!r} of {whose.name if whose else 'billing'} is revoked"
    record(unit, "key_revoked", words, by=by, about=whose)


def set_group(unit: Unit, name: str, members: list[t.Member]) -> None:
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


def member_or_404(unit: Unit, key: str) -> t.Member:
    """By our id where it has the form of one, else by e-mail address."""
    ours = our_id(key)
    if ours is None:
        row = _of_address(unit, key)
    else:
        mine = select(t.Member).where(t.Member.organisation_id == unit.organisation_id)
        row = unit.session.exec(mine.where(t.Member.id == ours)).one_or_none()
    if row is None:
        raise NotFound(f"no member {key!r}")
    return row


def remove_member(unit: Unit, member: t.Member) -> None:
    """A member leaves, and with them their keys, an unused invitation and an absence. Conflict
    while open actions are theirs (rule 29, which is why it does not say how many): hand them on
    first; Conflict for the last admin who has a key."""
    if member.role == "admin":
        admins.before_leaving(unit, member)
    # Not weaker: an action that is being given to the member just now is waited for, and counts.
    unit.session.refresh(member, with_for_update=True)
    owns = unit.session.exec(
        select(t.Action.id)
        .where(
            t.Action.owner_id == member.id,
            col(t.Action.status).in_(("to_do", "needs_review", "sending")),
        )
        .limit(1)
    ).first()
    if owns is not None:
        raise Conflict(
            f"{member.name} owns open actions; record an absence with "
            f"PUT /v1/members/{member.id}/absence and hand them on with "
            f"POST /v1/members/{member.id}/reassign-actions first"
        )
    member.active = False
    now = datetime.now(UTC)
    for key in unit.session.exec(select(t.ApiKey).where(t.ApiKey.member_id == member.id)):
        key.revoked_at = key.revoked_at or now
    end_invitations(unit.at(now), member)
    absence = unit.session.get(t.Absence, member.id)
    if absence is not None:
        unit.session.delete(absence)


def end_invitations(unit: Unit, member: t.Member) -> None:
    """A member's invitation that was not used is good no more."""
    unit.session.connection().execute(
        sa.update(t.Invitation)
        .where(col(t.Invitation.member_id) == member.id, col(t.Invitation.used_at).is_(None))
        .where(col(t.Invitation.expires_at) > unit.real)
        .values(expires_at=unit.real)
    )
