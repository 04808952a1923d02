"""A held account: sends wait, one probe at a time calls the provider, and an accepted one ends
it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from backoffice.people.held_accounts import PROBE_AFTER
from messages.message import Message
from providers.port import Accepted, Ambiguous, NotFound, NotSent, Rejected, Result
from store import tables as t
from tests.cast.first_reminder import Died
from tests.cast.held_account import NAMES, REFUSED, hold, three_due, waits

pytestmark = pytest.mark.services


def test_after_a_refusal_other_sends_wait_without_calling_the_provider(engine: Engine) -> None:
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
    assert town.actions() == []  # no task for anybody
    assert {row.status for row in town.rows(t.Delivery)} == {"planned"}


def test_addresses_are_left_out_of_the_stored_reason(engine: Engine) -> None:
    """Every organisation can read the reason of a held account of the installation."""
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


def test_the_first_accepted_probe_ends_the_hold_and_the_others_follow(engine: Engine) -> None:
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


def test_during_a_probe_no_other_send_calls_the_provider(engine: Engine) -> None:
    def check_wait(message: Message) -> Result:
        assert waits(town, "beta") <= timedelta(seconds=25) * 1.2
        return Accepted("x")

    town = three_due(engine, REFUSED, check_wait, Accepted("y"))
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
def test_a_probe_without_an_outcome_does_not_end_the_hold(engine: Engine, said: Result) -> None:
    town = three_due(engine, REFUSED, said)
    waits(town, "acme")
    town.now = hold(town).next_probe_at
    if isinstance(said, NotSent):
        waits(town, "beta")
    else:
        town.send(customer="beta")
    assert hold(town).ended_at is None
    assert hold(town).next_probe_at == town.now + PROBE_AFTER[1]


def test_after_a_probe_that_failed_before_the_call_the_next_send_probes(engine: Engine) -> None:
    ours = Rejected("a letter carries no attachments", "attachments", asked=False)
    town = three_due(engine, REFUSED, ours, Accepted("x"))
    waits(town, "acme")
    town.now = hold(town).next_probe_at
    town.send(customer="beta")
    assert hold(town).ended_at is None
    town.send(customer="gamma")
    assert hold(town).ended_at is not None


def test_after_a_worker_is_killed_during_a_probe_the_next_send_probes(engine: Engine) -> None:
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


def test_a_message_held_past_the_cut_off_leaves_the_next_working_day(engine: Engine) -> None:
    """Rule 21: each attempt is decided again, so nothing goes out at night."""
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


def test_a_message_whose_reason_is_gone_does_not_wait_for_a_held_account(engine: Engine) -> None:
    town = three_due(engine, REFUSED)
    waits(town, "acme")
    town.pay("INV-beta", customer="beta")
    assert town.send(customer="beta").state == "rest"


def test_sends_that_are_refused_at_the_same_time_begin_one_hold(engine: Engine) -> None:
    def meanwhile(message: Message) -> Result:
        waits(town, "beta")  # this one does not know of the hold either
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


def test_an_unknown_letter_is_not_sent_again_while_its_account_is_held(
    engine: Engine,
) -> None:
    """A retry under its idempotency key waits like every other send, and counts as no attempt."""
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
