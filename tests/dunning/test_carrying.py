"""Rules 1 to 9: which invoice of a customer carries."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dunning.decision import Kind
from dunning.model import InvoiceStatus, effective_due
from tests.cast.diary import Diary, call, day, email, plan

REMINDERS = plan(email("s1", 1), email("s8", 8), email("s15", 15))


def carrying(life: Diary) -> str | None:
    return life.settle().invoice_id


def test_rule_1_the_oldest_unpaid_invoice_carries() -> None:
    life = Diary(REMINDERS, "2025-02-20")
    life.invoice("B", due="2025-03-10")
    life.invoice("A", due="2025-03-03")
    assert carrying(life) == "A"
    assert any(r.rule == 2 and "oldest open invoice" in r.text for r in life.settle().reasons)


def test_rule_2_ties_go_to_the_highest_total_then_issue_date_then_id() -> None:
    life = Diary(REMINDERS, "2025-02-20")
    life.invoice("D", due="2025-03-03", total=100, issued="2025-02-01")
    assert carrying(life) == "D"
    life.invoice("C", due="2025-03-03", total=100, issued="2025-02-01")
    assert carrying(life) == "C"
    life.invoice("B", due="2025-03-03", total=100, issued="2025-01-20")
    assert carrying(life) == "B"
    life.invoice("A", due="2025-03-03", total=500, issued="2025-02-10")
    assert carrying(life) == "A"


def test_rule_2_a_part_payment_does_not_flip_the_carrier() -> None:
    life = Diary(REMINDERS, "2025-02-20")
    life.invoice("A", due="2025-03-03", total=500)
    life.invoice("B", due="2025-03-03", total=400)
    life.change("A", balance=Decimal(10))
    assert carrying(life) == "A"


def test_rule_2_without_a_due_date_it_is_the_issue_date_plus_the_terms() -> None:
    assert effective_due(day("2025-02-01"), day("2025-02-15"), 30) == day("2025-02-15")
    assert effective_due(day("2025-02-01"), None, 30) == day("2025-03-03")
    assert effective_due(day("2025-02-01"), None, None) == day("2025-02-01")


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        ({"balance": Decimal(1)}, "A has no balance above the tolerance"),
        ({"disputed": True}, "A is disputed"),
        ({"issued_on": day("2025-02-21")}, "A is issued on 2025-02-21, which is still to come"),
        ({"status": InvoiceStatus.PAID}, None),
        ({"total": Decimal(-50), "balance": Decimal(-50)}, "A has no balance above the tolerance"),
    ],
    ids=["within tolerance", "disputed", "not issued yet", "paid", "credit note"],
)
def test_rule_3_an_invoice_that_breaks_one_condition_does_not_carry(
    fact: dict[str, object], words: str | None
) -> None:
    life = Diary(REMINDERS, "2025-02-20")
    life.tell(tolerance=Decimal(1))
    life.invoice("A", due="2025-03-03")
    life.change("A", **fact)
    decision = life.settle()
    assert decision.invoice_id is None
    assert decision.owes_nothing == (words is None or "tolerance" in words)
    if words is not None:
        assert words in [r.text for r in decision.reasons]
    life.invoice("B", due="2025-03-10")
    assert carrying(life) == "B"


def test_rule_3_an_older_invoice_issued_tomorrow_wakes_the_customer_tomorrow() -> None:
    life = Diary(REMINDERS, "2025-02-20")
    life.invoice("A", due="2025-03-20")
    life.invoice("B", due="2025-03-03", issued="2025-02-25")
    decision = life.settle()
    assert (decision.kind, decision.then, decision.invoice_id) == (Kind.WAIT, None, "A")
    assert life.until("2025-02-25").invoice_id == "B"


def test_rule_4_paying_the_carrying_invoice_starts_over_and_paying_another_does_not() -> None:
    life = Diary(REMINDERS, "2025-02-20")
    for id_, due in (("A", "2025-03-03"), ("B", "2025-03-04"), ("C", "2025-03-05")):
        life.invoice(id_, due=due)
    life.until("2025-03-05")
    life.pay("B")
    life.until("2025-03-12")
    life.pay("A")
    life.until("2025-03-19")
    assert life.sent == ["Tue 4 Mar 08:30 s1 A", "Tue 11 Mar 08:30 s8 A", "Mon 17 Mar 08:30 s1 C"]


@pytest.mark.parametrize("status", [InvoiceStatus.VOID, InvoiceStatus.WRITTEN_OFF])
def test_rule_5_after_void_or_written_off_the_sequence_starts_over_with_that_reason(
    status: InvoiceStatus,
) -> None:
    life = Diary(plan(call("call", 1)), "2025-02-20")
    life.invoice("A", due="2025-03-03")
    life.invoice("B", due="2025-03-10")
    life.until("2025-03-05")
    life.change("A", status=status, closed_reason="is closed by Ms Weiss")
    life.until("2025-03-12")
    assert life.withdrawn == ["call: A is closed by Ms Weiss (rule 5)"]
    assert life.assigned[-1] == "Tue 11 Mar 00:00 call B"


def test_rule_5_a_fully_credited_invoice_is_treated_as_paid() -> None:
    life = Diary(plan(call("call", 1)), "2025-03-05")
    life.invoice("A", due="2025-03-03")
    life.settle()
    life.change("A", balance=Decimal(0), closed_reason="is credited in full")
    assert life.settle().owes_nothing
    assert life.withdrawn == ["call: A is credited in full (rule 5)"]


def test_rule_6_an_older_invoice_carries_and_the_displaced_one_keeps_its_progress() -> None:
    life = Diary(REMINDERS, "2025-02-20")
    life.invoice("B", due="2025-03-03")
    life.until("2025-03-05")
    life.invoice("A", due="2025-02-28", issued="2025-02-01")
    life.until("2025-03-12")
    life.pay("A")
    life.until("2025-04-01")
    assert life.sent == [
        "Tue 4 Mar 08:30 s1 B",
        "Mon 10 Mar 08:30 s1 A",
        "Mon 17 Mar 08:30 s8 B",
        "Mon 24 Mar 08:30 s15 B",
    ]


def test_rule_6_the_open_action_of_the_displaced_invoice_is_withdrawn() -> None:
    life = Diary(plan(call("call", 1)), "2025-03-05")
    life.invoice("B", due="2025-03-03")
    life.settle()
    life.invoice("A", due="2025-02-28")
    life.settle()
    assert life.withdrawn == ["call: A is older and carries now (rule 6)"]
    assert life.open("call").invoice_id == "A"


def test_rule_7_an_invoice_that_carries_again_resumes_after_its_last_executed_step() -> None:
    life = Diary(REMINDERS, "2025-02-20")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-05")
    life.pay("A")
    assert life.until("2025-03-20").owes_nothing
    life.change("A", status=InvoiceStatus.OPEN, balance=Decimal(100))  # the payment is reversed
    life.until("2025-04-01")
    assert life.days == ["Tue 4 Mar s1", "Thu 20 Mar s8", "Tue 25 Mar s15"]


def test_rule_8_progress_belongs_to_the_invoice_and_the_delay_to_the_customer() -> None:
    life = Diary(plan(email("s1", 1, contact_delay_days=20), email("s8", 8)), "2025-02-20")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-05")
    life.pay("A")
    life.invoice("B", due="2025-03-05")
    life.until("2025-04-15")
    assert life.sent == [
        "Tue 4 Mar 08:30 s1 A",
        "Mon 24 Mar 08:30 s1 B",
        "Mon 31 Mar 08:30 s8 B",
    ]


def test_rule_9_a_paused_invoice_does_not_carry() -> None:
    life = Diary(REMINDERS, "2025-02-20")
    life.invoice("A", due="2025-03-03")
    life.invoice("B", due="2025-03-10")
    life.pause("A")
    life.until("2025-03-20")
    assert life.sent == ["Tue 11 Mar 08:30 s1 B", "Tue 18 Mar 08:30 s8 B"]


def test_an_account_of_a_hundred_equal_invoices_has_one_carrier() -> None:
    life = Diary(REMINDERS, "2025-03-10")
    for n in range(100):
        life.invoice(f"{n:03}", due="2025-03-03")
    assert carrying(life) == "000"
