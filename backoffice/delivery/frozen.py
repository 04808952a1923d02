"""A message as it is stored with its delivery: exactly what was handed over."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlmodel import Session

from dunning.ids import FileId
from dunning.plan import ActionType
from messages.body import from_json
from messages.letter.aligned import body_of
from messages.message import Attachment, Message, Postal, Recipient, Role
from store import tables as t


def freeze(message: Message, files: Sequence[t.File] = ()) -> dict[str, Any]:
    """The message as JSON, without the contents of its files: these are rows of ``file``, which
    never change. Only a letter has a body."""
    data = asdict(message)
    data["attachments"] = [
        {"file_id": str(f.id), "name": f.name, "content_type": f.content_type, "sha256": f.sha256}
        for f in files
    ]
    if not message.body:
        del data["body"]
    return data


def thaw(session: Session, row: t.Delivery) -> Message:
    """The message that was claimed. If a letter was stored without a body, its tables are read from
    its text, so that its PDF is the same as before."""
    data = dict(row.message)
    data["channel"] = ActionType(data["channel"])
    data["recipients"] = tuple(map(_recipient, data["recipients"]))
    data["headers"] = tuple((name, value) for name, value in data["headers"])
    if "body" in data:
        data["body"] = from_json(data["body"])
    elif data["channel"] is ActionType.LETTER:
        data["body"] = body_of(data["text"])
    ids = [FileId(uuid.UUID(a["file_id"])) for a in data.pop("attachments", ())]
    files = [session.get_one(t.File, key) for key in ids]
    return Message(**data, attachments=attachments(files))


def _recipient(data: Mapping[str, Any]) -> Recipient:
    postal = Postal(**data["postal"]) if data.get("postal") else None
    return Recipient(Role(data["role"]), data["address"], data["name"], data["contact_id"], postal)


def attachments(files: Sequence[t.File]) -> tuple[Attachment, ...]:
    return tuple(Attachment(f.name, f.content_type, f.content) for f in files)
