"""Turns the rows of one customer into the account that the rules read (``dunning.model``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from addresses.kinds import EMAIL, KINDS, PHONE, POSTAL
from dunning import model as m
from dunning.calendar import Calendar
from dunning.delivery_status import DeliveryStatus
from dunning.ids import InvoiceId, PlanId, PlanVersionId
from dunning.plan import ActionType, Plan
from plans.read import parse_plan
from store import tables as t
from store.closures import Closures
from store.contacts import Person
from store.unit import Unit


@dataclass(frozen=True, slots=True)
class _Version:
    """Dicts are unhashable: cache by version id."""

    id: PlanVersionId
    definition: dict[str, Any] = field(compare=False)


@lru_cache(maxsize=2048)
def _parsed(version: _Version) -> Plan:
    return parse_plan(version.definition)


def plan_of(version: t.PlanVersion) -> Plan:
    """The parsed plan of an immutable version."""
    return _parsed(_Version(version.id, version.definition))


def contextualized_of(
    customer: t.Customer,
    version: t.PlanVersion | None,
    decided_plan: PlanId | None,
    decided_invoice: InvoiceId | None,
) -> str | None:
    """Rule 44: the invoice that the customer's sequence was about when the customer got its plan.

    The plan has changed if it differs from the plan of the last decision, whether it was assigned
    by name, by an import, or as the organisation's new default. A customer without a plan before
    enters its first one by that plan's own logic.
    """
    carried = customer.contextualized_invoice_id
    if decided_plan is not None and decided_plan != (version.plan_id if version else None):
        carried = decided_invoice
    return str(carried) if carried is not None else None


def invoice_of(
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


def pauses_of(rows: Iterable[dict[str, Any]]) -> dict[str, tuple[m.Pause, ...]]:
    """Pauses by invoice id; the customer's own are under ""."""
    found: dict[str, tuple[m.Pause, ...]] = {}
    for row in rows:
        until = date.fromisoformat(row["until"]) if row["until"] else None
        key = row["invoice_id"] or ""
        found[key] = (*found.get(key, ()), m.Pause(until))
    return found


def promises_of(rows: Iterable[dict[str, Any]]) -> dict[str, tuple[m.Promise, ...]]:
    """Open promises by invoice id."""
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


def contact_of(person: Person, closures: Closures) -> m.Contact:
    fixed: dict[str, tuple[datetime, ...]] = {}
    usable: dict[str, bool] = dict.fromkeys(KINDS, False)
    for kind, row in person.addresses.items():
        opened = closures.opened_at(kind, row.value)
        # Rule 35: an address that was opened again counts as corrected.
        times = (*row.fixed_at, *([opened] if opened is not None else []))
        if times:
            fixed[kind] = tuple(at.astimezone(UTC) for at in times)
        closed = closures.closed(kind, row.value)
        usable[kind] = bool(row.value) and not row.invalid and not closed
    return m.Contact(
        id=str(person.row.id),
        main=person.row.main,
        position=person.row.position,
        email=usable[EMAIL],
        phone=usable[PHONE],
        postal=usable[POSTAL],
        fixed=fixed,
    )


def action_of(
    unit: Unit,
    organisation: t.Organisation,
    calendar: Calendar,
    row: t.Action,
    deadline: datetime | None,
    delivery_status: str | None,
) -> m.Action:
    """``deadline`` and ``delivery_status``: its delivery's, while the action is "sending"."""
    until = _deadline(organisation, deadline)
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
        deadline=until.astimezone(UTC) if until else None,
        shown_at=row.shown_at.astimezone(UTC) if row.shown_at else None,
        unknown=delivery_status == DeliveryStatus.UNKNOWN,
        cause=m.Cause(row.cause) if row.cause else None,
    )


def _deadline(organisation: t.Organisation, deadline: datetime | None) -> datetime | None:
    """A claim's deadline is a real time. This is the same moment on the organisation's clock, which
    in a rehearsal may be a year away."""
    if deadline is None or organisation.rehearsal_now is None:
        return deadline
    left = max(deadline - datetime.now(UTC), timedelta(0))
    return organisation.rehearsal_now + left
