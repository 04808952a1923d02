"""Files: the PDFs of invoices, and what owners attach to their actions. Immutable, kept once."""

from __future__ import annotations

import hashlib
import re
import unicodedata
import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy.orm import defer
from sqlmodel import col, select

from backoffice.ledger.find import find_invoice
from dunning.ids import FileId
from store import tables as t
from store.errors import Invalid, NotFound
from store.locks import lock_customer
from store.timeline import note
from store.unit import Unit

MAX_FILE = 10 * 2**20  # bytes
MAX_MESSAGE = 20 * 2**20  # bytes, all files of a message together
MAX_FILES = 50
#: What may be attached: the type, and how the content of such a file begins.
TYPES: dict[str, tuple[bytes, ...]] = {
    "application/pdf": (b"%PDF-",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
}
_ENDINGS = {
    "application/pdf": (".pdf",),
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
}
_MAX_NAME = 100
_SLASH = re.compile(r"[/\\]")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9 ._()+=@-]")


def safe_name(name: str, content_type: str) -> str:
    """A file name for mail programs and disks: no path, no control character, the ending of its
    type; in ASCII, because SendGrid garbles the rest."""
    last = unicodedata.normalize("NFKD", _SLASH.split(name)[-1])
    bare = "".join(c for c in last if not unicodedata.combining(c))
    plain = " ".join(_NOT_IN_NAMES.sub("_", bare).split()).strip(" .")
    endings = _ENDINGS[content_type]
    ending = next((e for e in endings if plain.lower().endswith(e)), "")
    stem = plain[: len(plain) - len(ending)].strip(" ._")
    return f"{stem[:_MAX_NAME] or 'file'}{ending or endings[0]}"


def keep(
    unit: Unit,
    name: str,
    content_type: str,
    content: bytes,
    types: Iterable[str] = tuple(TYPES),
) -> t.File:
    """Store a file under a ``safe_name``; the same content under the same name is stored once.
    Invalid for one that is not what its type says, is empty, or has more than MAX_FILE bytes."""
    _check(content_type, content, types)
    name = safe_name(name, content_type)
    digest = hashlib.sha256(content).hexdigest()
    known = unit.session.exec(
        select(t.File)
        .where(
            t.File.organisation_id == unit.organisation_id,
            t.File.sha256 == digest,
            t.File.name == name,
            t.File.content_type == content_type,
        )
        .with_for_update(read=True, key_share=True)  # the pruner must not delete it meanwhile
    ).first()
    if known is not None:
        return known
    row = t.File(
        organisation_id=unit.organisation_id,
        name=name,
        content_type=content_type,
        size=len(content),
        sha256=digest,
        content=content,
        created_by=unit.by,
    )
    unit.session.add(row)
    unit.session.flush()
    return row


def _check(content_type: str, content: bytes, types: Iterable[str]) -> None:
    if content_type not in types:
        what = content_type or "a file without a type"
        raise Invalid(f"{what} cannot be attached; send {', '.join(types)}")
    if not content.startswith(TYPES[content_type]):
        raise Invalid(f"the content is not {content_type}: such a file begins otherwise")
    if len(content) > MAX_FILE:
        raise Invalid(f"the file has more than {MAX_FILE // 2**20} MB")


def about(unit: Unit, ids: Iterable[FileId]) -> list[t.File]:
    """Files in this order, each once. Contents are loaded when they are read."""
    keys = list(dict.fromkeys(ids))
    if not keys:
        return []
    statement = select(t.File).where(
        col(t.File.id).in_(keys), t.File.organisation_id == unit.organisation_id
    )
    plain = statement.options(defer(t.File.content))  # type: ignore[arg-type]
    found = {row.id: row for row in unit.session.exec(plain)}
    return [found[key] for key in keys if key in found]


def check_size(files: Sequence[t.File]) -> None:
    """Raises Invalid for more than MAX_FILES, or more than MAX_MESSAGE bytes, in one message."""
    if len(files) > MAX_FILES:
        raise Invalid(f"a message has at most {MAX_FILES} attachments, not {len(files)}")
    size = sum(file.size for file in files)
    if size > MAX_MESSAGE:
        raise Invalid(
            f"its attachments have {size / 2**20:.1f} MB together, those of its invoices included; "
            f"at most {MAX_MESSAGE // 2**20} MB can be sent"
        )


def put_pdf(unit: Unit, key: str, name: str, content: bytes) -> t.File:
    """Keep the PDF of an invoice, in place of the one before; ``name`` empty: that of its number.
    Raises NotFound for the invoice, Invalid for what is no PDF of at most MAX_FILE bytes."""
    row = find_invoice(unit, key)
    named = name or f"{_SLASH.sub('-', row.number)}.pdf"
    file = keep(unit, named, "application/pdf", content, ("application/pdf",))
    _set_pdf(unit, row, file)
    return file


def remove_pdf(unit: Unit, key: str) -> None:
    """The invoice has no PDF any more; messages that left keep theirs. NotFound without one."""
    row = find_invoice(unit, key)
    pdf_of(unit, row)
    _set_pdf(unit, row, None)


def _set_pdf(unit: Unit, row: t.Invoice, file: t.File | None) -> None:
    customer = lock_customer(unit, row.customer_id)
    unit.session.refresh(row)
    if row.pdf_id == (file.id if file else None):
        return
    row.pdf_id = file.id if file else None
    kind = "invoice_pdf" if file else "invoice_pdf_removed"
    text = f"{row.number} has a PDF: {file.name}" if file else f"the PDF of {row.number} is removed"
    note(unit, customer, kind, text, invoice_id=row.id, by=unit.by)
    unit.session.flush()


def pdf_of(unit: Unit, row: t.Invoice) -> t.File:
    """Without its content. NotFound where there is none."""
    found = about(unit, [row.pdf_id] if row.pdf_id else [])
    if not found:
        raise NotFound(f"{row.number} has no PDF")
    return found[0]


def of_organisation(unit: Unit, key: str) -> t.File:
    """A file by its id. NotFound where there is none."""
    try:
        row = unit.session.get(t.File, FileId(uuid.UUID(key)))
    except ValueError:
        row = None
    if row is None or row.organisation_id != unit.organisation_id:
        raise NotFound(f"no file {key!r}")
    return row
