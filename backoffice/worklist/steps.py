"""The step of an action, and the step that a decision names."""

from __future__ import annotations

from dunning.ids import PlanId
from dunning.plan import Step
from store import tables as t
from store.account import plan_of
from store.load import Loaded
from store.unit import Unit


def step_in(loaded: Loaded, key: str | None) -> Step | None:
    """The step in the customer's current plan."""
    plan = loaded.account.plan
    return plan.find(key) if plan is not None else None


def plan_id(loaded: Loaded) -> PlanId | None:
    return loaded.plan_version.plan_id if loaded.plan_version else None


def step_of(unit: Unit, loaded: Loaded, action: t.Action) -> Step | None:
    """The step that an action was made from: an open action keeps its plan version (rule 43)."""
    if action.plan_version_id is None or action.step_key is None:
        return None
    version = unit.session.get_one(t.PlanVersion, action.plan_version_id)
    return plan_of(version).find(action.step_key) or step_in(loaded, action.step_key)
