"""The PDF of an invoice: a billing system gives it, members read it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import Response

from api.http.auth import Billing, Member
from api.http.bodies import BodyRoute
from api.http.fields import Key, Name
from api.http.files import BINARY, BYTES, FileOut, body_of, download, file_out, media_type, saved
from api.http.work import Work
from backoffice.ledger import files
from backoffice.ledger.find import find_invoice

router = APIRouter(route_class=BodyRoute)

_PDF = "application/pdf"


async def _pdf(request: Request, _who: Billing) -> bytes:
    if media_type(request.headers.get("content-type")) not in (_PDF, BYTES):
        raise HTTPException(415, f"send the PDF itself, as {_PDF}")
    return await request.body()


@router.put(
    "/invoices/{invoice}/pdf",
    operation_id="put_invoice_pdf",
    tags=["billing"],
    openapi_extra=body_of(BINARY, _PDF, BYTES),
)
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


@router.get(
    "/invoices/{invoice}/pdf",
    operation_id="get_invoice_pdf",
    tags=["customers"],
    response_class=Response,
    responses=download(_PDF),
)
def get_pdf(invoice: Key, member: Member, unit: Work, request: Request) -> Response:
    """The PDF of the invoice, to be saved."""
    row = find_invoice(unit, invoice)
    return saved(request, files.pdf_of(unit, row))


@router.delete(
    "/invoices/{invoice}/pdf",
    operation_id="delete_invoice_pdf",
    tags=["billing"],
    status_code=204,
)
def delete_pdf(invoice: Key, who: Billing, unit: Work) -> None:
    """The invoice has no PDF any more. Messages that have left keep theirs."""
    files.remove_pdf(unit, invoice)
