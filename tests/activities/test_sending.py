"""The guarded path of a message: claim, commit, call the provider once, record. On the real
PostgreSQL, with providers that answer, refuse, are busy, say nothing, or die."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.sending import Sending
from backoffice.delivery.answers import send_again
from backoffice.delivery.completing import complete, skip
from backoffice.delivery.outgoing import Outgoing
from dunning.delivery import DeliveryFact
from dunning.plan import ActionType
from messages.message import Message
from providers.port import Accepted, Ambiguous, Channel, Found, NotFound, NotSent, Rejected, Result
from stand_ins.town import Provider, Town, call, email, late, plan
from store import tables as t
from store.engine import transaction
from store.unit import Unit
from workflows.contracts import SendInput, Signal

pytestmark = pytest.mark.services

DUE, SENDING_TIME = "2025-03-03", "2025-03-04 08:30"  # a Monday, and the Tuesday after it


def due_today(engine: Engine, *script: Any, idempotent: bool = False, **more: Any) -> Town:
    """Acme's first reminder is due this very moment, Tuesday 4 March 2025, 08:30."""
    town = Town(engine, Provider(*script, idempotent=idempotent), **more)
    town.at("2025-03-03 10:00")
    town.customer()
    town.invoice("INV-1", DUE)
    assert town.review().then == "email"
    town.at(SENDING_TIME)
    return town


def delivery(town: Town) -> t.Delivery:
    (row,) = town.rows(t.Delivery)
    return row  # type: ignore[no-any-return]


class Died(BaseException):
    """The process ends here: nothing catches this, nothing is recorded."""


def test_the_stand_in_is_a_channel() -> None:
    channel: Channel = Provider()
    assert not channel.idempotent


def test_what_is_accepted_is_done(engine: Engine) -> None:
    town = due_today(engine, Accepted("sg-77"))
    coming = town.send()
    assert (coming.state, coming.then) == ("wait", "email")
    assert coming.until is not None
    assert coming.until.isoformat() == "2025-03-11T07:30:00+00:00"  # Tuesday week, 08:30 in Paris
    assert town.actions() == [("one", "done")]
    row = delivery(town)
    assert (row.status, row.provider, row.provider_id) == ("accepted", "stand-in", "sg-77")
    (message,) = town.provider.tried
    assert message.delivery_id == str(row.id)
    assert [r.address for r in message.recipients] == ["eve@acme.example"]
    assert message.sender_address == "ben@amber.example"
    assert town.timeline("action_done") == [
        "'Reminder one' (email) sent to eve@acme.example about INV-1"
    ]


def test_the_claim_is_committed_before_the_provider_is_called(engine: Engine) -> None:
    """While the provider thinks, everybody can see the claim, and nobody has to wait for it."""
    seen: list[Any] = []

    def look(message: Message) -> Result:
        seen.append((delivery(town).status, delivery(town).message["subject"]))
        seen.append([a.status for a in town.rows(t.Action)])
        town.pay("INV-1", "40")  # takes the customer's lock
        return Accepted("")

    town = due_today(engine, look)
    town.send()
    assert seen == [("sending", "INV-1: €100.00 open"), ["sending"]]
    assert delivery(town).status == "accepted"


def test_what_is_refused_for_good_goes_to_its_owner(engine: Engine) -> None:
    town = due_today(engine, Rejected("the template is too long", "400"))
    coming = town.send()
    assert coming.state == "await_owner"
    assert town.actions() == [("one", "failed"), ("one", "to_do")]
    (_, todo) = town.rows(t.Action)
    assert (todo.cause, todo.reason) == ("rejected", "the provider refused the message")
    assert delivery(town).error == "the template is too long"
    assert town.review().state == "await_owner"  # and stays there
    assert len(town.provider.tried) == 1


