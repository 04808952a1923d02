"""Files as they come in and go out: what is told of one, and the answer that is the file itself."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from dunning.ids import FileId
from store import tables as t

#: Many generated clients send every file so; its first bytes say what it is.
BYTES = "application/octet-stream"
BINARY = {"schema": {"type": "string", "format": "binary"}}


class FileOut(BaseModel):
    id: FileId
    name: str
    content_type: str
    size: int = Field(description="In bytes.")


def file_out(row: t.File) -> FileOut:
    return FileOut(id=row.id, name=row.name, content_type=row.content_type, size=row.size)


def media_type(header: str | None) -> str:
    """Of a ``Content-Type``, without its parameters."""
    return (header or "").partition(";")[0].strip().lower()


def body_of(content: dict[str, Any], *media_types: str) -> dict[str, Any]:
    """A body that FastAPI does not read, for the OpenAPI document."""
    return {"requestBody": {"required": True, "content": dict.fromkeys(media_types, content)}}


def download(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """The answer ``saved``, for the OpenAPI document."""
    name = {
        "description": "The file is to be saved, by this name.",
        "required": True,
        "schema": {"type": "string"},
        "example": 'attachment; filename="INV-1042.pdf"',
    }
    return {
        200: {
            "description": "The file",
            "content": dict.fromkeys((*media_types, BYTES), BINARY),
            "headers": {"Content-Disposition": name},
        }
    }


def saved(request: Request, row: t.File) -> Response:
    """An attachment: a browser saves it and never shows it under the address of the API."""
    accepted = request.headers.get("accept", "").strip().lower()
    kind = BYTES if accepted == BYTES else row.content_type
    headers = {"Content-Disposition": f'attachment; filename="{row.name}"'}
    return Response(row.content, media_type=kind, headers=headers)
