"""What the owner of an email attaches to it (rule 28)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from api.http.auth import Member, Sender
from api.http.bodies import BodyRoute
from api.http.fields import Key
from api.http.files import body_of, download, media_type, saved
from api.http.forms import form_of
from api.http.work import Work
from api.members import action_details
from api.members.action_details import Action
from backoffice.ledger import files
from backoffice.worklist import attachments
from backoffice.worklist.lists import find
from store.errors import Invalid, NotFound

router = APIRouter(route_class=BodyRoute, tags=["actions"])

_FORM = {
    "schema": {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "string", "format": "binary"}},
    }
}


@dataclass(frozen=True, slots=True)
class Sent:
    name: str
    content_type: str
    content: bytes


async def _part(request: Request, _sender: Sender) -> Sent:
    if media_type(request.headers.get("content-type")) != "multipart/form-data":
        raise HTTPException(415, "send the file as the part 'file' of multipart/form-data")
    async with form_of(request, "file") as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Invalid.at("/file", "is missing; send the file as the part 'file'")
        return Sent(file.filename or "", media_type(file.content_type), await file.read())


@router.post(
    "/actions/{action}/attachments",
    operation_id="attach_file",
    openapi_extra=body_of(_FORM, "multipart/form-data"),
)
def attach(
    action: Key, sent: Annotated[Sent, Depends(_part)], member: Member, unit: Work
) -> Action:
    """Attach a PDF, PNG or JPEG of at most 10 MB to an open email of mine (rule 28); all files of a
    message together have at most 20 MB."""
    row = attachments.attach(unit, member, action, sent.name, sent.content_type, sent.content)
    return action_details.whole(unit, row, member)


@router.delete("/actions/{action}/attachments/{file}", operation_id="detach_file")
def detach(action: Key, file: Key, member: Member, unit: Work) -> Action:
    """Take a file off an open email of mine."""
    return action_details.whole(unit, attachments.detach(unit, member, action, file), member)


@router.get(
    "/actions/{action}/attachments/{file}",
    operation_id="get_attachment",
    response_class=Response,
    responses=download(*files.TYPES),
)
def get_attachment(
    action: Key, file: Key, member: Member, unit: Work, request: Request
) -> Response:
    """A file that goes, or went, with the action's email, to be saved."""
    row = find(unit, member, action)
    seen = action_details.whole(unit, row, member)
    shown = [*seen.attachments, *(seen.message.attachments if seen.message else [])]
    if file not in {str(one.id) for one in shown}:
        raise NotFound(f"no file {file!r} goes with this action")
    return saved(request, files.of_organisation(unit, file))