def test_a_refused_address_goes_to_its_owner_until_it_is_corrected(engine: Engine) -> None:
    """Rules 37 and 35: no mail the next morning to the same address; a corrected one is written to
    on the following working day."""
    town = due_today(
        engine, Rejected("no such mailbox", "550", recipient_invalid=True), Accepted("")
    )
    assert town.send().state == "await_owner"
    assert town.actions() == [("one", "failed"), ("one", "to_do")]
    (contact,) = town.rows(t.Contact)
    assert contact.email_invalid == "no such mailbox"
    assert town.lives_until("2025-03-06 09:00") == []  # Wednesday, Thursday: nothing
    town.email_is("")
    assert town.lives_until("2025-03-07 12:00") == ["Fri 2025-03-07 08:30"]
    assert town.actions() == [("one", "failed"), ("one", "withdrawn"), ("one", "done")]


def test_not_now_is_tried_again_when_the_provider_says(engine: Engine) -> None:
    """429 at 08:30, "in twenty minutes"; at 08:50 it leaves."""
    town = due_today(engine, NotSent("429", timedelta(minutes=20)), Accepted("x"))
    with pytest.raises(ApplicationError) as refused:
        town.send()
    assert refused.value.next_retry_delay == timedelta(minutes=20)
    assert refused.value.category is ApplicationErrorCategory.BENIGN
    assert not refused.value.non_retryable
    assert delivery(town).status == "planned"
    assert town.actions() == []  # it is planned, as it was
    eight_thirty = town.now
    town.at("2025-03-04 08:50")
    town.send(clock=eight_thirty)  # the same activity again
    assert town.actions() == [("one", "done")]
    assert len({m.delivery_id for m in town.provider.tried}) == 1


def test_not_now_until_the_cut_off_leaves_the_next_working_day(engine: Engine) -> None:
    """The provider is down all Friday: nothing goes out in the night or on Sunday (rule 21)."""
    town = Town(engine, Provider(NotSent("down"), NotSent("down"), Accepted("x")))
    town.at("2025-03-06 10:00")
    town.customer()
    town.invoice("INV-1", "2025-03-06")
    assert town.review().then == "email"
    for tried in ("2025-03-07 08:30", "2025-03-07 16:59"):
        town.at(tried)
        with pytest.raises(ApplicationError):
            town.send()
    town.at("2025-03-07 17:01")
    coming = town.send()
    assert (coming.state, coming.then) == ("wait", "email")
    assert coming.until is not None
    assert coming.until.isoformat() == "2025-03-10T07:30:00+00:00"  # Monday
    assert len(town.provider.tried) == 2
    assert town.lives_until("2025-03-10 12:00") == ["Mon 2025-03-10 08:30"]


def test_what_nobody_knows_is_asked_for_and_never_sent_again(engine: Engine) -> None:
    """Unknown at 08:30: the provider is asked after 1, 5, 15 and 60 minutes, then the owner."""
    town = due_today(engine, Ambiguous("read timed out"))
    coming = town.send()
    waits = []
    while coming.look_up:
        assert (coming.state, coming.then) == ("wait", "email")
        assert coming.summary.startswith("Unknown whether it left: asking the provider")
        assert town.actions() == [("one", "sending")]
        assert coming.until is not None
        deadline = delivery(town).deadline
        assert deadline is not None
        waits.append(round((deadline - town.now) / timedelta(minutes=1)))
        assert town.send().look_up  # a send that comes in between sends nothing
        assert town.review().look_up
        coming = town.look_up()
    assert waits == [1, 4, 10, 45]
    assert len(town.provider.asked) == 4
    assert coming.state == "await_owner"
    assert town.actions() == [("one", "needs_review")]
    assert delivery(town).status == "needs_review"
    for _ in range(3):
        assert town.send().state == "await_owner"
        assert town.look_up().state == "await_owner"
        assert town.review().state == "await_owner"
    assert len(town.provider.tried) == 1
    (told,) = town.timeline("action_needs_review")
    assert told == (
        "'Reminder one': we do not know whether this left: read timed out; stand-in was asked 4 "
        "times: it has no search"
    )


