"""Rules 27, 30 and 32: manual actions, which their owner completes or skips."""

from __future__ import annotations

import pytest

from dunning.decision import Kind
from dunning.model import ActionStatus, InvoiceStatus
from tests.cast.diary import Diary, call, email, plan

CALLS = plan(call("call", 1), email("s8", 8))


def calling() -> Diary:
    life = Diary(CALLS, "2025-03-04 09:00")
    life.invoice("A", due="2025-03-03")
    life.settle()
    return life


def test_rule_27_the_sequence_waits_at_an_open_action() -> None:
    life = calling()
    decision = life.until("2025-09-30")
    assert (decision.kind, decision.at, decision.step_key) == (Kind.AWAIT_OWNER, None, "call")
    assert life.sent == []


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        ({"status": InvoiceStatus.PAID}, "call: A is paid (rule 4)"),
        ({"disputed": True}, "call: A is disputed (rule 41)"),
    ],
)
def test_rule_27_an_open_action_is_withdrawn_when_its_reason_is_gone(
    fact: dict[str, object], words: str
) -> None:
    life = calling()
    life.change("A", **fact)
    assert life.settle().kind is Kind.REST
    assert life.withdrawn == [words]


def test_rule_27_an_action_withdrawn_by_a_pause_of_its_invoice_is_back_afterwards() -> None:
    life = calling()
    life.pause("A", until="2025-03-20")
    life.until("2025-03-30")
    assert life.withdrawn == ["call: A is paused until 2025-03-20 (rule 38)"]
    assert life.assigned == ["Tue 4 Mar 09:00 call A", "Thu 20 Mar 00:00 call A"]
    assert life.open("call").attempt == 1


def test_rule_27_an_open_action_is_withdrawn_when_its_invoice_no_longer_exists() -> None:
    life = calling()
    life.tell(invoices=())
    life.settle()
    assert life.withdrawn == ["call: its invoice is gone (rule 27)"]


def test_rule_30_a_completed_email_goes_out_at_once_even_on_a_sunday_night() -> None:
    life = Diary(plan(email("letter", 1, automatic=False)), "2025-03-08")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-09 22:00")
    life.complete("letter")
    life.settle()
    assert life.sent == ["Sun 9 Mar 22:00 letter A"]


def test_rule_30_and_42_a_completed_letter_is_withdrawn_when_credit_covers_it() -> None:
    life = Diary(plan(email("letter", 1, automatic=False)), "2025-03-08")
    life.invoice("A", due="2025-03-03")
    life.settle()
    life.complete("letter")
    life.tell(credits={"EUR": 100})
    life.settle()
    assert life.sent == []
    assert life.withdrawn == ["letter: unapplied credit covers the balance of A (rule 42)"]


def test_rule_30_a_completed_extra_reminder_goes_out_and_delays_the_plan() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-03")
    life.invoice("A", due="2025-03-03")
    life.act(id="extra", invoice_id="A", status=ActionStatus.TO_DO, plan_id="")
    assert life.settle().step_key == "s1"  # it holds nothing while it is open
    life.act(id="extra", invoice_id="A", status=ActionStatus.TO_DO, plan_id="", requested=True)
    life.until("2025-03-20")
    assert life.sent == ["Mon 3 Mar 00:00 None A", "Mon 10 Mar 08:30 s1 A"]


def test_rule_30_a_completed_action_is_sent_before_an_open_one_is_waited_for() -> None:
    life = calling()
    life.act(id="extra", invoice_id="A", status=ActionStatus.TO_DO, plan_id="", requested=True)
    life.settle()
    assert [a.id for _, a in life.lines if a.status is ActionStatus.DONE] == ["extra"]
    assert life.shown == ["call"]


def test_rule_32_a_skipped_action_is_no_contact_and_the_next_step_follows() -> None:
    life = Diary(plan(call("call", 1), email("s2", 2)), "2025-03-04")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-07 15:00")
    life.skip("call")
    life.until("2025-03-30")
    assert life.days == ["Mon 10 Mar s2"]


def test_rule_32_a_skipped_first_action_of_a_contextualized_plan_is_not_shown_again() -> None:
    life = Diary(plan(call("call", 1), email("s8", 8), first="contextualized"), "2025-03-04")
    life.invoice("A", due="2025-03-03")
    life.settle()
    life.skip("call")
    assert life.settle().step_key == "s8"
