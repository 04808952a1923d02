"""Callbacks are processed once, retried after an exception in our code, and stored."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from activities.callbacks import Callbacks
from dunning.delivery import DeliveryFact
from dunning.learnt import Reply, Report, Wish
from dunning.plan import ActionType
from providers.callback import BadCallback
from providers.registry import readers
from store import tables as t
from tests.cast.first_reminder import (
    EVE,
    recipient,
    sent,
)
from tests.cast.processed_callbacks import US, reader, take_in

pytestmark = pytest.mark.services


def test_callbacks_with_reports_and_replies_are_processed(engine: Engine) -> None:
    town = sent(engine)
    found: list[Report | Reply] = [
        Report(fact=DeliveryFact.RECEIVED, at=town.now, delivery_id=town.newest(), address=EVE),
        Reply(at=town.now, sender=EVE, text="STOP", wish=Wish.STOP),
    ]
    assert take_in(town, found).outcome == "done"
    assert recipient(town).received_at == town.now
    assert town.closed()["eve"] != ""


def test_an_unmatched_or_refused_callback_is_kept_with_its_reason(engine: Engine) -> None:
    town = sent(engine)
    stray = Report(fact=DeliveryFact.OPENED, at=town.now, address="who@else.example")
    row = take_in(town, [stray])
    assert (row.outcome, row.error) == (
        "unmatched",
        "no delivery of this account for opened of who@else.example",
    )
    row = take_in(town, BadCallback("the body is not JSON"))
    assert (row.outcome, row.error) == ("refused", "the body is not JSON")
    row = take_in(town, [], unheard_of=True)
    assert row.outcome == "refused"


def test_a_callback_is_retried_later_after_an_exception_in_our_code(engine: Engine) -> None:
    town = sent(engine)
    row = take_in(town, ZeroDivisionError("ours"))
    assert (row.outcome, row.tries) == ("", 1)
    assert row.error == "it could not be taken in; the worker's log says why"
    assert row.next_try_at is not None
    event = Report(fact=DeliveryFact.RECEIVED, at=town.now, delivery_id=town.newest(), address=EVE)
    good = Callbacks(engine, "", {US: (ActionType.EMAIL, reader([event]))})
    assert good.take_batch() == 0
    town.change(t.Callback, next_try_at=row.received_at)
    assert good.take_batch() == 1
    assert recipient(town).received_at == town.now


def test_every_provider_has_a_reader() -> None:
    assert set(readers()) >= {"sendgrid", "twilio", "lob", "outbox", "link"}
