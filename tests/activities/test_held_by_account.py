"""A hold belongs to one account of one owner; a restart or another account ends it."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from activities.running import probe_at_once
from activities.sending import Sending
from backoffice.delivery.outgoing import Outgoing, via
from backoffice.people import held_accounts
from dunning.ids import CustomerId
from dunning.plan import ActionType
from providers.port import Accepted
from stand_ins.town import Provider
from store import tables as t
from store.engine import transaction
from tests.cast.held_account import REFUSED, hold, three_due, waits

pytestmark = pytest.mark.services


def test_another_account_is_not_held_and_ends_the_hold_of_the_one_it_replaced(
    engine: Engine,
) -> None:
    town = three_due(engine, REFUSED, Accepted("x"))
    waits(town, "acme")
    town.provider.account = "another account"
    town.send(customer="beta")
    assert hold(town).ended_at is not None


def test_a_hold_of_an_own_account_holds_no_other_organisation(engine: Engine) -> None:
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


def test_of_two_concurrent_sends_one_is_the_probe(engine: Engine) -> None:
    """Neither of the two waits for the other's transaction."""
    town = three_due(engine, REFUSED)
    waits(town, "acme")
    at = hold(town).next_probe_at
    account = via(town.provider)
    with transaction(engine) as one:
        assert held_accounts.turn(one, account, CustomerId(uuid.uuid4()), at).probe == hold(town).id
        with transaction(engine) as other:
            assert held_accounts.turn(other, account, CustomerId(uuid.uuid4()), at).wait is not None


def test_a_rehearsal_ignores_held_accounts(engine: Engine) -> None:
    town = three_due(engine, REFUSED)
    waits(town, "acme")
    town.change(t.Organisation, rehearsal_now=town.now)
    town.send(customer="beta")
    assert len(town.provider.tried) == 1
    assert town.actions() == [("one", "done")]
    assert hold(town).ended_at is None
