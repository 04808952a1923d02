"""A message in doubt: its owner says whether it left."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from backoffice.delivery.answers import send_again
from backoffice.delivery.completing import complete, skip
from providers.port import Accepted, Ambiguous
from stand_ins.town import Provider, Town, call, email, plan
from store import tables as t
from store.engine import transaction
from store.unit import Unit
from tests.cast.first_reminder import (
    DUE,
    SENDING_TIME,
    delivery,
    due_today,
    in_doubt,
)
from workflows.contracts import Signal

pytestmark = pytest.mark.services


@pytest.mark.parametrize(
    ("answer", "actions", "status", "tried"),
    [
        ("it_was_sent", [("one", "done")], "accepted", 1),
        ("send_again", [("one", "done")], "accepted", 2),
        ("give_up", [("one", "skipped")], "abandoned", 1),
    ],
)
def test_the_owner_of_a_message_in_doubt_can_give_three_answers(
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


def test_a_message_in_doubt_holds_nothing_once_its_invoice_is_paid(
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


def test_a_message_in_doubt_completed_by_hand_counts_from_the_time_of_its_claim(
    engine: Engine,
) -> None:
    """A ``complete`` by hand settles the delivery as the owner's answer does."""
    town = in_doubt(engine)
    claimed = delivery(town).claimed_at
    town.at("2025-03-06 10:00")
    town.review(Signal("complete", "x", why="Eve has it"))
    (action,) = [a for a in town.rows(t.Action) if a.status == "done"]
    assert action.executed_at == claimed
    assert delivery(town).status == "accepted"


def test_a_signal_by_hand_completes_the_action_that_the_sequence_waits_for(engine: Engine) -> None:
    """An older message in doubt, whose invoice no longer carries, is left as it is."""
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
