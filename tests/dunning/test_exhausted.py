"""Rule 26: the end of the plan."""

from __future__ import annotations

from dunning.decision import Kind
from dunning.model import ActionStatus, Cause
from tests.cast.diary import Diary, email, plan


def test_rule_26_after_the_last_step_the_owner_gets_one_task_and_the_customer_rests() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-01")
    life.invoice("A", due="2025-03-03")
    decision = life.until("2025-06-30")
    assert (decision.kind, decision.at) == (Kind.REST, None)
    assert (
        decision.reasons[-1].text == "plan 'reminders' is exhausted for A: decide what to do next"
    )
    assert life.shown == ["exhausted"]
    life.end(life.open(cause=Cause.EXHAUSTED), ActionStatus.SKIPPED)
    life.settle()
    assert life.shown == []


def test_rule_26_the_task_is_withdrawn_when_its_reason_is_gone() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-01")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-10")
    life.tell(plan=plan(email("s1", 1), email("s30", 30)))
    assert life.settle().step_key == "s30"
    assert life.withdrawn == ["exhausted: what it asked for is no longer so (rule 26)"]
    life.tell(plan=plan(email("s1", 1)))
    life.settle()
    life.pay("A")
    life.settle()
    assert life.withdrawn[1:] == ["exhausted: A is paid (rule 4)"]


def test_rule_26_and_39_the_task_stays_while_the_customer_is_paused() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-01")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-10")
    life.pause()
    life.settle()
    assert life.shown == ["exhausted"]
    life.pay("A")
    life.settle()
    assert life.withdrawn == ["exhausted: A is paid (rule 4)"]