def test_what_the_provider_has_is_done(engine: Engine) -> None:
    """Its logs lag behind: the second time it is there."""
    town = due_today(engine, Ambiguous("read timed out"))
    town.provider.knows = [NotFound(), Found("sg-9")]
    assert town.send().look_up
    assert town.look_up().look_up
    assert town.look_up().state == "wait"
    row = delivery(town)
    assert (row.status, row.provider_id) == ("accepted", "sg-9")
    assert town.actions() == [("one", "done")]
    assert len(town.provider.tried) == 1
    assert town.timeline("action_done")[0].endswith("as a look-up at stand-in says")
    (message,) = town.provider.tried
    assert town.provider.asked == [message, message]


def test_a_look_up_before_its_time_asks_nobody(engine: Engine) -> None:
    town = due_today(engine, Ambiguous("read timed out"))
    coming = town.send()
    ids = (str(town.id), str(town.key_of("acme")))
    again = town.sending.look_up(SendInput(*ids, town.now, "email"))
    assert coming.look_up
    assert again.look_up
    assert town.provider.asked == []


def test_a_message_that_a_look_up_finds_for_another_delivery_is_not_ours(engine: Engine) -> None:
    town = due_today(engine, Accepted("sg-1"))
    town.send()
    town.customer("other")
    town.invoice("INV-2", DUE, customer="other")
    town.provider.script = [Ambiguous("read timed out")]
    town.review(customer="other")
    town.at("2025-03-05 08:30")
    assert town.send(customer="other").look_up
    town.provider.knows = [Found("sg-1")]
    assert town.look_up(customer="other").look_up
    assert sorted(d.status for d in town.rows(t.Delivery)) == ["accepted", "unknown"]


def test_a_provider_that_knows_our_key_is_handed_the_same_once_more(engine: Engine) -> None:
    """Lob: nothing is found, and the same key makes one letter of both."""
    town = due_today(engine, Ambiguous("read timed out"), Accepted("ltr-1"), idempotent=True)
    town.provider.knows = [NotFound()]
    assert town.send().look_up
    assert town.look_up().state == "wait"
    first, second = town.provider.tried
    assert first == second
    assert town.actions() == [("one", "done")]
    assert delivery(town).sends == 2


@pytest.mark.parametrize(
    "answer", [NotSent("429", timedelta(seconds=5)), Rejected("no", "422"), Ambiguous("again")]
)
def test_what_the_second_attempt_learns_does_not_settle_the_first(
    engine: Engine, answer: Result
) -> None:
    """The first may have left. 429 or a refusal of the second under the same key changes nothing;
    two days later the key would be forgotten, and the same again another letter."""
    town = due_today(engine, Ambiguous("read timed out"), answer, idempotent=True)
    town.provider.knows = [NotFound()]
    assert town.send().look_up
    coming = town.look_up()
    assert coming.look_up
    row = delivery(town)
    assert (row.status, row.look_ups) == ("unknown", 1)
    assert row.first_claimed_at is not None
    town.at("2025-03-04 17:01")  # the cut-off: from now on it would not be sent
    while (coming := town.look_up()).look_up:
        pass
    assert coming.state == "await_owner"
    assert town.lives_until("2025-03-06 12:00") == []
    assert len(town.provider.tried) == 2
    town.told(DeliveryFact.RECEIVED, "eve@acme.example", provider_id="ltr-1")
    assert town.actions() == [("one", "done")]


@pytest.mark.parametrize("spoilt", ["paid", "old", "evening"])
def test_but_not_when_it_would_not_be_sent_any_more(engine: Engine, spoilt: str) -> None:
    """Rule 36: paid in the meantime; rule 21: the cut-off is past. Nor when the key is too old to
    be known."""
    town = due_today(engine, Ambiguous("read timed out"), Accepted("x"), idempotent=True)
    town.provider.knows = [NotFound()]
    assert town.send().look_up
    if spoilt == "paid":
        town.pay("INV-1")
    elif spoilt == "evening":
        town.at("2025-03-04 17:01")
    else:
        town.change(t.Delivery, first_claimed_at=town.now - timedelta(hours=23))
    while (coming := town.look_up()).look_up:
        pass
    assert coming.state == ("rest" if spoilt == "paid" else "await_owner")
    assert ("one", "needs_review") in town.actions()
    assert len(town.provider.tried) == 1


