"""The statements that read one customer's account: what is open, and what a decision depends on.

They are built once, because building them takes longer than PostgreSQL takes to answer. Statuses
are literals, not parameters: PostgreSQL also makes generic plans, which cannot use a partial index
on open rows. No statement reads closed rows, however many there are.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select

from dunning import model as m
from store import tables as t
from store.closures import HEARD

_CUSTOMER = sa.bindparam("customer", type_=sa.Uuid)


def _one_of(column: Any, *values: str) -> sa.ColumnElement[bool]:
    return col(column).in_([sa.literal_column(f"'{value}'") for value in values])


def _text(column: Any) -> Any:
    return sa.cast(column, sa.Text)


_OPEN_INVOICES = select(t.Invoice.id).where(
    t.Invoice.customer_id == _CUSTOMER, _one_of(t.Invoice.status, "open")
)
_LIVE = _one_of(t.Action.status, *sorted(m.OPEN_STATUSES), "planned")
_SHOWN = select(t.Action.invoice_id).where(
    t.Action.customer_id == _CUSTOMER, _LIVE, _one_of(t.Action.status, *sorted(m.OPEN_STATUSES))
)
_PROMISED = select(t.Promise.invoice_id).where(
    t.Promise.customer_id == _CUSTOMER, col(t.Promise.outcome).is_(None)
)
# UNION, not OR: PostgreSQL would test each part of an OR on every row of the customer.
_LOADED = sa.union(_OPEN_INVOICES, _SHOWN, _PROMISED)
INVOICES = select(t.Invoice).where(col(t.Invoice.id).in_(_LOADED))
# Rule 18: a task may not count as a contact. So every action since one day before the last contact
# that is not a task.
_SINCE = sa.func.coalesce(
    select(sa.func.max(t.Action.executed_at))
    .where(
        t.Action.customer_id == _CUSTOMER,
        _one_of(t.Action.status, "done"),
        t.Action.type != sa.literal_column("'task'"),
    )
    .scalar_subquery()
    - sa.text("interval '1 day'"),
    sa.text("'-infinity'"),
)
_COUNTING = sa.union(
    select(t.Action.id).where(col(t.Action.invoice_id).in_(_OPEN_INVOICES)),
    select(t.Action.id).where(t.Action.customer_id == _CUSTOMER, _LIVE),
    select(t.Action.id).where(
        t.Action.customer_id == _CUSTOMER, col(t.Action.executed_at) >= _SINCE
    ),
)
ACTIONS = (
    select(t.Action, t.Delivery.deadline, t.Delivery.status)
    .outerjoin(
        t.Delivery,
        sa.and_(col(t.Delivery.action_id) == t.Action.id, _one_of(t.Action.status, "sending")),
    )
    .where(col(t.Action.id).in_(_COUNTING))
)
_PAUSES = sa.union_all(
    select(col(t.Pause.invoice_id), col(t.Pause.until)).where(
        t.Pause.customer_id == _CUSTOMER,
        col(t.Pause.invoice_id).is_(None),
        col(t.Pause.resumed_at).is_(None),
    ),
    select(col(t.Pause.invoice_id), col(t.Pause.until)).where(
        col(t.Pause.invoice_id).in_(_LOADED), col(t.Pause.resumed_at).is_(None)
    ),
)
# Amounts are read as text, because a JSON number would become a float.
_UNAPPLIED = select(
    col(t.UnappliedCredit.currency), _text(t.UnappliedCredit.amount).label("amount")
).where(t.UnappliedCredit.customer_id == _CUSTOMER, t.UnappliedCredit.amount > 0)
_CONTACTS = sa.select(t.Contact).where(col(t.Contact.customer_id) == _CUSTOMER)
_ADDRESSES = (
    sa.select(t.ContactAddress)
    .join(t.Contact, col(t.Contact.id) == t.ContactAddress.contact_id)
    .where(col(t.Contact.customer_id) == _CUSTOMER)
)
# For each payment, the part after the promise: its amount less what was known at the promise.
_BEFORE = sa.cast(
    col(t.Promise.paid_before).op("->>")(sa.cast(t.Application.credit_id, sa.Text)), sa.Numeric
)
_SINCE_PROMISED = sa.func.greatest(t.Application.amount - sa.func.coalesce(_BEFORE, 0), 0)
_PAID_SINCE = (
    select(sa.func.coalesce(sa.func.sum(_SINCE_PROMISED), 0))
    .select_from(t.Application)
    .join(t.Credit, col(t.Credit.id) == t.Application.credit_id)
    .where(
        t.Application.invoice_id == t.Promise.invoice_id,
        t.Credit.kind == "payment",
        col(t.Credit.reversed_at).is_(None),
    )
    .correlate(t.Promise)
    .scalar_subquery()
)
_PROMISES = sa.select(
    col(t.Promise.id),
    col(t.Promise.invoice_id),
    col(t.Promise.promised_on),
    _text(t.Promise.amount).label("amount"),
    _text(t.Promise.balance_then).label("balance_then"),
    _text(_PAID_SINCE).label("paid"),
).where(col(t.Promise.customer_id) == _CUSTOMER, col(t.Promise.outcome).is_(None))


def _json(rows: Any, name: str) -> Any:
    """Rows as one JSON array in a column, so that one statement reads several tables."""
    inner = rows.subquery()
    agg = sa.func.jsonb_agg(sa.func.to_jsonb(inner.table_valued()))
    return sa.select(agg).scalar_subquery().label(name)


AROUND = (
    sa.select(
        t.Organisation,
        t.PlanVersion,
        _json(_CONTACTS, "contacts"),
        _json(_ADDRESSES, "addresses"),
        _json(_PAUSES, "pauses"),
        _json(_PROMISES, "promises"),
        _json(_UNAPPLIED, "credits"),
        _json(HEARD, "heard"),
        col(t.Sequence.plan_id).label("decided_plan"),
        col(t.Sequence.invoice_id).label("decided_invoice"),
    )
    .select_from(t.Customer)
    .join(t.Organisation, col(t.Organisation.id) == t.Customer.organisation_id)
    .outerjoin(
        t.Plan,
        col(t.Plan.id) == sa.func.coalesce(t.Customer.plan_id, t.Organisation.default_plan_id),
    )
    .outerjoin(t.PlanVersion, col(t.PlanVersion.id) == t.Plan.current_version_id)
    .outerjoin(t.Sequence, col(t.Sequence.customer_id) == t.Customer.id)
    .where(col(t.Customer.id) == _CUSTOMER)
)
