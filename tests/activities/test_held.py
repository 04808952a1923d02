"""An account that its provider refuses: one probe at a time, and everything goes on by itself."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from temporalio.exceptions import ApplicationError

from activities.running import probe_at_once
from activities.sending import Sending
from backoffice.delivery.outgoing import Outgoing, via
from backoffice.people import held_accounts
from backoffice.people.held_accounts import PROBE_AFTER
from dunning.plan import ActionType
from messages.message import Message
from providers.port import Accepted, Ambiguous, NotFound, NotSent, Rejected, Result
from stand_ins.town import Provider, Town
from store import tables as t
from store.engine import transaction

pytestmark = pytest.mark.services

REFUSED = NotSent("SendGrid refuses the key: revoked", holds_channel=True)
NAMES = ("acme", "beta", "gamma")


class Died(BaseException):
    """The process ends here: nothing catches this, nothing is recorded."""


def three_due(engine: Engine, *script: Any, **more: Any) -> Town:
    """Three customers' first reminders are due this very moment, Tuesday 4 March 2025, 08:30."""
    town = Town(engine, Provider(*script, **more))
    town.at("2025-03-03 10:00")
    for name in NAMES:
        town.customer(name)
        town.invoice(f"INV-{name}", "2025-03-03", customer=name)
        assert town.review(customer=name).then == "email"
    town.at("2025-03-04 08:30")
    return town


def waits(town: Town, customer: str) -> timedelta:
    with pytest.raises(ApplicationError) as held:
        town.send(customer=customer)
    assert not held.value.non_retryable
    assert held.value.next_retry_delay is not None
    return held.value.next_retry_delay


def hold(town: Town) -> t.HeldAccount:
    (row,) = town.rows_of(t.HeldAccount)
    return row  # type: ignore[no-any-return]


def test_after_a_refusal_the_others_wait_without_calling_the_provider(engine: Engine) -> None:
    town = three_due(engine, REFUSED)
    began = town.now
    first = waits(town, "acme")
    assert PROBE_AFTER[0] <= first <= PROBE_AFTER[0] * 1.2
    for name in ("beta", "gamma", "acme"):
        assert timedelta(0) < waits(town, name) <= PROBE_AFTER[0] * 1.2
    assert len(town.provider.tried) == 1
    row = hold(town)
    assert (row.provider, row.account, row.channel) == ("stand-in", "its account", "email")
    assert (row.since, row.probes, row.ended_at) == (began, 0, None)
    assert row.reason == "SendGrid refuses the key: revoked"
    assert row.organisation_id is None
    assert town.actions() == []  # nobody's task
    assert {row.status for row in town.rows(t.Delivery)} == {"planned"}


def test_the_reason_quotes_nobodys_address(engine: Engine) -> None:
    """Of the installation's account every organisation reads it."""
    words = "Twilio refuses the key: +33 6 12 34 56 78 <eve@acme.example> (Twilio 20003)"
    town = three_due(engine, NotSent(words, holds_channel=True))
    waits(town, "acme")
    assert hold(town).reason == "Twilio refuses the key: … <…> (Twilio 20003)"


def test_the_pause_between_two_probes_grows(engine: Engine) -> None:
    town = three_due(engine, REFUSED)
    waits(town, "acme")
    tried = 1
    for n, pause in enumerate([*PROBE_AFTER[1:], PROBE_AFTER[-1]], 1):
        town.now = hold(town).next_probe_at
        waits(town, NAMES[n % 3])
        waits(town, NAMES[(n + 1) % 3])
        tried += 1
        assert len(town.provider.tried) == tried
        assert (hold(town).probes, hold(town).last_probe_at) == (n, town.now)
        assert hold(town).next_probe_at == town.now + pause


def test_the_first_probe_that_leaves_ends_the_hold_and_the_others_follow(engine: Engine) -> None:
    town = three_due(engine, REFUSED, Accepted("x"))
    waits(town, "acme")
    waits(town, "beta")
    town.now = hold(town).next_probe_at
    town.send(customer="beta")
    assert (hold(town).ended_at, hold(town).ended_by) == (town.now, "a message was taken")
    for name in ("acme", "gamma"):
        town.send(customer=name)
    assert town.actions() == [("one", "done")] * 3
    assert len(town.provider.tried) == 4


