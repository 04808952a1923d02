"""Rules 38 to 42: pause, promise, dispute, credit."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from dunning.decision import Kind
from dunning.model import Cause, InvoiceStatus, Pause
from dunning.plan import ActionType
from tests.cast.diary import Diary, call, day, email, instant, plan

REMINDERS = plan(email("s1", 1), email("s8", 8), email("s15", 15))


def owing(start: str = "2025-02-20") -> Diary:
    life = Diary(REMINDERS, start)
    life.invoice("A", due="2025-03-03")
    return life


def test_rule_38_a_pause_ends_at_the_start_of_its_day_in_the_organisations_zone() -> None:
    life = owing()
    life.pause(until="2025-03-10")
    decision = life.settle()
    assert (decision.kind, decision.at) == (Kind.WAIT, instant("2025-03-10 00:00"))
    assert decision.then is None
    life.until("2025-04-30")
    assert life.days == ["Mon 10 Mar s1", "Mon 17 Mar s8", "Mon 24 Mar s15"]


def test_rule_38_the_customer_is_paused_while_any_of_several_pauses_runs() -> None:
    life = owing()
    life.pause(until="2025-03-10")
    life.pause(until="2025-03-20")
    life.pause(until="2025-02-21")
    assert life.settle().at == instant("2025-03-20 00:00")
    life.pause()
    assert (life.settle().kind, life.settle().at) == (Kind.REST, None)
    life.until("2025-05-01")
    assert life.sent == []


def test_rule_38_a_pause_without_a_date_lasts_until_it_is_resumed() -> None:
    life = owing()
    life.pause()
    life.until("2025-03-24 10:00")
    life.tell(pauses=())
    life.until("2025-03-26")
    assert life.days == ["Tue 25 Mar s1"]


def test_rule_38_a_paused_invoice_is_back_in_the_pool_when_its_pause_ends() -> None:
    life = owing()
    life.pause("A", until="2025-03-12")
    assert life.settle().at == instant("2025-03-12 00:00")
    life.until("2025-03-13")
    assert life.days == ["Wed 12 Mar s1"]
    life.change("A", pauses=(Pause(day("2025-03-20")), Pause(None)))
    assert (life.settle().kind, life.settle().at) == (Kind.REST, None)


def test_rule_38_a_customer_who_owes_nothing_may_be_paused_without_an_end() -> None:
    life = owing()
    life.pause()
    assert not life.settle().owes_nothing
    life.pay("A")
    assert life.settle().owes_nothing


def test_rule_39_after_a_pause_one_action_goes_out_then_the_contact_delay_applies() -> None:
    life = owing()
    life.until("2025-03-05")
    life.pause(until="2025-06-04")
    life.until("2025-07-01")
    assert life.days == ["Tue 4 Mar s1", "Wed 4 Jun s8", "Mon 9 Jun s15"]


def test_rule_39_after_a_pause_one_action_goes_out_even_with_a_contact_delay_of_0() -> None:
    life = Diary(plan(email("s1", 1), email("s2", 2), email("s3", 3), delay=0), "2025-02-20")
    life.invoice("A", due="2025-03-03")
    life.pause(until="2025-04-01")
    life.until("2025-04-30")
    assert life.days == ["Tue 1 Apr s1", "Wed 2 Apr s2", "Thu 3 Apr s3"]


def test_rule_39_an_open_action_is_hidden_during_a_pause_and_not_cancelled() -> None:
    life = Diary(plan(call("call", 1), email("s2", 2)), "2025-03-04 09:00")
    life.invoice("A", due="2025-03-03")
    life.settle()
    before = life.open("call")
    life.pause(until="2025-03-20")
    decision = life.settle()
    assert (decision.kind, decision.action_id) == (Kind.WAIT, None)
    decision = life.until("2025-03-20")
    assert (decision.kind, decision.action_id) == (Kind.AWAIT_OWNER, before.id)
    assert life.withdrawn == []
    life.complete("call")
    life.until("2025-04-30")
    assert life.days == ["Thu 20 Mar call", "Tue 25 Mar s2"]


def test_rule_39_an_open_action_is_withdrawn_when_its_invoice_is_paid_during_a_pause() -> None:
    life = Diary(plan(call("call", 1)), "2025-03-04 09:00")
    life.invoice("A", due="2025-03-03")
    life.settle()
    life.pause()
    life.pay("A")
    life.settle()
    assert life.withdrawn == ["call: A is paid (rule 4)"]


def test_rule_40_a_promise_runs_until_the_promised_day_has_ended() -> None:
    life = owing()
    life.promise("A", on="2025-03-12")
    assert life.settle().at == instant("2025-03-13 00:00")
    life.until("2025-03-17")
    assert life.sent == ["Thu 13 Mar 08:30 s1 A"]
    assert life.outcomes == ["broken on 2025-03-13"]


@pytest.mark.parametrize(
    ("amount", "paid", "outcome"),
    [
        (None, 0, "broken"),
        (None, 40, "part_kept"),
        (40, 40, "kept"),
        (40, 39, "part_kept"),
        (40, 0, "broken"),
        (None, 100, "kept"),
    ],
)
def test_rule_40_a_promise_is_kept_partly_kept_or_broken(
    amount: int | None, paid: int, outcome: str
) -> None:
    life = owing()
    life.promise("A", on="2025-03-12", amount=amount)
    life.until("2025-03-10")
    promise = life.account.invoices[0].promises[0]
    kept = type(promise)(
        promise.id, promise.promised_on, promise.amount, Decimal(paid), promise.balance_then
    )
    life.change("A", promises=(kept,), balance=Decimal(100 - paid))
    life.until("2025-03-20")
    assert life.outcomes == [f"{outcome} on 2025-03-13"]


@pytest.mark.parametrize("status", [InvoiceStatus.VOID, InvoiceStatus.WRITTEN_OFF])
def test_rule_40_a_promise_for_a_closed_invoice_is_ended_and_not_broken(
    status: InvoiceStatus,
) -> None:
    life = owing()
    life.promise("A", on="2025-03-12")
    life.change("A", status=status)
    life.settle()
    assert life.outcomes == ["ended on 2025-02-20"]


def test_rule_40_a_promise_is_kept_as_soon_as_its_invoice_is_paid() -> None:
    life = owing()
    life.promise("A", on="2025-03-12")
    life.pay("A")
    life.settle()
    assert life.outcomes == ["kept on 2025-02-20"]


def test_rule_40_after_a_broken_promise_the_invoice_is_back_with_its_progress() -> None:
    life = owing()
    life.until("2025-03-12")
    life.promise("A", on="2025-03-19")
    life.until("2025-04-30")
    assert life.days == ["Tue 4 Mar s1", "Tue 11 Mar s8", "Thu 20 Mar s15"]


def test_rule_40_during_a_promise_the_next_invoice_carries() -> None:
    life = owing()
    life.invoice("B", due="2025-03-05")
    life.promise("A", on="2025-03-12")
    life.until("2025-04-30")
    # A is back on the 13th, the contact delay after B's reminder ends on the 11th.
    assert life.sent[:2] == ["Thu 6 Mar 08:30 s1 B", "Thu 13 Mar 08:30 s1 A"]


def test_rule_40_a_promise_still_runs_on_the_promised_day() -> None:
    life = owing()
    life.promise("A", on="2025-03-12")
    assert life.until("2025-03-12 07:00").invoice_id is None
    assert life.settle().reasons[0].text == "A is promised to be paid on 2025-03-12"


def test_rule_40_a_promise_for_the_last_possible_date_sets_no_wake_up() -> None:
    life = owing()
    life.promise("A", on=date.max.isoformat())
    assert (life.settle().kind, life.settle().at) == (Kind.REST, None)
    life.pause("A", until="2025-03-12")
    assert life.settle().at is None


def test_rule_41_a_disputed_invoice_is_out_of_the_pool_until_it_is_settled() -> None:
    life = owing()
    life.until("2025-03-05")
    life.change("A", disputed=True)
    assert life.until("2025-04-01").kind is Kind.REST
    life.change("A", disputed=False)
    life.until("2025-04-02")
    assert life.days == ["Tue 4 Mar s1", "Tue 1 Apr s8"]


def test_rule_42_credit_that_covers_the_balance_stops_reminders_and_gives_a_task() -> None:
    life = owing("2025-03-04 07:00")
    life.tell(credits={"EUR": Decimal(100)})
    decision = life.until("2025-03-20")
    assert (decision.kind, life.sent) == (Kind.REST, [])
    task = life.open(cause=Cause.APPLY_CREDIT)
    assert (task.type, task.invoice_id) == (ActionType.TASK, "A")
    life.tell(credits={"EUR": Decimal(99)})
    life.until("2025-03-22")
    assert life.days == ["Thu 20 Mar s1"]
    assert life.withdrawn == ["apply_credit: what it asked for is no longer so (rule 42)"]


def test_rule_42_credit_in_another_currency_covers_nothing() -> None:
    life = owing("2025-03-04 07:00")
    life.tell(credits={"USD": Decimal(1000)})
    life.until("2025-03-05")
    assert life.days == ["Tue 4 Mar s1"]


def test_rule_42_an_open_action_is_withdrawn_when_credit_covers_the_balance() -> None:
    life = Diary(plan(call("call", 1)), "2025-03-04")
    life.invoice("A", due="2025-03-03")
    life.settle()
    life.tell(credits={"EUR": Decimal(100)})
    life.settle()
    assert life.shown == ["apply_credit"]
    assert life.withdrawn == ["call: unapplied credit covers the balance of A (rule 42)"]


def test_rule_42_the_task_is_withdrawn_when_its_invoice_is_paid() -> None:
    life = owing("2025-03-04 07:00")
    life.tell(credits={"EUR": Decimal(100)})
    life.settle()
    life.change("A", status=InvoiceStatus.PAID, balance=Decimal(0))
    life.settle()
    assert life.shown == []
    assert life.withdrawn == ["apply_credit: A is paid (rule 4)"]
