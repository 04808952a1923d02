"""Plans and their immutable versions (rules 43 and 44)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select

from backoffice.people.owners import check_owner
from dunning.ids import CustomerId, MemberId, PlanId
from dunning.plan import Plan, PlanError
from plans.read import parse_plan, plan_data
from store import tables as t
from store.errors import Invalid, NotFound
from store.locks import lock_organisation
from store.nudges import nudge_many
from store.unit import Unit

CheckTexts = Callable[[Plan], None]


def put_plan(
    unit: Unit,
    data: Mapping[str, Any],
    check_texts: CheckTexts,
    by: MemberId | None = None,
    *,
    owners_must_exist: bool = True,
) -> tuple[t.PlanVersion, str]:
    """Saves a plan: created, updated (a new version) or unchanged. The organisation's first plan
    becomes its default. Raises Invalid naming the step and the reason.

    ``check_texts`` raises PlanError for a step whose subject or body is no valid template.
    """
    plan = check_plan(unit, data, check_texts, owners_must_exist=owners_must_exist)
    definition = plan_data(plan)
    organisation = lock_organisation(unit)
    row = _made(unit, plan.name)
    number = 1
    if row.current_version_id is not None:
        current = unit.session.get_one(t.PlanVersion, row.current_version_id)
        if current.definition == definition:
            return current, "unchanged"
        number = current.version + 1
    version = t.PlanVersion(plan_id=row.id, version=number, definition=definition, created_by=by)
    unit.session.add(version)
    unit.session.flush()
    row.current_version_id = version.id
    if organisation.default_plan_id is None:
        organisation.default_plan_id = row.id
    unit.session.flush()
    nudge_many(unit, followers(unit, organisation, row.id))
    return version, "created" if number == 1 else "updated"


def check_plan(
    unit: Unit,
    data: Mapping[str, Any],
    check_texts: CheckTexts,
    *,
    owners_must_exist: bool = True,
) -> Plan:
    """The plan, if it is valid; nothing is stored. Raises Invalid with the step and the reason."""
    try:
        plan = parse_plan(data)
        check_texts(plan)
    except PlanError as e:
        raise Invalid.at(f"step {e.step}" if e.step else "plan", e.reason) from None
    for step in plan.steps if owners_must_exist else ():
        check_owner(unit, step.key, step.owner)
    return plan


def _made(unit: Unit, name: str) -> t.Plan:
    """The plan's row, created if it is missing. The organisation is locked, so that versions are
    saved one after the other."""
    statement = select(t.Plan).where(
        t.Plan.organisation_id == unit.organisation_id, t.Plan.name == name
    )
    row = unit.session.exec(statement).one_or_none()
    if row is None:
        row = t.Plan(organisation_id=unit.organisation_id, name=name)
        unit.session.add(row)
        unit.session.flush()
    return row


def followers(unit: Unit, organisation: t.Organisation, plan_id: PlanId) -> list[CustomerId]:
    """The customers with a sequence whom this plan drives: they are decided anew (rule 43)."""
    mine = col(t.Customer.plan_id) == plan_id
    if organisation.default_plan_id == plan_id:
        mine = sa.or_(mine, col(t.Customer.plan_id).is_(None))
    return list(
        unit.session.exec(
            select(col(t.Customer.id))
            .join(t.Sequence, col(t.Sequence.customer_id) == t.Customer.id)
            .where(t.Customer.organisation_id == organisation.id, mine)
        )
    )


def plan_or_404(unit: Unit, name: str) -> tuple[t.Plan, t.PlanVersion]:
    found = unit.session.exec(
        select(t.Plan, t.PlanVersion)
        .join(t.PlanVersion, col(t.Plan.current_version_id) == t.PlanVersion.id)
        .where(t.Plan.organisation_id == unit.organisation_id, t.Plan.name == name)
    ).one_or_none()
    if found is None:
        raise NotFound(f"no plan {name!r}")
    return found


def list_plans(unit: Unit) -> list[tuple[t.Plan, t.PlanVersion]]:
    return list(
        unit.session.exec(
            select(t.Plan, t.PlanVersion)
            .join(t.PlanVersion, col(t.Plan.current_version_id) == t.PlanVersion.id)
            .where(t.Plan.organisation_id == unit.organisation_id)
            .order_by(t.Plan.name)
        )
    )
