"""Keys of the API: made, checked, listed, revoked. Only their hashes are stored."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlmodel import Session, col, select

from backoffice.people import admins
from backoffice.people.audit import record
from dunning.ids import OrganisationId
from store import tables as t
from store.errors import Conflict, NotFound
from store.unit import Unit

_ALPHABET = string.ascii_letters + string.digits
#: Letters and digits, of 62 kinds: 256 bits.
_SECRET_LENGTH = 43
MEMBER, BILLING = "member", "billing"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who sends a request: a member, or a billing system (``member`` is None)."""

    organisation_id: OrganisationId
    scope: str
    key_id: str
    member: t.Member | None = None

    @property
    def name(self) -> str:
        return self.member.name if self.member else "billing"


def new_key(unit: Unit, scope: str, name: str, member: t.Member | None = None) -> str:
    """Makes a key and returns it. Only its SHA-256 is stored (a key has 256 random bits)."""
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
    """Whether it has the form of a key; needs no query. Older keys have a shorter secret."""
    return (
        re.fullmatch(r"dun_live_[A-Za-z0-9]{12}_([A-Za-z0-9]{32}|[A-Za-z0-9]{43})", text)
        is not None
    )


def authenticate(session: Session, key: str) -> Principal | None:
    """The principal of a key; None for a key that does not exist, is revoked or expired, or of a
    member who left. The key itself names the organisation."""
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


def make_key(unit: Unit, member: t.Member, name: str) -> str:
    """Makes one more key for the member who asks."""
    key = new_key(unit, MEMBER, name, member)
    words = f"{member.name} made the key {name!r}"
    record(unit, "key_made", words, by=member, about=member)
    return key


def make_key_on_the_machine(unit: Unit, member: t.Member, name: str) -> str:
    """Makes a key for a member, by someone with access to the machine; the member sees a notice.
    Conflict for a member who left."""
    unit.session.refresh(member, with_for_update={"key_share": True})
    if not member.active:
        raise Conflict(f"{member.name} is not a member any more")
    key = new_key(unit, MEMBER, name, member)
    words = f"the key {name!r} of {member.name} is made on the machine itself"
    record(unit, "key_made", words, by=None, about=member)
    return key


def list_keys(unit: Unit, member: t.Member) -> list[t.ApiKey]:
    """The keys that are not revoked, oldest first: for an admin all, else only the member's own."""
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
    """Revokes a key. A member revokes their own, an admin any. NotFound if there is none that they
    may revoke, or it was revoked before; Conflict for the last key of an admin."""
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
