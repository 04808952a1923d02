"""``decide`` and ``as_others_know``: one call for each kind of answer, the order of the questions
in ``decide``, and properties of every answer. Months of a customer: ``test_lives``."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from hypothesis import event, given, settings
from hypothesis import strategies as st

from dunning.decide import as_others_know, decide
from dunning.decision import Decision, Kind
from dunning.model import Account, Action, ActionStatus, Cause, Invoice, InvoiceStatus, Pause
from dunning.plan import ActionType
from tests.cast.accounts import situations
from tests.cast.diary import ANNA, PARIS, Diary, call, email, plan
from tests.cast.sound_decisions import (
    assert_may_leave,
    assert_right_time,
    assert_waking_makes_progress,
    assert_well_formed,
)

T = TypeVar("T")
#: Tuesday 4 March 2025, 10:00 in Paris; the invoice has been due since the day before.
NOW = datetime(2025, 3, 4, 9, tzinfo=UTC)
TOMORROW_MORNING = datetime(2025, 3, 5, 7, 30, tzinfo=UTC)  # 08:30 in Paris
DUE = date(2025, 3, 3)
INVOICE = Invoice("a", "A", date(2025, 2, 1), DUE, Decimal(100), Decimal(100))


def account(**facts: Any) -> Account:
    standing = {
        "plan": plan(email("first", 2)),
        "plan_id": "p",
        "invoices": (INVOICE,),
        "contacts": (ANNA,),
    }
    return Account("c", PARIS, **{**standing, **facts})


def action(status: ActionStatus, **facts: Any) -> Action:
    standing = {"step_key": "first", "plan_id": "p", "plan_keys": ("first",), "trigger_on": DUE}
    return Action("x", 1, "a", ActionType.EMAIL, status, **{**standing, **facts})


def rules(decision: Decision) -> list[int]:
    return [reason.rule for reason in decision.reasons]


def test_before_its_time_an_automatic_step_is_waited_for() -> None:
    found = decide(account(), NOW)
    assert (found.kind, found.at, found.then) == (Kind.WAIT, TOMORROW_MORNING, ActionType.EMAIL)
    assert (found.invoice_id, found.step_key) == ("a", "first")


def test_an_automatic_step_at_its_time_is_sent() -> None:
    found = decide(account(), TOMORROW_MORNING)
    assert (found.kind, found.then, found.step_key) == (Kind.SEND, ActionType.EMAIL, "first")


def test_a_manual_step_at_its_time_is_given_to_its_owner() -> None:
    found = decide(account(plan=plan(call("call", 2))), TOMORROW_MORNING)
    assert (found.kind, found.step_key) == (Kind.ASSIGN, "call")


def test_an_open_action_waits_for_its_owner() -> None:
    found = decide(account(actions=(action(ActionStatus.TO_DO),)), NOW)
    assert (found.kind, found.action_id, found.at) == (Kind.AWAIT_OWNER, "x", None)
    assert rules(found)[-1] == 27


def test_an_open_action_that_its_owner_completed_is_sent() -> None:
    requested = action(ActionStatus.TO_DO, requested=True)
    found = decide(account(actions=(requested,)), NOW)
    assert (found.kind, found.then, found.action_id) == (Kind.SEND, ActionType.EMAIL, "x")
    assert rules(found)[-1] == 30


def test_an_open_action_whose_message_bounced_names_rule_37() -> None:
    bounced = action(ActionStatus.TO_DO, cause=Cause.BOUNCED)
    assert rules(decide(account(actions=(bounced,)), NOW))[-1] == 37


def test_a_message_being_sent_is_waited_for_until_its_claim_ends() -> None:
    sending = action(ActionStatus.SENDING, deadline=TOMORROW_MORNING)
    found = decide(account(actions=(sending,)), NOW)
    assert (found.kind, found.at, found.look_up) == (Kind.WAIT, TOMORROW_MORNING, False)


def test_an_unknown_outcome_is_looked_up_at_its_deadline_or_now_if_that_is_past() -> None:
    unknown = action(ActionStatus.SENDING, unknown=True, deadline=NOW.replace(hour=1))
    found = decide(account(actions=(unknown,)), NOW)
    assert (found.kind, found.at, found.look_up) == (Kind.WAIT, NOW, True)


def test_a_message_in_doubt_waits_for_its_owner() -> None:
    found = decide(account(actions=(action(ActionStatus.NEEDS_REVIEW),)), NOW)
    assert (found.kind, found.at, rules(found)) == (Kind.AWAIT_OWNER, None, [36])


def test_a_paused_customer_waits_for_the_end_of_the_pause() -> None:
    found = decide(account(pauses=(Pause(date(2025, 3, 10)),)), NOW)
    assert (found.kind, rules(found)) == (Kind.WAIT, [38])
    assert found.at == datetime(2025, 3, 9, 23, tzinfo=UTC)  # midnight in Paris


def test_a_customer_paused_without_an_end_rests() -> None:
    found = decide(account(pauses=(Pause(),)), NOW)
    assert (found.kind, found.at, rules(found)) == (Kind.REST, None, [38])


def test_a_customer_without_a_plan_rests() -> None:
    found = decide(account(plan=None), NOW)
    assert (found.kind, rules(found)) == (Kind.REST, [2, 1])


def test_a_customer_without_an_open_invoice_rests_and_owes_nothing() -> None:
    paid = replace(INVOICE, status=InvoiceStatus.PAID, balance=Decimal(0))
    found = decide(account(invoices=(paid,)), NOW)
    assert (found.kind, found.owes_nothing, rules(found)) == (Kind.REST, True, [1])


def test_a_disputed_invoice_does_not_carry_and_is_still_owed() -> None:
    found = decide(account(invoices=(replace(INVOICE, disputed=True),)), NOW)
    assert (found.kind, found.invoice_id, found.owes_nothing) == (Kind.REST, None, False)
    assert rules(found) == [41]


def test_unapplied_credit_that_covers_the_invoice_gives_its_owner_a_task() -> None:
    found = decide(account(credits={"EUR": Decimal(100)}), NOW)
    assert (found.kind, rules(found)[-1]) == (Kind.REST, 42)
    assert [task.cause for task in found.tasks] == [Cause.APPLY_CREDIT]


def test_an_exhausted_plan_gives_its_owner_a_task() -> None:
    done = action(ActionStatus.DONE, executed_on=DUE)
    found = decide(account(actions=(done,)), NOW)
    assert (found.kind, rules(found)[-1]) == (Kind.REST, 26)
    assert [task.cause for task in found.tasks] == [Cause.EXHAUSTED]


def test_the_end_of_an_older_invoices_pause_is_the_next_decision() -> None:
    older = replace(INVOICE, id="o", number="O", due_on=date(2025, 2, 20))
    paused = replace(older, pauses=(Pause(date(2025, 3, 5)),))
    found = decide(account(invoices=(INVOICE, paused)), NOW)
    assert (found.kind, found.invoice_id, found.then) == (Kind.WAIT, "a", None)
    assert found.at == datetime(2025, 3, 4, 23, tzinfo=UTC)


def test_others_see_the_same_with_and_without_an_open_action() -> None:
    manual = account(plan=plan(call("call", 2)))
    opened = replace(manual, actions=(action(ActionStatus.TO_DO),))
    found = as_others_know(manual, NOW)
    assert (found.kind, rules(found)) == (Kind.REST, [2, 20])
    assert as_others_know(opened, NOW) == found


def test_others_see_a_pause_and_the_carrying_invoice() -> None:
    assert as_others_know(account(pauses=(Pause(),)), NOW) == decide(
        account(pauses=(Pause(),)), NOW
    )
    assert rules(as_others_know(account(invoices=()), NOW)) == [1]


def test_decide_asks_its_questions_in_a_fixed_order() -> None:
    """All conditions hold at first. Each is removed once it was answered, and the next answers."""
    life = Diary(plan(email("first", 2)), "2025-03-04 10:00")
    life.invoice("A", due="2025-03-03")
    answers = []

    def ask(**gone: Any) -> None:
        life.tell(**gone)
        found = decide(life.account, life.now)
        answers.append((found.kind, found.reasons[-1].rule))

    life.act(id="completed", status=ActionStatus.TO_DO, invoice_id="A", plan_id="", requested=True)
    completed = life.account.actions
    life.act(id="sending", status=ActionStatus.SENDING, invoice_id="A", step_key="first")
    life.pause()
    life.change("A", disputed=True)
    ask(plan=None)
    ask(actions=completed)
    ask(pauses=())
    life.change("A", disputed=False)
    ask()
    ask(actions=())
    ask(plan=plan(email("first", 2)), credits={"EUR": 100})
    ask(credits={})
    assert answers == [
        (Kind.WAIT, 36),  # a message is on its way
        (Kind.REST, 38),  # the customer is paused
        (Kind.REST, 41),  # nothing carries
        (Kind.SEND, 30),  # an open action holds the sequence
        (Kind.REST, 1),  # there is no plan
        (Kind.REST, 42),  # credit covers it
        (Kind.WAIT, 20),  # the next step
    ]


@settings(max_examples=400, deadline=None)
@given(situations, st.integers(0, 1000))
def test_any_account_gets_a_decision_that_depends_on_its_facts_alone(
    situation: tuple[Account, datetime], seed: int
) -> None:
    """The order of invoices and actions and the time zone of ``now`` do not change the decision.
    Only what may be sent is sent, and deciding again at ``at`` makes progress."""
    account, now = situation
    decision = decide(account, now)
    event(decision.kind)
    assert decide(shuffled(account, Random(seed)), now) == decision
    assert decide(account, now.astimezone(ZoneInfo("Asia/Tokyo"))) == decision
    assert_well_formed(decision, account, now)
    if decision.kind is Kind.SEND:
        assert_may_leave(decision, account, now)
    if decision.kind is Kind.WAIT and decision.automatic and decision.due is not None:
        assert_right_time(decision, account, decision.due)
    if decision.at is not None and decision.action_id is None:
        assert_waking_makes_progress(decision, account)


def shuffled(account: Account, random: Random) -> Account:
    def mixed(things: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(random.sample(things, len(things)))

    some = [
        replace(i, pauses=mixed(i.pauses), promises=mixed(i.promises)) for i in account.invoices
    ]
    return replace(
        account,
        invoices=mixed(tuple(some)),
        actions=mixed(account.actions),
        contacts=mixed(account.contacts),
        pauses=mixed(account.pauses),
    )
