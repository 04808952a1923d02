"""Files: the PDF of an invoice, and what the owner of an email attaches to it (rule 28)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from api.billing.invoices import FileOut, file_out
from api.http.auth import Billing, Member, Sender
from api.http.bodies import BodyRoute
from api.http.fields import Key, Name
from api.http.forms import form_of
from api.http.work import Work
from api.members import action_details
from api.members.action_details import Action
from backoffice.ledger import files
from backoffice.ledger.find import find_invoice
from backoffice.worklist import attachments
from backoffice.worklist.lists import find
from store import tables as t
from store.errors import Invalid, NotFound

router = APIRouter(route_class=BodyRoute)

_PDF = "application/pdf"
#: What it is stands in its first bytes; many generated clients know files only so.
_BYTES = "application/octet-stream"
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FORM = {
    "schema": {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "string", "format": "binary"}},
    }
}


def _body(content: dict[str, Any], *content_types: str) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": dict.fromkeys(content_types, content)}}


def _download(*content_types: str) -> dict[int | str, dict[str, Any]]:
    name = {
        "description": "The file is to be saved, by this name.",
        "required": True,
        "schema": {"type": "string"},
        "example": 'attachment; filename="INV-1042.pdf"',
    }
    return {200: {
        "description": "The file",
        "content": dict.fromkeys((*content_types, _BYTES), _BINARY),
        "headers": {"Content-Disposition": name},
    }}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sent:
    name: str
    content_type: str
    content: bytes


def _kind(value: str | None) -> str:
    return (value or "").partition(";")[0].strip().lower()


async def _pdf(request: Request, _who: Billing) -> bytes:
    if _kind(request.headers.get("content-type")) not in (_PDF, _BYTES):
        raise HTTPException(415, f"send the PDF itself, as {_PDF}")
    return await request.body()


async def _part(request: Request, _sender: Sender) -> Sent:
    if _kind(request.headers.get("content-type")) != "multipart/form-data":
        raise HTTPException(415, "send the file as the part 'file' of multipart/form-data")
    async with form_of(request, "file") as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Invalid.at("/file", "is missing; send the file as the part 'file'")
        return Sent(file.filename or "", _kind(file.content_type), await file.read())


@router.put("/invoices/{invoice}/pdf", operation_id="put_invoice_pdf", tags=["billing"],
            openapi_extra=_body(_BINARY, _PDF, _BYTES))  # fmt: skip
def put_pdf(
    invoice: Key,
    content: Annotated[bytes, Depends(_pdf)],
    who: Billing,
    unit: Work,
    name: Annotated[
        Name | None, Query(description="Of the file; without it that of the invoice's number.")
    ] = None,
) -> FileOut:
    """Give the invoice its PDF, in place of the one before: at most 10 MB, the body as it is. It
    goes with emails whose step or owner attaches invoices. The name is kept in ASCII."""
    made = files.put_pdf(unit, invoice, name or "", content)
    return file_out(made)


@router.get("/invoices/{invoice}/pdf", operation_id="get_invoice_pdf", tags=["customers"],
            response_class=Response, responses=_download(_PDF))  # fmt: skip
def get_pdf(invoice: Key, member: Member, unit: Work, request: Request) -> Response:
    """The PDF of the invoice, to be saved."""
    row = find_invoice(unit, invoice)
    return _saved(request, files.pdf_of(unit, row))


@router.delete("/invoices/{invoice}/pdf", operation_id="delete_invoice_pdf", tags=["billing"],
               status_code=204)  # fmt: skip
def delete_pdf(invoice: Key, who: Billing, unit: Work) -> None:
    """The invoice has no PDF any more. Messages that have left keep theirs."""
    files.remove_pdf(unit, invoice)


@router.post("/actions/{action}/attachments", operation_id="attach_file", tags=["actions"],
             openapi_extra=_body(_FORM, "multipart/form-data"))  # fmt: skip
def attach(
    action: Key, sent: Annotated[Sent, Depends(_part)], member: Member, unit: Work
) -> Action:
    """Attach a PDF, PNG or JPEG of at most 10 MB to an open email of mine (rule 28); all files of a
    message together have at most 20 MB."""
    row = attachments.attach(unit, member, action, sent.name, sent.content_type, sent.content)
    return action_details.whole(unit, row, member)


@router.delete("/actions/{action}/attachments/{file}", operation_id="detach_file",
               tags=["actions"])  # fmt: skip
def detach(action: Key, file: Key, member: Member, unit: Work) -> Action:
    """Take a file off an open email of mine."""
    return action_details.whole(unit, attachments.detach(unit, member, action, file), member)


@router.get("/actions/{action}/attachments/{file}", operation_id="get_attachment",
            tags=["actions"], response_class=Response,
            responses=_download(*files.TYPES))  # fmt: skip
def get_attachment(
    action: Key, file: Key, member: Member, unit: Work, request: Request
) -> Response:
    """A file that goes, or went, with the action's email, to be saved."""
    row = find(unit, member, action)
    seen = action_details.whole(unit, row, member)
    shown = [*seen.attachments, *(seen.message.attachments if seen.message else [])]
    if file not in {str(one.id) for one in shown}:
        raise NotFound(f"no file {file!r} goes with this action")
    return _saved(request, files.of_organisation(unit, file))


def _saved(request: Request, row: t.File) -> Response:
    """Never shown by the browser on our own address, whatever is in it."""
    accepted = request.headers.get("accept", "").strip().lower()
    kind = _BYTES if accepted == _BYTES else row.content_type
    headers = {"Content-Disposition": f'attachment; filename="{row.name}"'}
    return Response(row.content, media_type=kind, headers=headers)