@pytest.mark.parametrize(
    ("answer", "actions", "status", "tried"),
    [
        ("it_was_sent", [("one", "done")], "accepted", 1),
        ("send_again", [("one", "done")], "accepted", 2),
        ("give_up", [("one", "skipped")], "abandoned", 1),
    ],
)
def test_the_owner_has_three_answers(
    engine: Engine, answer: str, actions: list[Any], status: str, tried: int
) -> None:
    town = due_today(engine, Ambiguous("read timed out"), Accepted("second"))
    town.send()
    while town.look_up().look_up:
        pass
    (action,) = [a for a in town.rows(t.Action) if a.status == "needs_review"]
    with transaction(engine) as session:
        ben = session.get_one(t.Member, action.owner_id)
        if answer == "it_was_sent":
            complete(
                Unit(session, ben.organisation_id, town.now), ben, str(action.id), "Eve has it"
            )
        elif answer == "send_again":
            send_again(
                Unit(session, ben.organisation_id, town.now), ben, str(action.id), "Eve has nothing"
            )
        else:
            skip(Unit(session, ben.organisation_id, town.now), ben, str(action.id), "too late")
    coming = town.review()
    if answer == "send_again":
        assert (coming.state, coming.then) == ("send", "email")
        coming = town.send()
    assert coming.state == "wait"
    assert [a for a in town.actions() if a[1] != "planned"] == actions
    assert delivery(town).status == status
    assert len(town.provider.tried) == tried
    assert len({m.delivery_id for m in town.provider.tried}) == 1


def in_doubt(engine: Engine) -> Town:
    """Nobody knows whether INV-1's reminder left; INV-2 is younger."""
    town = due_today(engine, Ambiguous("read timed out"), Accepted("second"))
    town.invoice("INV-2", "2025-03-10")
    town.send()
    while town.look_up().look_up:
        pass
    return town


def test_what_is_in_doubt_does_not_hold_the_next_invoice_once_its_own_is_paid(
    engine: Engine,
) -> None:
    town = in_doubt(engine)
    assert town.lives_until("2025-03-12 12:00") == []
    town.pay("INV-1")
    assert town.lives_until("2025-03-14 12:00") == ["Thu 2025-03-13 08:30"]
    assert town.provider.tried[-1].subject == "INV-2: €100.00 open"
    (left,) = [a for a in town.rows(t.Action) if a.status == "needs_review"]
    with transaction(engine) as session:
        ben = session.get_one(t.Member, left.owner_id)
        complete(Unit(session, ben.organisation_id, town.now), ben, str(left.id), "Eve had it")
    assert sorted(s for _, s in town.actions()) == ["done", "done"]


def test_completed_by_hand_what_is_in_doubt_counts_from_when_it_was_handed_over(
    engine: Engine,
) -> None:
    """An order by hand is what its owner's answer is: the delivery is settled with it."""
    town = in_doubt(engine)
    claimed = delivery(town).claimed_at
    town.at("2025-03-06 10:00")
    town.review(Signal("complete", "x", why="Eve has it"))
    (action,) = [a for a in town.rows(t.Action) if a.status == "done"]
    assert action.executed_at == claimed
    assert delivery(town).status == "accepted"


