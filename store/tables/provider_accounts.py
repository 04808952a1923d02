"""Accounts at providers: those of organisations, and those that their provider refuses."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from dunning.ids import OrganisationId
from store.tables.columns import created, instant, json_column, optional_reference, uuid_key


class ProviderAccount(SQLModel, table=True):
    """An organisation's own account at a provider. ``sealed``: its credentials, encrypted;
    ``shown``: the parts of them that the API may show."""

    __tablename__ = "provider_account"

    organisation_id: OrganisationId = Field(
        foreign_key="organisation.id", primary_key=True, sa_type=sa.Uuid
    )
    provider: str = Field(primary_key=True)
    sealed: bytes
    shown: dict[str, Any] = json_column(dict)
    updated_at: datetime = created()
    updated_by: str = ""


class HeldAccount(SQLModel, table=True):
    """An account that its provider refuses, whatever the message: only one probe at a time is sent
    with it. ``account``: its mark, as in a delivery; ``organisation_id``: its owner, None = the
    installation. All times are of the real clock. ``probes``: number of probes sent since; the
    next call to the provider is at ``next_probe_at``. ``ended_at``: when the hold ended, for the
    reason ``ended_by``."""

    __tablename__ = "held_account"
    __table_args__ = (
        sa.Index(
            "ix_held_account_open",
            "provider",
            "account",
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
    )

    id: uuid.UUID = uuid_key()
    provider: str
    account: str
    channel: str
    organisation_id: OrganisationId | None = optional_reference("organisation.id", index=True)
    since: datetime = created()
    reason: str
    probes: int = 0
    last_probe_at: datetime | None = instant()
    next_probe_at: datetime = created()
    ended_at: datetime | None = instant()
    ended_by: str = ""
