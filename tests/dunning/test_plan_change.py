"""Rules 43 and 44: a new version of a plan is saved, or a customer is given another plan."""

from __future__ import annotations

from dunning.decision import Kind
from dunning.plan import Plan
from tests.cast.diary import Diary, call, email, plan

A, B, C = email("a", 1), email("b", 8), email("c", 30)


def at_b(the_plan: Plan | None = None) -> Diary:
    """Steps a and b were executed, c is next."""
    life = Diary(the_plan or plan(A, B, C), "2025-02-20")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-12")
    assert life.days == ["Tue 4 Mar a", "Tue 11 Mar b"]
    return life


def saved(life: Diary, *steps: dict[str, object], until: str = "2025-07-01") -> list[str]:
    life.tell(plan=plan(*steps))
    life.until(until)
    return life.days[2:]


def test_rule_43_the_customer_moves_to_the_new_version_by_step_key() -> None:
    assert saved(at_b(), A, B, email("c", 20)) == ["Mon 24 Mar c"]


def test_rule_43_a_step_inserted_before_the_position_is_not_run() -> None:
    assert saved(at_b(), A, email("new", 5), B, C) == ["Wed 2 Apr c"]


def test_rule_43_a_step_inserted_after_the_position_is_run() -> None:
    assert saved(at_b(), A, B, email("new", 15), C) == ["Tue 18 Mar new", "Wed 2 Apr c"]


def test_rule_43_after_a_deleted_position_the_next_existing_step_runs() -> None:
    assert saved(at_b(), A, C) == ["Wed 2 Apr c"]
    assert saved(at_b(), A, email("x", 15), C) == ["Wed 2 Apr c"]
    assert saved(at_b(), A, email("d", 20)) == ["Mon 24 Mar d"]
    assert saved(at_b(), C, A) == ["Wed 2 Apr c"]


def test_rule_43_a_version_without_any_old_step_is_entered_like_another_plan() -> None:
    assert saved(at_b(), email("x", 1), email("y", 12), email("z", 40)) == [
        "Mon 17 Mar y",
        "Mon 14 Apr z",
    ]


def test_rule_43_steps_that_were_reordered_are_not_executed_twice() -> None:
    assert saved(at_b(), B, C, A) == ["Wed 2 Apr c"]


def test_rule_43_an_open_action_keeps_the_version_from_which_it_was_made() -> None:
    life = Diary(plan(call("call", 1), C), "2025-03-04")
    life.invoice("A", due="2025-03-03")
    life.settle()
    life.tell(plan=plan(email("new", 2), C))
    assert life.settle().kind is Kind.AWAIT_OWNER
    life.complete("call")
    life.until("2025-07-01")
    assert life.days == ["Tue 4 Mar call", "Wed 2 Apr c"]


def given(life: Diary, the_plan: Plan | None, plan_id: str = "another") -> None:
    carrying = life.settle().invoice_id
    life.tell(plan=the_plan, plan_id=plan_id, contextualized_invoice_id=carrying)


def test_rule_44_another_plan_is_entered_contextualized_and_keeps_the_contact_delay() -> None:
    life = at_b()
    given(life, plan(email("x", 1), email("y", 8), email("z", 15)))
    assert [r.rule for r in life.settle().reasons][:3] == [2, 44, 12]
    life.until("2025-07-01")
    assert life.days[2:] == ["Mon 17 Mar y", "Mon 24 Mar z"]


def test_rule_44_another_plan_is_contextualized_before_any_executed_action() -> None:
    life = Diary(plan(call("call", 1)), "2025-03-13 07:00")
    life.invoice("A", due="2025-03-03")
    life.settle()
    given(life, plan(email("x", 1), email("y", 8)))
    life.settle()
    assert life.withdrawn == ["call: the customer was given another plan (rule 44)"]
    life.until("2025-07-01")
    assert life.days == ["Thu 13 Mar y"]


def test_rule_44_the_next_invoice_enters_by_the_plans_own_logic() -> None:
    life = at_b()
    life.invoice("B", due="2025-03-04")
    given(life, plan(email("x", 1), email("y", 8)))
    life.pay("A")
    life.until("2025-03-18")
    assert life.sent[2:] == ["Mon 17 Mar 08:30 x B"]


def test_rule_44_a_plan_that_is_given_back_executes_no_step_twice() -> None:
    life = at_b()
    given(life, plan(email("x", 1), email("y", 8)))
    life.until("2025-03-18")
    given(life, plan(A, B, C), "p")
    life.until("2025-07-01")
    assert life.days[2:] == ["Mon 17 Mar y", "Wed 2 Apr c"]


def test_rule_44_equal_step_keys_of_two_plans_are_different_steps() -> None:
    life = at_b()
    life.bounce("b")
    life.settle()
    given(life, plan(email("a", 1), email("b", 9)))
    decision = life.settle()
    assert (decision.kind, decision.step_key, decision.attempt) == (Kind.WAIT, "b", 0)


def test_rule_44_without_a_plan_the_open_action_is_withdrawn_with_that_reason() -> None:
    life = Diary(plan(call("call", 1)), "2025-03-04")
    life.invoice("A", due="2025-03-03")
    life.settle()
    given(life, None, "")
    decision = life.settle()
    assert decision.kind is Kind.REST
    assert decision.reasons[-1].text.startswith("the customer has no plan")
    assert life.withdrawn == ["call: the customer has no plan any more (rule 44)"]