def test_while_a_probe_is_on_its_way_nobody_else_calls(engine: Engine) -> None:
    def look(message: Message) -> Result:
        assert waits(town, "beta") <= timedelta(seconds=25) * 1.2
        return Accepted("x")

    town = three_due(engine, REFUSED, look, Accepted("y"))
    waits(town, "acme")
    town.now = hold(town).next_probe_at
    town.send(customer="gamma")
    assert len(town.provider.tried) == 2
    town.send(customer="beta")
    assert len(town.provider.tried) == 3


def test_a_probe_whose_recipient_is_refused_shows_that_the_account_works(engine: Engine) -> None:
    town = three_due(engine, REFUSED, Rejected("no such mailbox", "400", recipient_invalid=True))
    waits(town, "acme")
    town.now = hold(town).next_probe_at
    town.send(customer="beta")
    assert hold(town).ended_by == "a message was taken"


@pytest.mark.parametrize("said", [NotSent("busy", timedelta(minutes=1)), Ambiguous("lost")])
def test_a_probe_that_is_lost_shows_nothing(engine: Engine, said: Result) -> None:
    town = three_due(engine, REFUSED, said)
    waits(town, "acme")
    town.now = hold(town).next_probe_at
    if isinstance(said, NotSent):
        waits(town, "beta")
    else:
        town.send(customer="beta")
    assert hold(town).ended_at is None
    assert hold(town).next_probe_at == town.now + PROBE_AFTER[1]


def test_a_probe_that_we_refused_ourselves_leaves_its_place_to_the_next(engine: Engine) -> None:
    ours = Rejected("a letter carries no attachments", "attachments", asked=False)
    town = three_due(engine, REFUSED, ours, Accepted("x"))
    waits(town, "acme")
    town.now = hold(town).next_probe_at
    town.send(customer="beta")
    assert hold(town).ended_at is None
    town.send(customer="gamma")
    assert hold(town).ended_at is not None


def test_a_worker_killed_in_the_middle_of_a_probe_holds_up_nobody(engine: Engine) -> None:
    town = three_due(engine, REFUSED, Died(), Accepted("x"))
    waits(town, "acme")
    town.now = hold(town).next_probe_at
    with pytest.raises(Died):
        town.send(customer="beta")
    assert waits(town, "gamma") <= timedelta(seconds=25) * 1.2
    town.now += timedelta(seconds=26)
    town.send(customer="gamma")
    assert hold(town).ended_at is not None


def test_a_worker_killed_before_the_refusal_is_recorded_leaves_no_hold(engine: Engine) -> None:
    town = three_due(engine, Died(), Accepted("x"))
    with pytest.raises(Died):
        town.send()
    assert town.rows_of(t.HeldAccount) == []
    town.send(customer="beta")


def test_a_hold_over_the_cut_off_leaves_the_next_working_day(engine: Engine) -> None:
    """Rule 21: each attempt decides anew, so nothing goes out at night."""
    town = three_due(engine, REFUSED, Accepted("x"))
    waits(town, "acme")
    town.at("2025-03-04 17:05")
    for name in NAMES:
        coming = town.send(customer=name)
        assert coming.until is not None
        assert coming.until.isoformat() == "2025-03-05T07:30:00+00:00"
    assert len(town.provider.tried) == 1
    town.at("2025-03-05 08:30")
    for name in NAMES:
        town.send(customer=name)
    assert town.actions() == [("one", "done")] * 3


def test_a_message_that_has_lost_its_reason_does_not_wait(engine: Engine) -> None:
    town = three_due(engine, REFUSED)
    waits(town, "acme")
    town.pay("INV-beta", customer="beta")
    assert town.send(customer="beta").state == "rest"