def test_an_order_by_hand_is_about_what_the_sequence_waits_for(engine: Engine) -> None:
    """Not about an older doubt that holds nothing any more."""
    town = Town(engine, Provider(Ambiguous("lost")), plan(email("one", 1), call("two", 2)))
    town.at("2025-03-03 10:00")
    town.customer()
    town.invoice("INV-1", DUE)
    town.invoice("INV-2", "2025-02-24", "50")
    town.change(t.Invoice, disputed_at=town.now)
    town.at(SENDING_TIME)
    with transaction(engine) as session:
        row = session.exec(select(t.Invoice).where(t.Invoice.number == "INV-1")).one()
        row.disputed_at = None
    town.review()
    town.send()
    while town.look_up().look_up:
        pass
    with transaction(engine) as session:
        for row in session.exec(select(t.Invoice)).all():
            row.disputed_at = town.now if row.number == "INV-1" else None
    town.at("2025-03-05 08:30")
    town.provider.script = [Accepted("x")]
    town.lives_until("2025-03-10 12:00")
    assert ("two", "to_do") in town.actions()
    town.review(Signal("complete", "y"))
    assert {("one", "done"), ("one", "needs_review"), ("two", "done")} <= set(town.actions())


def test_a_message_that_cannot_be_put_into_words_goes_to_its_owner(engine: Engine) -> None:
    """The address was good once; by now the member's mailbox is no address at all."""
    town = due_today(engine)
    with transaction(engine) as session:
        ben = session.exec(select(t.Member).where(t.Member.email == "ben@amber.example")).one()
        ben.email = "not an address"
    assert town.send().state == "await_owner"
    assert town.provider.tried == []
    assert town.actions() == [("one", "failed"), ("one", "to_do")]
    (contact,) = town.rows(t.Contact)
    assert contact.email_invalid == "", "it was not the recipient's"


@pytest.mark.parametrize("address", ["not an address", "eve..e@acme.example", "eve@acme"])
def test_a_mailbox_that_cannot_be_is_invalid_before_anything_is_sent(
    engine: Engine, address: str
) -> None:
    """Rule 35: its owner gets the step, with the cause on the contact."""
    town = due_today(engine)
    town.change(t.Contact, email=address)
    assert town.send().state == "await_owner"
    assert town.provider.tried == []
    assert town.actions() == [("one", "to_do")]
    (contact,) = town.rows(t.Contact)
    assert "no email address" in contact.email_invalid


# A crash between claim and record.


def test_after_a_crash_an_idempotent_provider_is_asked_again(engine: Engine) -> None:
    """The worker dies in the middle of the call. Its successor waits until the dead one would have
    ended, then hands the provider the very same message, though the balance has changed."""
    town = due_today(engine, Died(), Accepted("x"), idempotent=True)
    with pytest.raises(Died):
        town.send()
    assert delivery(town).status == "sending"
    with pytest.raises(ApplicationError) as busy:
        town.send()
    assert busy.value.category is ApplicationErrorCategory.BENIGN
    assert busy.value.next_retry_delay is not None
    assert timedelta(seconds=20) < busy.value.next_retry_delay <= timedelta(seconds=27)
    assert len(town.provider.tried) == 1
    town.pay("INV-1", "40")
    late(town)
    assert town.send().state == "wait"
    first, second = town.provider.tried
    assert first == second
    assert town.actions() == [("one", "done")]
    assert delivery(town).status == "accepted"


def test_after_a_crash_another_provider_is_not_asked_again(engine: Engine) -> None:
    """Nobody knows whether it left: a person must say."""
    town = due_today(engine, Died(), Accepted("x"))
    with pytest.raises(Died):
        town.send()
    with pytest.raises(ApplicationError):
        town.send()
    late(town)
    assert town.send().look_up
    assert len(town.provider.tried) == 1
    assert town.actions() == [("one", "sending")]
    (told,) = town.timeline("action_unknown")
    assert told.startswith(
        "'Reminder one': unknown whether it left, the provider is asked: the program ended"
    )


def test_a_review_in_the_meantime_waits_for_the_outcome(engine: Engine) -> None:
    """A payment's signal comes while the claim is open: it is looked at again at its deadline."""
    town = due_today(engine, Died())
    with pytest.raises(Died):
        town.send()
    town.pay("INV-1")
    coming = town.review()
    assert (coming.state, coming.then) == ("wait", "email")
    late(town)
    assert town.send().look_up  # it may have left: that is not forgotten


