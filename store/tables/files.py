"""Stored files."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import SQLModel

from dunning.ids import FileId, OrganisationId
from store.tables.columns import created, reference, uuid_key


class File(SQLModel, table=True):
    """The PDF of an invoice, or a file that an action's owner attached. Immutable."""

    __table_args__ = (
        sa.Index("ix_file_organisation_id_sha256", "organisation_id", "sha256"),
        sa.Index("ix_file_created_at", "created_at"),
    )

    id: FileId = uuid_key()
    organisation_id: OrganisationId = reference("organisation.id", index=False)
    name: str
    content_type: str
    size: int
    sha256: str
    content: bytes
    created_by: str = ""
    created_at: datetime = created()
