"""Keys that seal the cursors of lists."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import SQLModel

from store.tables.columns import created, serial_key


class CursorKey(SQLModel, table=True):
    """A key that encrypts the cursors of lists (``store.cursors``). The newest key encrypts, all of
    them decrypt. Deleting a row makes the cursors of that key invalid."""

    __tablename__ = "cursor_key"

    version: int | None = serial_key()
    key: bytes
    created_at: datetime = created()
