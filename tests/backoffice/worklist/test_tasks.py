"""A task without a step is made once for each reason (rules 26 and 42)."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from stand_ins.town import email
from store import tables as t
from tests.cast.overdue import DUE, overdue

pytestmark = pytest.mark.services


def test_the_task_of_an_exhausted_plan_is_made_once(engine: Engine) -> None:
    town = overdue(engine, email("one", 1))
    assert len(town.lives_until("2025-03-05 12:00")) == 1
    for _ in range(3):
        assert town.review().state == "rest"
    tasks = [a for a in town.rows(t.Action) if a.step_key is None]
    assert [(a.cause, a.status, a.type) for a in tasks] == [("exhausted", "to_do", "task")]
    assert len(town.timeline("exhausted")) == 1
    town.change(t.Customer, terms_days=14)  # any fact
    town.pay("INV-1", "1")
    town.review()
    assert len(town.timeline("exhausted")) == 1


def test_the_task_to_apply_a_credit_is_made_once_and_withdrawn_with_its_reason(
    engine: Engine,
) -> None:
    """Rule 42: a credit of 100 EUR is unapplied. Nothing is sent, and Ben gets one task."""
    town = overdue(engine)
    town.review()
    town.pay("INV-1", "100", applied=False)
    for _ in range(3):
        assert town.review().state == "rest"
    assert town.lives_until("2025-03-06 12:00") == []
    tasks = [a for a in town.rows(t.Action) if a.step_key is None]
    assert [(a.cause, a.status) for a in tasks] == [("apply_credit", "to_do")]
    assert len(town.timeline("credit_covers")) == 1
    town.invoice(
        "INV-1", DUE, "150"
    )  # after the correction the credit no longer covers the balance
    assert town.review().then == "email"
    tasks = [a for a in town.rows(t.Action) if a.step_key is None]
    assert [a.status for a in tasks] == ["withdrawn"]
