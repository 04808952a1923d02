"""A book as CSV: checked whole first, every bad row named, all or nothing unless told otherwise."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile

from api.http.auth import Billing
from api.http.bodies import BodyRoute
from api.http.database import OneImport
from api.http.forms import form_of
from api.http.problems import MAX_ERRORS
from backoffice.ledger.import_rows import ImportReport as Done
from backoffice.ledger.imports import ImportOptions, import_book
from books.causes import Causes
from books.errors import BookError, RowError
from books.map import BookMap
from books.read_map import read_map
from dunning.excerpt import shorten
from store.errors import Invalid, Mistake

router = APIRouter(route_class=BodyRoute, tags=["billing"])

_CHUNK = 1 << 20
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "customer,customer_name,email,invoice,issued_on,due_on,total,currency,"
                "paid_on\nC-1,Acme,ada@example.com,INV-1,2025-02-01,2025-03-03,100.00,EUR,\n",
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "map": {
                            "type": "string",
                            "description": "TOML: other headers, formats, constants and patterns.",
                        },
                    },
                }
            },
        },
    }
}


class BadRow(BaseModel):
    line: int
    column: str
    reason: str


class BadRows(BaseModel):
    """Rows that are bad for the same reason."""

    column: str = Field(description="Empty: the row as a whole.")
    reason: str
    rows: int
    lines: list[int] = Field(description="The first three.")
    example: str = Field(description="A cell of one of them; empty where no cell is to blame.")
    map: str = Field(description="What to put into the map; empty where none can mend it.")


class ImportReport(BaseModel):
    customers: int = Field(description="Created or updated.")
    invoices: int = Field(description="Created or updated.")
    payments: int
    unchanged: int
    skipped: int = Field(description="Bad rows, when `skip_bad_rows` is true.")
    rounded: int = Field(description="Totals finer than their currency, when the map says `round`.")
    causes: list[BadRows] = Field(description="All bad rows by cause, the most frequent first.")
    bad_rows: list[BadRow] = Field(description=f"The first {MAX_ERRORS:,} of them.")


@dataclass(frozen=True, slots=True)
class Upload:
    file: Path
    book_map: BookMap


async def _upload(request: Request, _who: Billing) -> AsyncIterator[Upload]:
    """Stored on disk, not in memory, and deleted at the end of the request."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    book_map = BookMap()
    with tempfile.TemporaryDirectory(prefix="dunning-import-") as folder:
        path = Path(folder) / "book.csv"
        with path.open("wb") as target:
            if kind == "text/csv":
                async for chunk in request.stream():
                    target.write(chunk)
            elif kind == "multipart/form-data":
                book_map = await _form(request, target)
            else:
                raise HTTPException(415, "send the file as text/csv or multipart/form-data")
        yield Upload(path, book_map)


async def _form(request: Request, target: IO[bytes]) -> BookMap:
    async with form_of(request, "file", "map") as form:
        file, given = form.get("file"), form.get("map")
        if not isinstance(file, UploadFile):
            raise Invalid.at("/file", "is missing; send the CSV file as the part 'file'")
        while chunk := await file.read(_CHUNK):
            target.write(chunk)
        if isinstance(given, UploadFile):
            text: str | bytes = await given.read(_CHUNK)
        else:
            text = given or ""
    try:
        return read_map(text) if text else BookMap()
    except BookError as error:
        raise Invalid.at("/map", error.reason) from None


@router.post("/imports", operation_id="import_book", openapi_extra=_BODY)
def post(
    request: Request,
    upload: Annotated[Upload, Depends(_upload, scope="function")],
    who: Billing,
    engine: OneImport,
    skip_bad_rows: Annotated[
        bool, Query(description="Import what is valid and report the rest.")
    ] = False,
) -> ImportReport:
    """Import customers, invoices and what was paid, as a file. Either everything valid goes in or
    nothing; every bad row is named with its line, column and reason."""
    try:
        done = import_book(
            engine,
            who.organisation_id,
            lambda: upload.file.open("rb"),
            ImportOptions(
                book_map=upload.book_map,
                skip_bad_rows=skip_bad_rows,
                answer_within=request.app.state.import_statement,
            ),
        )
    except BookError as error:
        where = f"line {error.line}" if error.line else ""
        raise Invalid.at(where, error.reason) from None
    if done.bad_count and not skip_bad_rows:
        raise _refused(done)
    return _report(done)


def _refused(done: Done) -> Invalid:
    places = [Mistake(_where(bad), bad.reason) for bad in done.bad_rows[:MAX_ERRORS]]
    return Invalid(
        f"{done.bad_count:,} rows are wrong; nothing was imported",
        places,
        causes=[cause.model_dump() for cause in _causes(done.causes)],
    )


def _report(done: Done) -> ImportReport:
    return ImportReport(
        customers=done.customers,
        invoices=done.invoices,
        payments=done.payments,
        unchanged=done.unchanged,
        skipped=done.bad_count,
        rounded=done.rounded,
        causes=_causes(done.causes),
        bad_rows=[
            BadRow(line=bad.line, column=bad.column, reason=bad.reason)
            for bad in done.bad_rows[:MAX_ERRORS]
        ],
    )


def _causes(causes: Causes) -> list[BadRows]:
    return [
        BadRows(
            column=cause.column,
            reason=cause.reason,
            rows=cause.count,
            lines=cause.lines,
            example=shorten(next(iter(cause.values), "")),
            map=cause.hint,
        )
        for cause in causes.listed()
    ]


def _where(bad: RowError) -> str:
    return f"line {bad.line}, {bad.column}" if bad.column else f"line {bad.line}"
