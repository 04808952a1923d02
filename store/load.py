"""Loads one customer's account, as the rules read it, under the customer's row lock."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select

from dunning import model as m
from dunning.calendar import Calendar
from dunning.plan import ActionType, Plan
from plans.read import parse_plan
from store import tables as t
from store.calendars import calendar_of, spread_of
from store.closures import EMAIL, HEARD, PHONE, Closures, closures_of
from store.locks import lock_customer
from store.unit import Unit


@dataclass(frozen=True, slots=True)
class Loaded:
    """An account with the rows it came from."""

    organisation: t.Organisation
    customer: t.Customer
    account: m.Account
    plan_version: t.PlanVersion | None
    invoices: dict[uuid.UUID, t.Invoice]
    actions: dict[uuid.UUID, t.Action]
    contacts: dict[uuid.UUID, t.Contact]
    closures: Closures


@dataclass(frozen=True, slots=True)
class _Version:
    """Dicts are unhashable: cache by version id."""

    id: uuid.UUID
    definition: dict[str, Any] = field(compare=False)


@lru_cache(maxsize=2048)
def _parsed(version: _Version) -> Plan:
    return parse_plan(version.definition)


def plan_of(version: t.PlanVersion) -> Plan:
    """The parsed plan of an immutable version."""
    return _parsed(_Version(version.id, version.definition))


_CUSTOMER = sa.bindparam("customer", type_=sa.Uuid)

# The statements are made once: building them takes longer than PostgreSQL takes to answer. States
# stand in them as literals, not as values: PostgreSQL also makes plans for any value, and such a
# plan cannot use an index of the open ones alone. Nothing here reads what is over, however much.


def _one_of(column: Any, *values: str) -> sa.ColumnElement[bool]:
    return col(column).in_([sa.literal_column(f"'{value}'") for value in values])


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
# Unions and not OR, each part of which would be tried on every row of the customer.
_LOADED = sa.union(_OPEN_INVOICES, _SHOWN, _PROMISED)
_INVOICES = select(t.Invoice).where(col(t.Invoice.id).in_(_LOADED))
# Tasks may not count (rule 18): all since the day before the last contact that surely does.
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
_ACTIONS = (
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
_UNAPPLIED = select(
    col(t.UnappliedCredit.currency), sa.cast(t.UnappliedCredit.amount, sa.Text).label("amount")
).where(t.UnappliedCredit.customer_id == _CUSTOMER, t.UnappliedCredit.amount > 0)


# Of each payment what came since the promise: one known before it counts with what was added to it.
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


def _json(rows: Any) -> Any:
    """Rows as one JSON array: a round trip costs more than the few rows do."""
    inner = rows.subquery()
    agg = sa.func.jsonb_agg(sa.func.to_jsonb(inner.table_valued()))
    return sa.select(agg).scalar_subquery()


def _text(column: Any) -> Any:
    """Money as text, because a JSON number would become a float."""
    return sa.cast(column, sa.Text)


_AROUND = (
    sa.select(
        t.Organisation,
        t.PlanVersion,
        _json(sa.select(t.Contact).where(col(t.Contact.customer_id) == _CUSTOMER)),
        _json(_PAUSES),
        _json(
            sa.select(
                col(t.Promise.id),
                col(t.Promise.invoice_id),
                col(t.Promise.promised_on),
                _text(t.Promise.amount).label("amount"),
                _text(t.Promise.balance_then).label("balance_then"),
                _text(_PAID_SINCE).label("paid"),
            ).where(
                col(t.Promise.customer_id) == _CUSTOMER,
                col(t.Promise.outcome).is_(None),
            )
        ),
        _json(_UNAPPLIED),
        _json(HEARD),
        col(t.Sequence.plan_id),
        col(t.Sequence.invoice_id),
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


def load(unit: Unit, customer_id: uuid.UUID, *, lock: bool = True) -> Loaded:
    """The account as it stands. ``lock=False`` is for reading only. KeyError if unknown."""
    customer = (
        lock_customer(unit, customer_id) if lock else unit.session.get(t.Customer, customer_id)
    )
    if customer is None:
        raise KeyError(f"no customer {customer_id}")
    who = {"customer": customer_id}
    found = unit.session.execute(_AROUND, who, execution_options={"populate_existing": True}).one()
    organisation, version, contact_rows, pause_rows, promise_rows, credit_rows = found[:6]
    heard, *decided = found[6:]
    closures = closures_of(customer.country, heard or ())
    calendar = calendar_of(organisation)
    rows = unit.session.exec(_ACTIONS, params=who).all()
    invoices = {i.id: i for i in unit.session.exec(_INVOICES, params=who)}
    contacts = {c.id: c for c in map(_contact_row, contact_rows or ())}
    pauses = _pauses(pause_rows or ())
    promises = _promises(promise_rows or ())
    account = m.Account(
        customer_id=str(customer.id),
        calendar=calendar,
        plan=plan_of(version) if version else None,
        plan_id=str(version.plan_id) if version else "",
        invoices=tuple(
            _invoice(i, pauses, promises, customer.terms_days) for i in invoices.values()
        ),
        actions=tuple(
            _action(unit, a, _deadline(organisation, deadline), calendar, status == "unknown")
            for a, deadline, status in rows
        ),
        contacts=tuple(_contact(c, closures) for c in contacts.values()),
        pauses=pauses.get("", ()),
        credits={row["currency"]: Decimal(row["amount"]) for row in credit_rows or ()},
        tolerance=organisation.tolerance,
        contextualized_invoice_id=_contextualized(customer, version, *decided),
        spread=spread_of(organisation, customer.id),
        held_until=customer.held_until,
    )
    actions = {a.id: a for a, _, _ in rows}
    return Loaded(organisation, customer, account, version, invoices, actions, contacts, closures)


def _contextualized(
    customer: t.Customer,
    version: t.PlanVersion | None,
    decided_plan: uuid.UUID | None,
    decided_invoice: uuid.UUID | None,
) -> str | None:
    """Rule 44: the invoice that carried when the customer was given its plan.

    Another plan is another one than the last decision was made with, however it came about: given
    by name, by an import, or as the organisation's new default plan. A customer that had no plan
    enters its first one by that plan's own logic.
    """
    carried = customer.contextualized_invoice_id
    if decided_plan is not None and decided_plan != (version.plan_id if version else None):
        carried = decided_invoice
    return str(carried) if carried is not None else None


def _invoice(
    row: t.Invoice,
    pauses: Mapping[str, tuple[m.Pause, ...]],
    promises: Mapping[str, tuple[m.Promise, ...]],
    terms_days: int | None,
) -> m.Invoice:
    key = str(row.id)
    return m.Invoice(
        id=key,
        number=row.number,
        issued_on=row.issued_on,
        due_on=m.effective_due(row.issued_on, row.due_on, terms_days),
        total=row.total,
        balance=row.balance,
        currency=row.currency,
        status=m.InvoiceStatus(row.status),
        closed_reason=row.closed_reason,
        disputed=row.disputed_at is not None,
        pauses=pauses.get(key, ()),
        promises=promises.get(key, ()),
        url=row.url,
    )


def _pauses(rows: Iterable[dict[str, Any]]) -> dict[str, tuple[m.Pause, ...]]:
    """By invoice; under "" those of the customer."""
    found: dict[str, tuple[m.Pause, ...]] = {}
    for row in rows:
        until = date.fromisoformat(row["until"]) if row["until"] else None
        key = row["invoice_id"] or ""
        found[key] = (*found.get(key, ()), m.Pause(until))
    return found


def _promises(rows: Iterable[dict[str, Any]]) -> dict[str, tuple[m.Promise, ...]]:
    found: dict[str, tuple[m.Promise, ...]] = {}
    for row in rows:
        promise = m.Promise(
            id=row["id"],
            promised_on=date.fromisoformat(row["promised_on"]),
            amount=Decimal(row["amount"]) if row["amount"] is not None else None,
            paid=Decimal(row["paid"]),
            balance_then=Decimal(row["balance_then"]),
        )
        found[row["invoice_id"]] = (*found.get(row["invoice_id"], ()), promise)
    return found


def _contact_row(row: dict[str, Any]) -> t.Contact:
    """A contact to read; it is not part of the session."""
    ids = {"id": uuid.UUID(row["id"]), "customer_id": uuid.UUID(row["customer_id"])}
    return t.Contact(**{**row, **ids})


def _contact(row: t.Contact, closures: Closures) -> m.Contact:
    fixed = {
        address: tuple(datetime.fromisoformat(at).astimezone(UTC) for at in times)
        for address, times in row.fixed.items()
    }
    for kind in (EMAIL, PHONE):
        opened = closures.opened_at(row, kind)
        if opened is not None:  # for rule 35 that is a correction too
            fixed[kind] = (*fixed.get(kind, ()), opened.astimezone(UTC))
    return m.Contact(
        id=str(row.id),
        main=row.main,
        position=row.position,
        email=bool(row.email) and not row.email_invalid and not closures.closed(row, EMAIL),
        phone=bool(row.phone) and not row.phone_invalid and not closures.closed(row, PHONE),
        postal=bool(row.postal) and not row.postal_invalid,
        fixed=fixed,
    )


def _deadline(organisation: t.Organisation, deadline: datetime | None) -> datetime | None:
    """A claim's deadline is on the real clock; a rehearsal's stands a year away from it."""
    if deadline is None or organisation.rehearsal_now is None:
        return deadline
    left = max(deadline - datetime.now(UTC), timedelta(0))
    return organisation.rehearsal_now + left


def _action(
    unit: Unit,
    row: t.Action,
    deadline: datetime | None,
    calendar: Calendar,
    unknown: bool,
) -> m.Action:
    keys: tuple[str, ...] = ()
    if row.plan_version_id is not None:
        keys = plan_of(unit.session.get_one(t.PlanVersion, row.plan_version_id)).keys
    return m.Action(
        id=str(row.id),
        seq=row.seq or 0,
        invoice_id=str(row.invoice_id),
        type=ActionType(row.executed_type or row.type),
        status=m.ActionStatus(row.status),
        step_key=row.step_key,
        plan_id=str(row.plan_id or ""),
        plan_keys=keys,
        occurrence=row.occurrence,
        attempt=row.attempt,
        automatic=row.automatic,
        requested=row.requested_at is not None,
        planned_for=row.planned_for.astimezone(UTC) if row.planned_for else None,
        trigger_on=row.trigger_on,
        executed_on=calendar.today(row.executed_at) if row.executed_at else None,
        ended_on=calendar.today(row.ended_at) if row.ended_at else None,
        deadline=deadline.astimezone(UTC) if deadline else None,
        shown_at=row.shown_at.astimezone(UTC) if row.shown_at else None,
        unknown=unknown,
        cause=m.Cause(row.cause) if row.cause else None,
    )
