"""A message as it is kept with its delivery: what was sent, word for word."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlmodel import Session

from dunning.plan import ActionType
from messages.message import Attachment, Message, Postal, Recipient, Role
from store import tables as t


def freeze(message: Message, files: Sequence[t.File] = ()) -> dict[str, Any]:
    """Everything but the contents of its files, which stand in ``file`` and never change."""
    data = asdict(message)
    data["attachments"] = [
        {"file_id": str(f.id), "name": f.name, "content_type": f.content_type, "sha256": f.sha256}
        for f in files
    ]
    return data


def thaw(session: Session, row: t.Delivery) -> Message:
    """The very message that was claimed."""
    data = dict(row.message)
    data["channel"] = ActionType(data["channel"])
    data["recipients"] = tuple(
        Recipient(
            Role(r["role"]),
            r["address"],
            r["name"],
            r["contact_id"],
            Postal(**r["postal"]) if r.get("postal") else None,
        )
        for r in data["recipients"]
    )
    data["headers"] = tuple((name, value) for name, value in data["headers"])
    files = [session.get_one(t.File, uuid.UUID(a["file_id"])) for a in data.pop("attachments", ())]
    return Message(**data, attachments=attachments(files))


def attachments(files: Sequence[t.File]) -> tuple[Attachment, ...]:
    return tuple(Attachment(f.name, f.content_type, f.content) for f in files)
