"""Payments and credit notes that are known, and what of them is applied to which invoice.

A batch has read both beforehand (``store.bulk``) and keeps up with its own changes, so that a fact
needs no statement of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import col, select

from dunning.ids import CreditId, InvoiceId
from store import tables as t
from store.bulk_credits import key_of, look_up_applications, look_up_credits
from store.pending import write, write_all
from store.unit import Unit


def find_credit(unit: Unit, kind: str, key: str) -> t.Credit | None:
    """By external id."""
    batch = unit.progress.batch
    if batch is not None:
        if (t.Credit, key_of(kind, key)) not in batch.rows:
            write_all(unit)
            look_up_credits(unit, batch, [(kind, key)])
        known: t.Credit | None = batch.rows[t.Credit, key_of(kind, key)]
        return known
    mine = select(t.Credit).where(
        t.Credit.organisation_id == unit.organisation_id,
        t.Credit.kind == kind,
        t.Credit.external_id == key,
    )
    return unit.session.exec(mine).one_or_none()


def made(unit: Unit, credit: t.Credit) -> None:
    """Add a new payment or credit note, so that the facts that follow find it."""
    unit.session.add(credit)
    batch = unit.progress.batch
    if batch is not None:
        batch.rows[t.Credit, key_of(credit.kind, credit.external_id)] = credit
        batch.spent[credit.id] = {}
    write(unit)


def applications_of(unit: Unit, credit: t.Credit) -> dict[InvoiceId, t.Application]:
    """By invoice."""
    batch = unit.progress.batch
    if batch is not None and credit.id in batch.spent:
        return dict(batch.spent[credit.id])
    mine = select(t.Application).where(t.Application.credit_id == credit.id)
    return {row.invoice_id: row for row in unit.session.exec(mine)}


def apply(unit: Unit, credit: t.Credit, wanted: Mapping[InvoiceId, Decimal]) -> set[InvoiceId]:
    """Apply a credit to these invoices and to no others. The invoices that it was applied to, or is
    now: their balances are to be worked out anew."""
    stored = applications_of(unit, credit)
    for invoice_id in stored.keys() - wanted.keys():
        _remove(unit, stored[invoice_id])
    for invoice_id, amount in wanted.items():
        if invoice_id in stored:
            stored[invoice_id].amount = amount
        else:
            _add(
                unit,
                credit,
                t.Application(credit_id=credit.id, invoice_id=invoice_id, amount=amount),
            )
    write(unit)
    return stored.keys() | wanted.keys()


def applied_to(unit: Unit, invoice: t.Invoice) -> dict[str, Decimal]:
    """What is applied to an invoice of credits that are not reversed, by their kind."""
    if unit.progress.batch is not None:
        found: dict[str, Decimal] = {}
        for credit, row in _of_invoice(unit, invoice.id).values():
            if credit.reversed_at is None:
                found[credit.kind] = found.get(credit.kind, Decimal(0)) + row.amount
        return found
    return dict(
        unit.session.exec(
            select(t.Credit.kind, sa.func.sum(t.Application.amount))
            .select_from(t.Credit)
            .join(t.Application, col(t.Application.credit_id) == t.Credit.id)
            .where(t.Application.invoice_id == invoice.id, col(t.Credit.reversed_at).is_(None))
            .group_by(t.Credit.kind)
        ).all()
    )


def _of_invoice(
    unit: Unit, invoice_id: InvoiceId
) -> dict[CreditId, tuple[t.Credit, t.Application]]:
    """What is applied to an invoice, by credit, as a batch knows it."""
    batch = unit.progress.batch
    assert batch is not None
    if invoice_id not in batch.applied:
        write_all(unit)
        look_up_applications(unit, batch, [invoice_id])
    return batch.applied[invoice_id]


def _add(unit: Unit, credit: t.Credit, row: t.Application) -> None:
    batch = unit.progress.batch
    if batch is None:
        unit.session.add(row)
        return
    _of_invoice(unit, row.invoice_id)[credit.id] = (credit, row)
    batch.spent[credit.id][row.invoice_id] = row
    batch.later.append(row)


def _remove(unit: Unit, row: t.Application) -> None:
    batch = unit.progress.batch
    if batch is not None:
        write_all(unit)
        _of_invoice(unit, row.invoice_id).pop(row.credit_id, None)
        batch.spent[row.credit_id].pop(row.invoice_id, None)
    unit.session.delete(row)
