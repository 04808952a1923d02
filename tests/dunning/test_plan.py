"""A plan and the dates of its triggers."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from dunning.plan import Plan, Trigger
from plans.read import parse_plan


def step(**fields: Any) -> dict[str, Any]:
    return {"key": "s", "type": "email", "trigger": {"from": "due", "days": 1}} | fields


def data(**fields: Any) -> dict[str, Any]:
    return {"name": "p", "steps": [step()]} | fields


def test_a_step_is_found_by_its_key() -> None:
    plan: Plan = parse_plan(data())
    assert plan.step("s") is plan.find("s")
    assert plan.find("other") is None
    with pytest.raises(KeyError):
        plan.step("other")


def test_rule_17_a_trigger_is_days_from_the_due_or_issue_date_or_a_fixed_date() -> None:
    issued, due = date(2024, 1, 30), date(2024, 2, 28)
    assert Trigger("due", 1).date_for(issued, due) == date(2024, 2, 29)  # a leap day
    assert Trigger("issue", 30).date_for(issued, due) == date(2024, 2, 29)
    assert Trigger("date", on=date(2025, 1, 1)).date_for(issued, due) == date(2025, 1, 1)
    assert Trigger("due", 3650).date_for(issued, date.max) == date.max
    assert Trigger("due", -3650).date_for(issued, date.min) == date.min
    assert [str(t) for t in (Trigger("due", -3), Trigger("date", on=due))] == [
        "due date -3 days",
        "on 2024-02-28",
    ]