def test_another_error_of_the_provider_is_as_a_crash(engine: Engine) -> None:
    """A channel never raises for transport; a bug in one must not send twice."""
    town = due_today(engine, ZeroDivisionError(), Accepted("x"))
    with pytest.raises(ZeroDivisionError):
        town.send()
    late(town)
    assert town.send().look_up
    assert len(town.provider.tried) == 1


# Zombies: an attempt that was given up and is still alive.


class Slow:
    """A provider's answer that comes when it is let go."""

    def __init__(self) -> None:
        self.called, self.go = threading.Event(), threading.Event()

    def __call__(self, message: Message) -> Result:
        self.called.set()
        assert self.go.wait(20)
        return Accepted("of the zombie")


@pytest.mark.parametrize("idempotent", [True, False])
def test_the_answer_of_a_zombie_sends_nothing_twice(engine: Engine, idempotent: bool) -> None:
    """The first attempt hangs beyond its deadline; another takes over; then the first is back, and
    what it learnt holds where nobody else knows better."""
    slow = Slow()
    town = due_today(engine, slow, Accepted("of the successor"), idempotent=idempotent)
    with ThreadPoolExecutor(1) as pool:
        zombie = pool.submit(town.send)
        assert slow.called.wait(20)
        late(town)
        coming = town.send()
        slow.go.set()
        zombie.result(20)
    row = delivery(town)
    if idempotent:
        assert coming.state == "wait"
        assert (row.status, row.provider_id) == ("accepted", "of the successor")
        assert town.actions() == [("one", "done")]
        assert len(town.timeline("action_done")) == 1
    else:
        assert coming.look_up
        assert (row.status, row.provider_id) == ("accepted", "of the zombie")
        assert town.actions() == [("one", "done")]
        assert len(town.provider.tried) == 1
    assert town.review().state == "wait"


def test_two_attempts_at_once_send_once(engine: Engine) -> None:
    """The same activity runs twice, on two workers, in the same second."""
    town = due_today(engine)
    gate = threading.Barrier(2)

    def attempt() -> str:
        gate.wait(20)
        try:
            return town.send().state
        except ApplicationError:
            return "busy"

    with ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            states = [pool.submit(attempt), pool.submit(attempt)]
            assert {s.result(20) for s in states} <= {"wait", "busy"}
    assert len(town.provider.tried) == 1
    assert town.actions() == [("one", "done")]


# Rule 36: what is committed before the claim wins.


def test_a_payment_that_is_about_to_commit_is_waited_for(engine: Engine) -> None:
    """The payment holds the customer's lock when the timer fires: nothing is sent."""
    town = due_today(engine)
    with ThreadPoolExecutor(1) as pool:
        with transaction(engine) as session:
            town.pays(session, "INV-1")
            session.flush()
            sending = pool.submit(town.send)
            with pytest.raises(TimeoutError):
                sending.result(0.3)
        assert sending.result(20).owes_nothing
    assert town.provider.tried == []
    assert town.rows(t.Delivery) == []


@pytest.mark.parametrize(
    "happening",
    ["paid", "credited", "paused", "disputed", "contact"],
)
def test_just_before_it_leaves_it_is_decided_again(engine: Engine, happening: str) -> None:
    town = due_today(engine)
    if happening == "paid":
        town.pay("INV-1")
    elif happening == "credited":
        town.pay("INV-1", applied=False)
    elif happening == "paused":
        with transaction(engine) as session:
            session.add(t.Pause(customer_id=town.key_of("acme"), created_by="Ben"))
    elif happening == "disputed":
        town.change(t.Invoice, disputed_at=town.now)
    else:
        town.email_is("bounced")
    coming = town.send()
    assert town.provider.tried == []
    assert coming.then is None
    assert coming.state == ("await_owner" if happening == "contact" else "rest")
    assert [s for _, s in town.actions()] in (["to_do"], ["withdrawn"], ["withdrawn", "to_do"])


