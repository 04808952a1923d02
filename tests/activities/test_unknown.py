"""An unknown message is looked up, and sent again only under an idempotency key."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from dunning.delivery import DeliveryFact
from providers.port import Accepted, Ambiguous, Found, NotFound, NotSent, Rejected, Result
from store import tables as t
from tests.cast.first_reminder import (
    DUE,
    delivery,
    due_today,
)
from workflows.contracts import SendInput

pytestmark = pytest.mark.services


def test_an_unknown_message_is_looked_up_and_not_sent_again(engine: Engine) -> None:
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
        assert town.send().look_up  # a send between two look-ups sends nothing
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


def test_a_message_found_by_a_look_up_is_accepted(engine: Engine) -> None:
    """The provider's log is late: only the second look-up finds the message."""
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


def test_a_look_up_before_its_time_calls_no_provider(engine: Engine) -> None:
    town = due_today(engine, Ambiguous("read timed out"))
    coming = town.send()
    ids = (str(town.id), str(town.key_of("acme")))
    again = town.sending.look_up(SendInput(*ids, town.now, "email"))
    assert coming.look_up
    assert again.look_up
    assert town.provider.asked == []


def test_a_look_up_does_not_take_the_message_of_another_delivery(engine: Engine) -> None:
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


def test_an_idempotent_provider_is_sent_the_stored_message_again(engine: Engine) -> None:
    """Lob: the look-up finds nothing, and under the same key the retry cannot print twice."""
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
def test_on_a_retry_under_the_same_key_only_accepted_settles(
    engine: Engine, answer: Result
) -> None:
    """The first attempt may have left: 429 or a refusal of the retry under the same key changes
    nothing. Two days later the key has expired, and a retry would print a second letter."""
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
def test_an_unknown_message_is_not_retried_when_it_would_not_be_sent_now(
    engine: Engine, spoilt: str
) -> None:
    """Rule 36: paid in the meantime. Rule 21: after the cut-off. Also none under an expired key."""
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
