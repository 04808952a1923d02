"""The review on a real PostgreSQL: signals by hand are applied once, invalid ones change nothing;
the cases of docs/rules.md that need activities."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from providers.port import Accepted
from stand_ins.town import PARIS, Town, call, email, plan
from store import tables as t
from tests.cast.overdue import DUE, balance, hand, invoice_id, overdue, shown_a_call
from workflows.contracts import ReviewInput, SendInput, Signal

pytestmark = pytest.mark.services


def test_a_payment_by_hand_is_applied_once(engine: Engine) -> None:
    """The review commits, its answer is lost, Temporal runs it again: one payment is recorded."""
    town = overdue(engine)
    for _ in range(3):
        coming = town.review(hand("payment", "P", amount="30.50", invoice="INV-1", who="Ben"))
        assert coming.then == "email"
    assert balance(town) == Decimal("69.50")
    assert len(town.rows(t.Credit)) == 1
    assert town.timeline("payment") == ["payment signal/P of 30.50 EUR is reported"]
    assert [e.by for e in town.rows(t.TimelineEntry) if e.kind == "payment"] == ["Ben"]


def test_a_payment_by_hand_without_an_invoice_pays_the_carrying_one(engine: Engine) -> None:
    town = overdue(engine)
    town.review()
    assert town.review(hand("payment")).owes_nothing
    assert balance(town) == 0


def test_complete_by_hand_completes_the_open_action(engine: Engine) -> None:
    town = shown_a_call(engine)
    for _ in range(2):
        coming = town.review(hand("complete", why="Eve will pay on Friday", who="Ben"))
        assert (coming.state, coming.then) == ("wait", "email")
    assert town.actions() == [("call", "done")]
    assert town.timeline("action_completed") == ["'Call call' is completed: Eve will pay on Friday"]


def test_skip_by_hand_skips_the_open_action(engine: Engine) -> None:
    town = shown_a_call(engine)
    for _ in range(2):
        town.review(hand("skip", why="they moved"))
    assert town.actions() == [("call", "skipped")]
    assert len(town.timeline("action_skipped")) == 1


def test_a_manual_email_completed_by_hand_leaves_through_the_guarded_path(engine: Engine) -> None:
    town = overdue(engine, email("letter", 1, automatic=False), email("two", 8))
    assert town.review().state == "await_owner"
    coming = town.review(hand("complete"))
    assert (coming.state, coming.then) == ("send", "email")
    assert town.provider.tried == []
    town.send()
    assert len(town.provider.tried) == 1
    assert town.actions() == [("letter", "done")]


def test_pause_and_resume_by_hand_are_each_applied_once(engine: Engine) -> None:
    town = overdue(engine)
    for _ in range(2):
        coming = town.review(hand("pause", "p1", until="2025-03-20"))
        assert coming.until is not None
        assert f"{coming.until.astimezone(PARIS):%Y-%m-%d %H:%M}" == "2025-03-20 00:00"
    assert len(town.rows(t.Pause)) == 1
    assert town.review(hand("resume", "r1")).then == "email"
    # The retried review must not end a pause that began after it.
    town.review(hand("pause", "p2"))
    assert town.review(hand("resume", "r1")).state == "rest"


def test_pause_by_hand_can_pause_one_invoice(engine: Engine) -> None:
    town = overdue(engine)
    town.invoice("INV-2", "2025-03-10")
    assert town.review(hand("pause", invoice="INV-1")).carrying == invoice_id(town, "INV-2")
    assert town.review(hand("resume", "y", invoice="INV-1")).carrying == invoice_id(town, "INV-1")


def test_a_signal_of_the_relay_changes_no_fact(engine: Engine) -> None:
    """The fact is in the database already; the signal only asks for a review."""
    town = overdue(engine)
    town.review(Signal("payment", "P-7", nudge=5, invoice="INV-1", amount="100 EUR"))
    assert balance(town) == 100
    (sequence,) = town.rows(t.Sequence)
    assert sequence.handled == 5


@pytest.mark.parametrize(
    "nonsense",
    [
        hand("payment", amount="a lot"),
        hand("payment", amount="-5"),
        hand("payment", amount="0"),
        hand("payment", amount="NaN"),
        hand("payment", amount="sNaN"),
        hand("payment", amount="Infinity"),
        hand("payment", amount="1e400"),
        hand("payment", amount="0.00000000000000001"),
        hand("payment", amount="9" * 400),
        hand("payment", invoice="INV-999"),
        hand("payment", invoice="x" * 500),
        hand("complete"),
        hand("skip"),
        hand("pause", until="tomorrow"),
        hand("pause", until="2025-03-04"),
        hand("pause", until="0001-01-01"),
        hand("pause", invoice="INV-999"),
        hand("resume", invoice="🦆"),
        hand("resume"),
        hand("sing"),
        hand("skip", "i" * 500, why="w" * 500, who="h" * 500),
        hand("account_changed", "'; DROP TABLE invoice; --"),
    ],
    ids=lambda m: f"{m.signal}-{m.amount or m.until or m.invoice or m.id}"[:40],
)
def test_an_invalid_signal_by_hand_changes_nothing_but_the_timeline(
    engine: Engine, nonsense: Signal
) -> None:
    town = overdue(engine)
    before = town.review()
    assert before.then == "email"
    for _ in range(2):
        assert town.review(nonsense) == before
    assert balance(town) == 100
    assert town.rows(t.Pause) == []
    assert len(town.timeline("signal_refused")) <= 1


def test_complete_by_hand_of_an_action_that_is_not_open_is_on_the_timeline(engine: Engine) -> None:
    town = overdue(engine)
    town.review(hand("complete"))
    assert town.timeline("signal_refused") == ["complete: no action is open"]


@pytest.mark.parametrize("rehearsal", [False, True])
def test_a_pause_by_hand_until_the_last_possible_date_does_not_fail(
    engine: Engine, rehearsal: bool
) -> None:
    """A date that cannot be converted to an instant must not make this or any later review fail."""
    town = overdue(engine)
    if rehearsal:
        town.change(t.Organisation, rehearsal_now=town.now)
        town.now += timedelta(days=400)
    coming = town.review(hand("pause", until="9999-12-31"))
    assert coming.then is None
    assert town.review().state in ("wait", "rest")
    assert town.review(hand("resume", "y")).then == "email"


def test_a_run_of_an_unknown_customer_is_told_to_end(engine: Engine) -> None:
    town = overdue(engine)
    ids = (str(town.id), str(uuid.uuid4()))
    coming = town.reviewing.review(ReviewInput(*ids, town.now))
    assert (coming.state, coming.owes_nothing) == ("rest", True)
    assert town.sending.send_email(SendInput(*ids, town.now, "email")) == coming


# The cases of docs/rules.md that need activities.


def test_c5_a_corrected_contact_is_written_to_on_the_next_working_day_by_activities(
    engine: Engine,
) -> None:
    """Invalid at the 08:30 of Thursday 6 March, corrected on Friday at 07:00: a to-do on the 6th,
    sent on Monday the 10th, 08:30."""
    town = Town(engine, steps=plan(email("one", 3), email("two", 30)))
    town.at("2025-03-05 09:00")
    town.customer()
    town.invoice("INV-1", DUE)
    town.email_is("bounced")
    assert town.lives_until("2025-03-06 12:00") == []
    assert town.actions() == [("one", "to_do")]
    (todo,) = town.rows(t.Action)
    assert f"{todo.shown_at.astimezone(PARIS):%Y-%m-%d %H:%M}" == "2025-03-06 08:30"
    town.at("2025-03-07 07:00")
    town.email_is("")
    assert town.lives_until("2025-03-11 12:00") == ["Mon 2025-03-10 08:30"]
    assert town.actions() == [("one", "withdrawn"), ("one", "done")]


def test_c6_the_delay_counts_from_the_day_of_completion_by_activities(engine: Engine) -> None:
    """A call due on Tuesday 4 March, made on Thursday 14:10; the next email, long due, leaves on
    Tuesday 11 March, 08:30."""
    town = Town(engine, steps=plan(call("call", 1), email("mail", 2)))
    town.at("2025-03-03 09:00")
    town.customer()
    town.invoice("INV-1", DUE)
    assert town.lives_until("2025-03-06 14:10") == []
    town.review(hand("complete"))
    assert town.lives_until("2025-03-14 12:00") == ["Tue 2025-03-11 08:30"]


def test_c1_the_contact_delay_pushes_over_three_weekends_by_activities(engine: Engine) -> None:
    steps = plan(email("a", 0), email("b", 4), email("c", 8), email("d", 15))
    town = Town(engine, steps=steps)
    town.at("2025-02-20 09:00")
    town.customer()
    town.invoice("INV-1", DUE)
    mondays = ("2025-03-03", "2025-03-10", "2025-03-17", "2025-03-24")
    assert town.lives_until("2025-04-30 12:00") == [f"Mon {day} 08:30" for day in mondays]


def test_two_concurrent_reviews_assign_an_action_once(engine: Engine) -> None:
    """Each takes the customer's lock, so the call is assigned once."""
    town = overdue(engine, call("call", 1))
    with ThreadPoolExecutor(4) as pool:
        states = {f.result(20).state for f in [pool.submit(town.review) for _ in range(8)]}
    assert states == {"await_owner"}
    assert town.actions() == [("call", "to_do")]
    assert len(town.timeline("action_to_do")) == 1


def test_a_send_on_the_queue_of_another_channel_calls_no_provider(engine: Engine) -> None:
    """The plan was changed while an SMS waited in its task queue: the email queue sends the
    email."""
    town = overdue(engine)
    town.provider.script = [Accepted("x")]
    town.at("2025-03-04 08:30")
    coming = town.send("sms")
    assert (coming.state, coming.then) == ("send", "email")
    assert town.provider.tried == []
