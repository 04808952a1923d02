"""Replies of customers: held steps, tasks, STOP and START."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from dunning.learnt import Wish
from dunning.plan import ActionType
from stand_ins.town import call, email, plan
from store import tables as t
from tests.cast.first_reminder import (
    EVE,
    sent,
)

pytestmark = pytest.mark.services


def test_a_reply_holds_automatic_steps_and_gives_the_owner_a_task(engine: Engine) -> None:
    """The next reminder is due on Tuesday 11. Eve writes on Monday evening, so it waits two
    days."""
    town = sent(engine)
    town.at("2025-03-10 18:00")
    assert town.answered("Next week, I promise", subject="Re: INV-1", provider_id="<a@x>")
    assert town.answered("Next week, I promise", subject="Re: INV-1", provider_id="<a@x>")
    (customer,) = town.rows_of(t.Customer)
    assert customer.held_until == date(2025, 3, 12)
    (task,) = [a for a in town.rows(t.Action) if a.cause == "replied"]
    assert task.status == "to_do"
    assert town.timeline("reply") == [f"{EVE} wrote back: Re: INV-1"]
    assert [r.text for r in town.rows_of(t.Reply)] == ["Next week, I promise"]
    assert town.lives_until("2025-03-13 09:00") == ["Wed 2025-03-12 08:30"]


def test_a_reply_holds_automatic_steps_for_the_days_set_by_the_organisation(engine: Engine) -> None:
    town = sent(
        engine, steps=plan(email("one", 1), call("two", 8), email("three", 9)), reply_hold_days=7
    )
    town.at("2025-03-10 18:00")
    town.answered()
    assert town.lives_until("2025-03-11 12:00") == []
    assert ("two", "to_do") in town.actions()


def test_an_automatic_reply_is_only_recorded(engine: Engine) -> None:
    town = sent(engine)
    town.at("2025-03-10 18:00")
    town.answered("I am away", automatic=True, subject="Out of office")
    assert [a.cause for a in town.rows(t.Action)] == [None, None]
    assert len(town.timeline("auto_reply")) == 1
    assert town.lives_until("2025-03-11 09:00") == ["Tue 2025-03-11 08:30"]


def test_a_reply_that_names_its_delivery_matches_from_any_address(engine: Engine) -> None:
    town = sent(engine)
    assert town.answered("me again", sender="eve@home.example", reference=town.newest())
    assert not town.answered("who am I", sender="nobody@home.example")
    (reply,) = town.rows_of(t.Reply)
    assert str(reply.delivery_id) == town.newest()


def test_stop_closes_sms_and_start_opens_it(engine: Engine) -> None:
    town = sent(engine)
    town.readdress("phone", "06 12 34 56 78")
    stop = {"channel": ActionType.SMS, "sender": "+33612345678"}
    assert town.answered("STOP", wish=Wish.STOP, provider_id="SM1", **stop)
    assert town.closed("phone") == {"eve": "+33612345678 answered STOP"}
    assert town.closed() == {"eve": ""}
    assert [a.cause for a in town.rows(t.Action) if a.type == "task"] == ["channel_closed"]
    assert town.rows_of(t.Customer)[0].held_until is None
    town.now += timedelta(minutes=1)
    assert town.answered("START", wish=Wish.START, provider_id="SM2", **stop)
    assert town.closed("phone") == {"eve": ""}
