"""The timeline: append-only, read newest first."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select

from dunning.currency import CURRENCIES
from dunning.ids import ActionId, CustomerId, InvoiceId
from store import tables as t
from store.unit import Unit


def money(amount: Decimal, currency: str) -> str:
    """An amount with its currency's own decimals, more only where there are more: "12.50 EUR"."""
    places = CURRENCIES.get(currency, 2)
    exact = amount.quantize(Decimal(1).scaleb(-places))
    return f"{exact if exact == amount else amount.normalize():f} {currency}"


def note(
    unit: Unit,
    customer: t.Customer,
    kind: str,
    text: str,
    *,
    invoice_id: InvoiceId | None = None,
    action_id: ActionId | None = None,
    by: str = "",
) -> None:
    """Append an entry at the unit's time."""
    entry: dict[str, Any] = {
        "organisation_id": customer.organisation_id,
        "customer_id": customer.id,
        "invoice_id": invoice_id,
        "action_id": action_id,
        "at": unit.now,
        "kind": kind,
        "text": text[:2000],
        "by": by,
    }
    if unit.progress.batch is not None:
        unit.progress.batch.entries.append(entry)
    else:
        unit.session.add(t.TimelineEntry(**entry))


def read(
    unit: Unit,
    hidden: ColumnElement[bool],
    *,
    customer_id: CustomerId | None = None,
    invoice_id: InvoiceId | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[t.TimelineEntry]:
    """Newest first, before the entry ``before`` (keyset pagination).

    ``hidden`` is ``backoffice.people.visible.hidden_entries`` of the reader: entries that rule 29
    hides are left out.
    """
    statement = (
        select(t.TimelineEntry)
        .where(sa.not_(hidden))
        .order_by(col(t.TimelineEntry.id).desc())
        .limit(limit)
    )
    if customer_id is not None:
        statement = statement.where(t.TimelineEntry.customer_id == customer_id)
    if invoice_id is not None:
        statement = statement.where(t.TimelineEntry.invoice_id == invoice_id)
    if before is not None:
        statement = statement.where(col(t.TimelineEntry.id) < before)
    return list(unit.session.exec(statement))
