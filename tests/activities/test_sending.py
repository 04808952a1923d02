"""Sending one message: claim, commit, call the provider once, record. On a real PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.sending import Sending
from backoffice.delivery.outgoing import Outgoing
from dunning.plan import ActionType
from messages.message import Message
from providers.port import Accepted, Channel, NotSent, Rejected, Result
from stand_ins.town import Provider, Town, email, late, plan
from store import tables as t
from store.engine import transaction
from tests.cast.first_reminder import (
    DUE,
    Died,
    delivery,
    due_today,
)

pytestmark = pytest.mark.services


def test_the_scripted_provider_has_the_interface_of_a_channel() -> None:
    channel: Channel = Provider()
    assert not channel.idempotent


def test_an_accepted_message_makes_its_action_done(engine: Engine) -> None:
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
    """During the call the claim is visible to other transactions, and no lock is held."""
    seen: list[Any] = []

    def check_claim(message: Message) -> Result:
        seen.append((delivery(town).status, delivery(town).message["subject"]))
        seen.append([a.status for a in town.rows(t.Action)])
        town.pay("INV-1", "40")  # takes the customer's lock
        return Accepted("")

    town = due_today(engine, check_claim)
    town.send()
    assert seen == [("sending", "INV-1: €100.00 open"), ["sending"]]
    assert delivery(town).status == "accepted"


def test_the_step_of_a_rejected_message_goes_to_its_owner(engine: Engine) -> None:
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
    """Rules 37 and 35: no message to the same address the next morning; a corrected address is
    written to on the next working day."""
    town = due_today(
        engine, Rejected("no such mailbox", "550", recipient_invalid=True), Accepted("")
    )
    assert town.send().state == "await_owner"
    assert town.actions() == [("one", "failed"), ("one", "to_do")]
    assert town.invalid() == ["no such mailbox"]
    assert town.lives_until("2025-03-06 09:00") == []  # Wednesday, Thursday: nothing
    town.email_is("")
    assert town.lives_until("2025-03-07 12:00") == ["Fri 2025-03-07 08:30"]
    assert town.actions() == [("one", "failed"), ("one", "withdrawn"), ("one", "done")]


def test_a_message_that_was_not_sent_is_retried_after_the_providers_pause(engine: Engine) -> None:
    """The provider answers 429 at 08:30 and asks for twenty minutes; at 08:50 the message
    leaves."""
    town = due_today(engine, NotSent("429", timedelta(minutes=20)), Accepted("x"))
    with pytest.raises(ApplicationError) as refused:
        town.send()
    assert refused.value.next_retry_delay == timedelta(minutes=20)
    assert refused.value.category is ApplicationErrorCategory.BENIGN
    assert not refused.value.non_retryable
    assert delivery(town).status == "planned"
    assert town.actions() == []  # still planned
    eight_thirty = town.now
    town.at("2025-03-04 08:50")
    town.send(clock=eight_thirty)  # the same activity again
    assert town.actions() == [("one", "done")]
    assert len({m.delivery_id for m in town.provider.tried}) == 1


def test_a_message_not_sent_by_the_cut_off_is_sent_the_next_working_day(engine: Engine) -> None:
    """The provider is down on Friday: nothing goes out at night or on Sunday (rule 21)."""
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


def test_a_message_that_cannot_be_rendered_goes_to_its_owner(engine: Engine) -> None:
    """The sender's address has become invalid since the message was planned."""
    town = due_today(engine)
    with transaction(engine) as session:
        ben = session.exec(select(t.Member).where(t.Member.email == "ben@amber.example")).one()
        ben.email = "not an address"
    assert town.send().state == "await_owner"
    assert town.provider.tried == []
    assert town.actions() == [("one", "failed"), ("one", "to_do")]
    assert town.invalid() == [""], "it was not the recipient's"


@pytest.mark.parametrize("address", ["not an address", "eve..e@acme.example", "eve@acme"])
def test_a_malformed_address_is_marked_invalid_before_any_call(
    engine: Engine, address: str
) -> None:
    """Rule 35: its owner gets the step, with the cause on the contact."""
    town = due_today(engine)
    town.readdress("email", address)
    assert town.send().state == "await_owner"
    assert town.provider.tried == []
    assert town.actions() == [("one", "to_do")]
    assert "no email address" in town.invalid()[0]


def test_two_steps_due_on_one_day_leave_in_order(engine: Engine) -> None:
    """Two steps with the same trigger date, each with its own claim."""
    steps = plan(email("a", 1), email("b", 1), email("c", 8), delay=0)
    town = due_today(engine, steps=steps)
    assert town.lives_until("2025-03-04 12:00") == ["Tue 2025-03-04 08:30"] * 2
    assert len({m.delivery_id for m in town.provider.tried}) == 2


def test_a_rehearsal_never_reaches_the_provider(engine: Engine) -> None:
    """Its clock is in March 2025, and its messages go to the outbox table."""
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


def test_the_deadline_of_a_claim_in_a_rehearsal_is_in_real_time(engine: Engine) -> None:
    """After a worker died, a rehearsal of March 2025 looks at the claim half a minute later, and
    not when its own clock has reached today."""
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
