"""Credits of a batch (``store.bulk``) and their applications to invoices: read once, then kept."""

from __future__ import annotations

from collections.abc import Iterable

from sqlmodel import col, select

from dunning.ids import InvoiceId
from store import tables as t
from store.locks import parts
from store.unit import Batch, Unit


def look_up_credits(unit: Unit, batch: Batch, named: Iterable[tuple[str, str]]) -> None:
    """Reads the credits with these kinds and external ids, and all applications to the invoices to
    which these credits are applied."""
    by_kind: dict[str, set[str]] = {}
    for kind, key in named:
        batch.rows[t.Credit, key_of(kind, key)] = None
        by_kind.setdefault(kind, set()).add(key)
    found: list[t.Credit] = []
    for kind, keys in by_kind.items():
        for some in parts(keys):
            mine = (
                select(t.Credit)
                .where(t.Credit.organisation_id == unit.organisation_id, t.Credit.kind == kind)
                .where(col(t.Credit.external_id).in_(some))
                .execution_options(populate_existing=True)
            )
            found += unit.session.exec(mine)
    batch.rows |= {(t.Credit, key_of(row.kind, row.external_id)): row for row in found}
    batch.spent |= {row.id: {} for row in found}
    for ids in parts(row.id for row in found):
        applied = select(col(t.Application.invoice_id)).where(col(t.Application.credit_id).in_(ids))
        touched = set(unit.session.exec(applied))
        look_up_applications(unit, batch, touched)
        for invoice_id in touched:
            for credit_id, (_, row) in batch.applied[invoice_id].items():
                if credit_id in ids:
                    batch.spent[credit_id][invoice_id] = row


def look_up_applications(unit: Unit, batch: Batch, invoices: Iterable[InvoiceId]) -> None:
    """Reads all applications to these invoices."""
    for some in parts(set(invoices) - batch.applied.keys()):
        batch.applied |= {invoice_id: {} for invoice_id in some}
        mine = (
            select(t.Credit, t.Application)
            .join(t.Application, col(t.Application.credit_id) == t.Credit.id)
            .where(col(t.Application.invoice_id).in_(some))
            .execution_options(populate_existing=True)
        )
        for credit, row in unit.session.exec(mine):
            batch.applied[row.invoice_id][credit.id] = (credit, row)


def key_of(kind: str, key: str) -> str:
    """The key of a credit in ``Batch.rows``."""
    return f"{kind}/{key}"
