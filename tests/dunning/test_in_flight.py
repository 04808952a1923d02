"""Rule 36: a message that is being sent, or that is in doubt."""

from __future__ import annotations

from dataclasses import replace

from dunning.decide import decide
from dunning.decision import Kind
from dunning.model import ActionStatus, InvoiceStatus
from dunning.plan import ActionType
from tests.cast.diary import Diary, email, instant, plan


def test_rule_36_a_message_being_sent_holds_every_decision_until_its_deadline() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-04 08:30")
    life.invoice("A", due="2025-03-03")
    deadline = instant("2025-03-04 08:40")
    life.act(id="a", invoice_id="A", step_key="s1", status=ActionStatus.SENDING, deadline=deadline)
    life.pause()
    life.change("A", status=InvoiceStatus.PAID)
    decision = life.settle()
    assert (decision.kind, decision.at, decision.then) == (Kind.WAIT, deadline, ActionType.EMAIL)
    assert decision.withdraw == ()
    life.now = instant("2025-03-04 09:00")
    assert life.settle().at == life.now  # late: looked at this moment


def test_rule_36_a_message_that_may_have_left_waits_for_its_owner() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-04 08:30")
    life.invoice("A", due="2025-03-03")
    life.act(id="a", invoice_id="A", step_key="s1", status=ActionStatus.NEEDS_REVIEW)
    decision = life.settle()
    assert (decision.kind, decision.action_id) == (Kind.AWAIT_OWNER, "a")


def test_rule_36_a_message_being_sent_comes_before_one_in_doubt() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-04 08:30")
    life.invoice("A", due="2025-03-03")
    life.act(id="a", invoice_id="A", step_key="s1", status=ActionStatus.NEEDS_REVIEW)
    life.act(id="b", invoice_id="A", status=ActionStatus.SENDING, plan_id="")
    assert life.settle().action_id == "b"


def test_rule_36_a_completed_message_is_withdrawn_when_the_customer_is_paused() -> None:
    life = Diary(plan(email("letter", 1, automatic=False)), "2025-03-08")
    life.invoice("A", due="2025-03-03")
    life.settle()
    life.complete("letter")
    life.pause()
    life.settle()
    assert life.sent == []
    assert life.withdrawn == ["letter: the customer was paused before it left (rule 36)"]


def test_rule_36_a_send_names_its_invoice_and_its_channel() -> None:
    life = Diary(plan(email("s1", 1, type="sms")), "2025-03-04 08:30")
    life.invoice("A", due="2025-03-03")
    decision = decide(life.account, life.now)
    assert (decision.kind, decision.invoice_id) == (Kind.SEND, "A")
    assert decision.send_on is ActionType.SMS
    assert replace(decision, kind=Kind.WAIT).send_on is None
