"""Members of an organisation, their keys and invitations, their absences and the audit trail."""

from __future__ import annotations

import uuid
from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from dunning.ids import MemberId, OrganisationId
from store.tables.columns import (
    created,
    instant,
    optional_reference,
    reference,
    required_instant,
    serial_key,
    uuid_key,
)


class Member(SQLModel, table=True):
    """A person who works for the organisation. Members are deactivated, never deleted."""

    __table_args__ = (sa.UniqueConstraint("organisation_id", "email"),)

    id: MemberId = uuid_key()
    organisation_id: OrganisationId = reference("organisation.id", index=False)
    name: str
    email: str
    role: str = "member"  # or "admin"
    active: bool = True
    created_at: datetime = created()


class GroupMember(SQLModel, table=True):
    """One member of the group ``name``; a group is its rows (rule 33)."""

    __tablename__ = "group_member"

    organisation_id: OrganisationId = Field(
        foreign_key="organisation.id", primary_key=True, sa_type=sa.Uuid
    )
    name: str = Field(primary_key=True)
    member_id: MemberId = Field(
        foreign_key="member.id", primary_key=True, index=True, sa_type=sa.Uuid
    )


class ApiKey(SQLModel, table=True):
    """A key of a ``member`` or of a ``billing`` system (``scope``). Only its hash is kept."""

    __tablename__ = "api_key"

    id: str = Field(primary_key=True)
    organisation_id: OrganisationId = reference("organisation.id")
    member_id: MemberId | None = optional_reference("member.id", index=True)
    scope: str
    name: str = ""
    secret_hash: str
    last4: str
    expires_at: datetime | None = instant()
    revoked_at: datetime | None = instant()
    created_at: datetime = created()


class Invitation(SQLModel, table=True):
    """A one-time token that a member exchanges for a key. Only its hash is kept."""

    id: uuid.UUID = uuid_key()
    organisation_id: OrganisationId = reference("organisation.id")
    member_id: MemberId = reference("member.id")
    token_hash: str = Field(unique=True)
    expires_at: datetime = required_instant()
    used_at: datetime | None = instant()
    created_at: datetime = created()


class Absence(SQLModel, table=True):
    """A member is away from ``from_on`` to ``until_on``, both included (days of the organisation);
    None = until somebody ends it."""

    member_id: MemberId = Field(foreign_key="member.id", primary_key=True, sa_type=sa.Uuid)
    from_on: date
    until_on: date | None = None
    set_by: str = ""


class AuditEntry(SQLModel, table=True):
    """Append-only: what was done about members and their keys. ``by_id``: the member who did it;
    None = the program. ``about_id``: the member it was done about."""

    __tablename__ = "audit"
    __table_args__ = (
        sa.Index("ix_audit_organisation_id_id", "organisation_id", "id"),
        sa.Index("ix_audit_about_id_id", "about_id", "id"),
    )

    id: int | None = serial_key()
    organisation_id: OrganisationId = reference("organisation.id", index=False)
    at: datetime = created()
    kind: str
    text: str
    by: str = ""
    by_id: MemberId | None = optional_reference("member.id")
    about_id: MemberId | None = optional_reference("member.id")
