"""Forms with files (multipart/form-data): known parts only, each once, with the names of files.

RFC 7578 asks for names in UTF-8 as ``filename="…"``. Many clients send ``filename*=`` (RFC 8187)
instead or as well, which Starlette's parser ignores and the parser below reads.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from urllib.parse import unquote_to_bytes

from fastapi import HTTPException, Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from dunning.excerpt import shorten
from store.errors import Invalid

_MOST_PARTS = 10
_PARAMETER = re.compile(rb';\s*+([^=;\s"]++)\s*+=\s*+("(?:[^"\\]|\\.)*+(?:"|$)|[^;]*+)', re.DOTALL)
_EXTENDED = re.compile(
    r"([A-Za-z0-9-]+)'[A-Za-z0-9-]*'((?:%[0-9A-Fa-f]{2}|[A-Za-z0-9!#$&+.^_`|~-])*)"
)


@asynccontextmanager
async def form_of(request: Request, *parts: str) -> AsyncIterator[FormData]:
    """The form of the request, with only these parts, each at most once. Its temporary files are
    deleted at the end. Raises HTTPException 400 for a body that is no form, Invalid for other
    parts."""
    try:
        async with aclosing(request.stream()) as stream:
            parser = _Parser(request.headers, stream, max_files=_MOST_PARTS, max_fields=_MOST_PARTS)
            form = await parser.parse()
    except MultiPartException as error:
        raise HTTPException(400, f"the form cannot be read: {error.message}") from None
    except UnicodeError:
        raise HTTPException(400, "the form cannot be read: its charset is not UTF-8") from None
    try:
        for name in form:
            if name not in parts:
                known = ", ".join(parts)
                raise Invalid.at(f"/{shorten(name)}", f"is not a part we know; known are {known}")
            if len(form.getlist(name)) > 1:
                raise Invalid.at(f"/{name}", "is there twice")
        yield form
    finally:
        await form.close()


def extended_name(disposition: bytes) -> str | None:
    """What ``filename*=`` of a part's Content-Disposition says, None without one. Raises ValueError
    when it cannot be read."""
    found = {name.lower(): value for name, value in _PARAMETER.findall(disposition)}
    if b"filename*" not in found:
        return None
    text = found[b"filename*"].strip().decode("latin-1").strip('"')
    match = _EXTENDED.fullmatch(text)
    try:
        if match is None or match[1].lower() not in ("utf-8", "iso-8859-1"):
            raise ValueError
        return unquote_to_bytes(match[2]).decode(match[1])
    except ValueError:  # or not in the charset that it says
        raise ValueError("filename* is not of the form UTF-8''M%C3%BCller.pdf") from None


class _Parser(MultiPartParser):
    def on_headers_finished(self) -> None:
        part = self._current_part
        try:
            name = extended_name(part.content_disposition or b"")
        except ValueError as error:
            raise MultiPartException(str(error)) from None
        if name is not None:  # a part with a file name is a file
            part.content_disposition = (part.content_disposition or b"") + b'; filename="file"'
        super().on_headers_finished()
        if name is not None and isinstance(part.file, UploadFile):
            part.file.filename = name