def test_a_message_is_never_re_pointed_at_another_invoice(engine: Engine) -> None:
    """INV-1 is paid at 08:29 and INV-2 takes over: it gets its own decision and its own message."""
    town = due_today(engine)
    town.invoice("INV-2", DUE, "250")
    town.pay("INV-1")
    town.send()
    assert [m.subject for m in town.provider.tried] in ([], ["INV-2: €250.00 open"])
    numbers = {i.id: i.number for i in town.rows(t.Invoice)}
    of = {a.id: numbers[a.invoice_id] for a in town.rows(t.Action)}
    for row in town.rows(t.Delivery):
        assert of[row.action_id] == "INV-2"


# Rule 21: late activities.


@pytest.mark.parametrize(
    ("really", "sent", "next_at"),
    [
        ("2025-03-04 08:31", True, None),
        ("2025-03-04 16:59", True, None),  # an outage: late the same day
        ("2025-03-04 17:01", False, "2025-03-05T07:30:00+00:00"),
        ("2025-03-04 23:30", False, "2025-03-05T07:30:00+00:00"),
        ("2025-03-05 03:00", False, "2025-03-05T07:30:00+00:00"),
        ("2025-03-07 22:00", False, "2025-03-10T07:30:00+00:00"),  # after Friday comes Monday
    ],
)
def test_an_activity_that_waited_in_a_queue_does_not_send_at_night(
    engine: Engine, really: str, sent: bool, next_at: str | None
) -> None:
    """The timer fired on Tuesday at 08:30; a worker takes the activity up only then."""
    town = due_today(engine)
    eight_thirty = town.now
    town.at(really)
    coming = town.send(clock=eight_thirty)
    assert len(town.provider.tried) == int(sent)
    if not sent:
        assert (coming.state, coming.then) == ("wait", "email")
        assert coming.until is not None
        assert coming.until.isoformat() == next_at
        assert town.send(clock=eight_thirty).until == coming.until  # and again
        assert town.provider.tried == []


# Rehearsals.


def test_a_rehearsal_never_reaches_the_provider(engine: Engine) -> None:
    """Its clock stands in March 2025, and its mail lands in the outbox table."""
    town = Town(engine, Provider())
    town.at("2025-03-03 10:00")
    town.customer()
    town.invoice("INV-1", DUE)
    clock = town.now
    town.change(t.Organisation, rehearsal_now=clock)
    coming = town.review()
    town.change(t.Organisation, rehearsal_now=clock + (coming.until - town.now))  # type: ignore[operator]
    town.send()
    assert town.provider.tried == []
    assert town.actions() == [("one", "done")]
    (stored,) = town.rows(t.OutboxMessage)
    assert stored.subject == "INV-1: €100.00 open"


def test_a_rehearsals_claim_ends_by_the_real_clock(engine: Engine) -> None:
    """A worker dies in a rehearsal of March 2025, years ago: it is looked at in half a minute, not
    when that clock has come to today."""
    town = due_today(engine)
    town.change(t.Organisation, rehearsal_now=town.now)
    outbox = {ActionType.EMAIL: Provider(Died(), Accepted("x"), idempotent=True)}
    town.sending = Sending(engine, Outgoing(outbox, outbox))
    with pytest.raises(Died):
        town.send()
    coming = town.review()
    assert coming.until is not None
    assert coming.until - town.now < timedelta(seconds=30)
    late(town)
    town.send()
    assert town.actions() == [("one", "done")]


def test_a_step_of_two_emails_on_one_day(engine: Engine) -> None:
    """Two steps of the same trigger date go out one after the other, each with its own claim."""
    steps = plan(email("a", 1), email("b", 1), email("c", 8), delay=0)
    town = due_today(engine, steps=steps)
    assert town.lives_until("2025-03-04 12:00") == ["Tue 2025-03-04 08:30"] * 2
    assert len({m.delivery_id for m in town.provider.tried}) == 2
