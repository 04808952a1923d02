"""The plan that a customer is given (rule 44)."""

from __future__ import annotations

from sqlmodel import col, select

from dunning.ids import PlanId
from store import tables as t
from store.errors import Invalid
from store.nudges import nudge
from store.timeline import note
from store.unit import Unit


def plan_id_of(unit: Unit, name: str) -> PlanId | None:
    """A plan's id by its name, None for "". Raises Invalid when it is not loaded."""
    if not name:
        return None
    found = unit.session.exec(
        select(col(t.Plan.id)).where(
            t.Plan.organisation_id == unit.organisation_id, t.Plan.name == name
        )
    ).one_or_none()
    if found is None:
        raise Invalid.at("/plan", f"no plan {name!r}; load it with PUT /v1/plans/{{name}}")
    return found


def assign_plan(unit: Unit, customer: t.Customer, plan_id: PlanId | None) -> None:
    """Give a customer a plan, None = the organisation's default one (rule 44).

    A customer without a plan has the default one. Given that plan by name, it keeps it when the
    default changes, and nothing else happens. What another plan means for the carrying invoice is
    seen by the next decision: ``store.load.load``.
    """
    if customer.plan_id == plan_id:
        return
    default = unit.organisation.default_plan_id
    same = (customer.plan_id or default) == (plan_id or default)
    customer.plan_id = plan_id
    if same:
        return
    name = unit.session.get_one(t.Plan, plan_id).name if plan_id else "the default plan"
    note(unit, customer, "plan_changed", f"plan changed to {name}", by=unit.by)
    nudge(unit, customer)
