"""Columns that many tables have, and the names of constraints and indexes."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

# Set before the first table is defined: each file of tables imports this one.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def uuid_key() -> Any:
    """A primary key: a random UUID, made here."""
    return Field(default_factory=uuid.uuid4, primary_key=True, sa_type=sa.Uuid)


def serial_key() -> Any:
    """A primary key: a number that the database counts up."""
    return Field(
        default=None,
        sa_column=sa.Column(sa.BigInteger, sa.Identity(always=False), primary_key=True),
    )


def sequence_number() -> Any:
    """A number that the database counts up, beside the primary key: lists are sorted by it."""
    return Field(
        default=None, sa_column=sa.Column(sa.BigInteger, sa.Identity(always=False), nullable=False)
    )


def reference(target: str, *, index: bool = True) -> Any:
    """A foreign key that is always set; ``target`` is ``table.column``."""
    return Field(foreign_key=target, index=index, sa_type=sa.Uuid)


def optional_reference(target: str, *, index: bool = False) -> Any:
    """A foreign key that may be null."""
    return Field(default=None, foreign_key=target, index=index, sa_type=sa.Uuid)


def required_instant() -> Any:
    """A timestamptz that is always set."""
    return Field(sa_type=sa.DateTime(timezone=True))


def instant() -> Any:
    """A timestamptz that may be null."""
    return Field(default=None, sa_type=sa.DateTime(timezone=True))


def created() -> Any:
    """A timestamptz that is the time of the insert (UTC, real clock) when nobody sets it."""
    return Field(
        default_factory=lambda: datetime.now(UTC),
        sa_type=sa.DateTime(timezone=True),
    )


def money() -> Any:
    """An amount with four decimals, in the currency of the row."""
    return Field(sa_type=sa.Numeric(20, 4))


def optional_money() -> Any:
    """An amount that may be null."""
    return Field(default=None, sa_type=sa.Numeric(20, 4))


def json_column(default: Any) -> Any:
    """A jsonb column; ``default`` is ``dict`` or ``list``."""
    return Field(default_factory=default, sa_type=JSONB)
