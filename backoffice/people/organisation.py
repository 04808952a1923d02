"""The organisation's own settings: calendar, money, language, default plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select

from backoffice.people.plans import plan_or_404
from dunning.ids import PlanId
from dunning.rates import COUNTRIES
from store import tables as t
from store.calendars import CalendarError, check_zone, parse_working_days, public_holidays
from store.errors import Invalid, NotFound
from store.locks import lock_organisation
from store.nudges import nudge_many
from store.unit import Unit


def change(unit: Unit, changes: dict[str, Any]) -> t.Organisation:
    """Changes settings by name, ``default_plan`` by the plan's name. If anything differs, every
    sequence is nudged. Another default plan is another plan for the customers without one of their
    own (rule 44), and is noted on their timelines. Raises Invalid for a zone, week, holiday
    calendar or plan that does not exist, and for a country whose interest for late payment is not
    known."""
    row = lock_organisation(unit)
    before = row.model_dump()
    _check(changes)
    for name, value in changes.items():
        if name == "default_plan":
            row.default_plan_id = _plan_id(unit, value)
        else:
            setattr(row, name, value)
    if row.cut_off <= row.sending_time:
        raise Invalid.at("/cut_off", f"{row.cut_off:%H:%M} is not after the sending time")
    unit.session.flush()
    if row.default_plan_id != before["default_plan_id"]:
        _tell_of_default_plan(unit, changes["default_plan"])
    if row.model_dump() != before:
        everybody = select(col(t.Sequence.customer_id)).where(
            t.Sequence.organisation_id == unit.organisation_id
        )
        nudge_many(unit, list(unit.session.exec(everybody)))
    return row


def _check(changes: dict[str, Any]) -> None:
    for name, check in _CHECKS.items():
        if name in changes:
            try:
                check(changes[name])
            except CalendarError as e:
                raise Invalid.at(f"/{name}", str(e)) from None
    country = changes.get("late_payment_country", "")
    if country and country not in COUNTRIES:
        raise Invalid.at(
            "/late_payment_country",
            f"the interest of {country!r} is not known; it is of {', '.join(sorted(COUNTRIES))}",
        )


def _plan_id(unit: Unit, name: str) -> PlanId:
    try:
        return plan_or_404(unit, name)[0].id
    except NotFound as e:
        raise Invalid.at("/default_plan", e.detail) from None


def _tell_of_default_plan(unit: Unit, plan: str) -> None:
    """Notes it on the timeline of every customer whose plan it changes."""
    entry = {
        "at": sa.literal(unit.now),
        "kind": sa.literal("plan_changed"),
        "text": sa.literal(f"plan changed to {plan}, the new default plan"),
        "by": sa.literal(unit.by),
    }
    affected = (
        sa.select(col(t.Customer.organisation_id), col(t.Customer.id), *entry.values())
        .join(t.Sequence, col(t.Sequence.customer_id) == t.Customer.id)
        .where(col(t.Customer.organisation_id) == unit.organisation_id)
        .where(col(t.Customer.plan_id).is_(None))
        .order_by(col(t.Customer.id))
    )
    columns = ["organisation_id", "customer_id", *entry]
    unit.session.connection().execute(sa.insert(t.TimelineEntry).from_select(columns, affected))


def _holidays(code: str) -> None:
    if code:
        public_holidays(code)


_CHECKS: dict[str, Callable[[str], object]] = {
    "timezone": check_zone,
    "working_days": parse_working_days,
    "holidays": _holidays,
}
