"""After a customer's reply automatic steps wait until a day; manual steps do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from dunning.decide import decide
from dunning.decision import Kind
from dunning.model import Action, ActionStatus, Cause
from dunning.plan import ActionType
from dunning.recheck import still_due
from tests.cast.diary import Diary, call, day, email, instant, plan


def owing(*steps: dict[str, object]) -> Diary:
    life = Diary(plan(*steps), "2025-02-20")
    life.invoice("A", due="2025-03-03")
    return life


def test_after_a_reply_automatic_steps_wait_until_the_start_of_a_day() -> None:
    """Due on Tuesday 4; Eve wrote on Monday, so nothing leaves before Wednesday 5."""
    life = owing(email("s1", 1), email("s8", 8))
    life.until("2025-03-03 18:00")
    life.tell(held_until=day("2025-03-05"))
    decision = life.settle()
    assert decision.at == instant("2025-03-05 08:30")
    assert "the customer wrote back: nothing automatic before 2025-03-05" in [
        r.text for r in decision.reasons
    ]
    life.until("2025-03-20")
    assert life.days == ["Wed 5 Mar s1", "Tue 11 Mar s8"]


def test_a_reply_hold_that_ends_on_a_weekend_sends_on_monday() -> None:
    life = owing(email("s1", 1))
    life.tell(held_until=day("2025-03-08"))
    life.until("2025-03-20")
    assert life.days == ["Mon 10 Mar s1"]


def test_a_reply_does_not_hold_manual_steps() -> None:
    life = owing(call("s1", 1))
    life.tell(held_until=day("2025-03-20"))
    life.until("2025-03-06")
    assert life.account.actions[0].status is ActionStatus.TO_DO


def test_a_pre_due_step_held_by_a_reply_past_the_due_date_is_passed_over() -> None:
    """Rule 15."""
    life = owing(email("before", -5), email("s1", 1))
    life.until("2025-02-25")
    life.tell(held_until=day("2025-03-05"))
    life.until("2025-03-20")
    assert life.days == ["Wed 5 Mar s1"]


def test_the_owners_task_about_a_reply_holds_nothing_and_stays_open() -> None:
    life = owing(email("s1", 1), email("s8", 8))
    life.until("2025-03-05")
    for n, cause in enumerate((Cause.REPLIED, Cause.CHANNEL_CLOSED)):
        task = Action(f"t{n}", 50 + n, "A", ActionType.TASK, ActionStatus.TO_DO, cause=cause)
        life.tell(actions=(*life.account.actions, task))
    life.until("2025-03-20")
    assert life.days == ["Tue 4 Mar s1", "Tue 11 Mar s8"]
    open_ = [a.cause for a in life.account.actions if a.status is ActionStatus.TO_DO]
    assert Cause.REPLIED in open_
    assert Cause.CHANNEL_CLOSED in open_


def test_an_unknown_outcome_is_looked_up_at_its_deadline() -> None:
    life = owing(email("s1", 1))
    now = instant("2025-03-04 08:30")
    sending = Action(
        "a",
        1,
        "A",
        ActionType.EMAIL,
        ActionStatus.SENDING,
        step_key="s1",
        plan_id="p",
        automatic=True,
        planned_for=now,
        deadline=now + timedelta(minutes=1),
        unknown=True,
    )
    account = replace(life.account, actions=(sending,))
    decision = decide(account, now)
    assert (decision.kind, decision.look_up, decision.then) == (Kind.WAIT, True, ActionType.EMAIL)
    assert decision.at == now + timedelta(minutes=1)
    # Rule 36: the claimed message is still due now, but not once its reason is gone.
    assert still_due(account, "a", now)
    assert not still_due(account, "a", instant("2025-03-04 17:01"))
    paid = tuple(replace(i, balance=i.balance * 0) for i in account.invoices)
    assert not still_due(replace(account, invoices=paid), "a", now)