def test_sends_that_are_refused_together_begin_one_hold(engine: Engine) -> None:
    def meanwhile(message: Message) -> Result:
        waits(town, "beta")  # has not heard of it either
        return REFUSED

    town = three_due(engine, meanwhile, REFUSED)
    waits(town, "acme")
    assert len(town.provider.tried) == 2
    assert hold(town).probes == 0


def test_an_answer_to_an_older_call_does_not_end_a_hold(engine: Engine) -> None:
    def meanwhile(message: Message) -> Result:
        town.now += timedelta(seconds=2)
        waits(town, "beta")
        return Accepted("it was let in before")

    town = three_due(engine, meanwhile, REFUSED)
    town.send()
    assert hold(town).ended_at is None


def test_another_account_is_not_held_and_ends_the_hold_of_the_one_it_replaced(
    engine: Engine,
) -> None:
    town = three_due(engine, REFUSED, Accepted("x"))
    waits(town, "acme")
    town.provider.account = "another account"
    town.send(customer="beta")
    assert hold(town).ended_at is not None


def test_an_organisations_own_account_is_held_alone(engine: Engine) -> None:
    town = three_due(engine, Accepted("x"))
    own = Provider(REFUSED, account="own")
    theirs = {"acme"}
    channels = {ActionType.EMAIL: town.provider}
    outgoing = Outgoing(
        channels, {}, lambda: town.now, own=lambda unit, kind: own if theirs else None
    )
    town.sending = Sending(engine, outgoing)
    waits(town, "acme")
    assert hold(town).organisation_id == town.id
    theirs.clear()  # the account is removed
    town.send(customer="beta")
    assert hold(town).ended_at is None  # of another owner


def test_a_rehearsal_never_meets_it(engine: Engine) -> None:
    town = three_due(engine, REFUSED)
    waits(town, "acme")
    town.change(t.Organisation, rehearsal_now=town.now)
    town.send(customer="beta")
    assert len(town.provider.tried) == 1
    assert town.actions() == [("one", "done")]
    assert hold(town).ended_at is None


def test_a_restarted_worker_probes_at_once(engine: Engine) -> None:
    town = three_due(engine, REFUSED, Accepted("x"))
    waits(town, "acme")
    with transaction(engine) as session:
        account = via(town.provider)
        held_accounts.installation_started(session, [account], town.now + timedelta(seconds=1))
    town.now += timedelta(seconds=1)
    town.send(customer="beta")
    assert hold(town).ended_at is not None


def test_a_worker_with_another_account_ends_the_hold_of_the_former(engine: Engine) -> None:
    town = three_due(engine, REFUSED)
    waits(town, "acme")
    town.provider.account = "another account"
    probe_at_once(engine, {town.provider.type: town.provider})
    assert hold(town).ended_by == "the account was changed"


def test_a_letter_whose_outcome_is_unknown_is_not_handed_over_again_meanwhile(
    engine: Engine,
) -> None:
    """It would be under its key; it waits as the others do, and nothing is counted."""
    town = three_due(
        engine, Ambiguous("timed out"), REFUSED, Accepted("x"), idempotent=True, knows=[NotFound()]
    )
    town.send()
    waits(town, "beta")
    coming = town.look_up()
    assert coming.look_up
    assert len(town.provider.tried) == 2
    first = next(r for r in town.rows(t.Delivery) if r.status == "unknown")
    assert first.look_ups == 0
    assert first.deadline is not None
    assert first.deadline > town.now
    town.now = hold(town).next_probe_at
    town.look_up()
    assert town.actions() == [("one", "done")]
    assert hold(town).ended_at is not None


def test_two_take_the_place_of_a_probe_and_one_gets_it(engine: Engine) -> None:
    """Nobody waits for the other's transaction."""
    town = three_due(engine, REFUSED)
    waits(town, "acme")
    at = hold(town).next_probe_at
    account = via(town.provider)
    with transaction(engine) as one:
        assert held_accounts.turn(one, account, uuid.uuid4(), at).probe == hold(town).id
        with transaction(engine) as other:
            assert held_accounts.turn(other, account, uuid.uuid4(), at).wait is not None
