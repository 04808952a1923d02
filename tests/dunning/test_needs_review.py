"""Rule 36: a message in doubt. It holds the sequence while its invoice carries, until its owner
answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dunning.decision import Kind
from dunning.model import ActionStatus, InvoiceStatus
from dunning.recheck import why_not_again
from tests.cast.diary import Diary, call, email, plan

STEPS = plan(email("s1", 1), email("s8", 8))


def in_doubt() -> Diary:
    """Tuesday 4 March, 09:00: A's first email may have left at 08:30; B is younger."""
    life = Diary(STEPS, "2025-03-04 09:00")
    life.invoice("A", due="2025-03-03")
    life.invoice("B", due="2025-03-10")
    life.act(
        id="a", invoice_id="A", step_key="s1", automatic=True, status=ActionStatus.NEEDS_REVIEW
    )
    return life


GONE: dict[str, Callable[[Diary], object]] = {
    "paid": lambda life: life.pay("A"),
    "void": lambda life: life.change("A", status=InvoiceStatus.VOID),
    "written off": lambda life: life.change("A", status=InvoiceStatus.WRITTEN_OFF),
    "disputed": lambda life: life.change("A", disputed=True),
    "paused": lambda life: life.pause("A", until="2025-03-20"),
    "promised": lambda life: life.promise("A", "2025-03-20"),
}


def test_rule_36_a_message_in_doubt_holds_the_sequence_while_its_invoice_carries() -> None:
    life = in_doubt()
    decision = life.settle()
    assert (decision.kind, decision.action_id) == (Kind.AWAIT_OWNER, "a")


@pytest.mark.parametrize("why", GONE)
def test_rule_36_a_message_in_doubt_holds_nothing_when_its_invoice_does_not_carry(why: str) -> None:
    life = in_doubt()
    GONE[why](life)
    decision = life.settle()
    assert (decision.kind, decision.invoice_id, decision.step_key) == (Kind.WAIT, "B", "s1")
    assert decision.withdraw == ()
    life.until("2025-03-12")
    assert life.days == ["Tue 11 Mar s1"]
    assert [a.status for a in life.account.actions if a.id == "a"] == [ActionStatus.NEEDS_REVIEW]


def test_rule_36_a_message_in_doubt_holds_nothing_when_an_older_invoice_appears() -> None:
    life = in_doubt()
    life.invoice("older", due="2025-02-03")
    decision = life.settle()
    assert (decision.kind, decision.invoice_id) == (Kind.WAIT, "older")


def test_rule_36_a_message_in_doubt_holds_nothing_when_every_invoice_is_paid() -> None:
    life = in_doubt()
    life.pay("A")
    life.pay("B")
    decision = life.settle()
    assert (decision.kind, decision.owes_nothing) == (Kind.REST, True)


def test_rule_36_a_message_in_doubt_holds_again_when_its_invoice_carries_again() -> None:
    life = in_doubt()
    life.pause("A", until="2025-03-20")
    life.until("2025-03-20 09:00")
    decision = life.settle()
    assert (decision.kind, decision.action_id) == (Kind.AWAIT_OWNER, "a")


def test_rule_36_a_message_in_doubt_does_not_hold_the_call_of_another_invoice() -> None:
    life = Diary(plan(call("call", 1)), "2025-03-11 09:00")
    life.invoice("A", due="2025-03-03")
    life.invoice("B", due="2025-03-10")
    life.act(id="a", invoice_id="A", step_key="call", status=ActionStatus.NEEDS_REVIEW)
    life.pay("A")
    decision = life.settle()
    assert (decision.kind, decision.invoice_id) == (Kind.AWAIT_OWNER, "B")
    assert decision.action_id != "a"


@pytest.mark.parametrize("why", GONE)
def test_rule_36_a_message_in_doubt_may_be_sent_again_only_while_its_reason_holds(why: str) -> None:
    life = in_doubt()
    assert why_not_again(life.account, "a", life.now) == ""
    GONE[why](life)
    assert "A is" in why_not_again(life.account, "a", life.now)
    paused = in_doubt()
    paused.pause()
    assert "the customer was paused" in why_not_again(paused.account, "a", paused.now)
