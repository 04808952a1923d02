"""Complete and skip leave the same action for each caller: a member by the API, a signal by hand,
and a rehearsal in place of the owner."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from backoffice.delivery.completing import complete, skip, work_open_action
from backoffice.worklist.working import How
from stand_ins.town import Town, email
from store import tables as t
from store.engine import transaction
from store.load import load
from store.unit import Unit
from tests.cast.overdue import hand, overdue, shown_a_call

pytestmark = pytest.mark.services


#: Fields that differ between two organisations.
_OWN = {
    *("id", "seq", "organisation_id", "customer_id", "invoice_id", "plan_id", "plan_version_id"),
    *("owner_id", "requested_by"),
}


def shown(town: Town) -> t.Action:
    """The action that was assigned: the first one of this organisation."""
    found: t.Action = next(a for a in town.rows(t.Action) if a.organisation_id == town.id)
    return found


def by_api(town: Town, how: How) -> None:
    with transaction(town.engine) as session:
        unit = Unit(session, town.id, town.now)
        row = shown(town)
        owner = session.get_one(t.Member, row.owner_id)
        if how is How.COMPLETE:
            complete(unit, owner, str(row.id), "she pays")
        else:
            skip(unit, owner, str(row.id), "she pays")


def by_hand(town: Town, how: How) -> None:
    town.review(hand(how.value, why="she pays", who="Ben"))


def by_rehearsal(town: Town, how: How) -> None:
    with transaction(town.engine) as session:
        unit = Unit(session, town.id, town.now, by="Ben")
        assert work_open_action(unit, load(unit, town.key_of("acme")), how, "she pays")


def a_mail(engine: Engine) -> Town:
    """Ben has an email to send."""
    town = overdue(engine, email("mail", 1, automatic=False), email("two", 8))
    assert town.review().state == "await_owner"
    return town


@pytest.mark.parametrize("how", How)
@pytest.mark.parametrize("opened", [shown_a_call, a_mail])
@pytest.mark.parametrize("ask", [by_hand, by_rehearsal])
def test_complete_and_skip_leave_the_same_action_for_every_caller(
    engine: Engine,
    ask: Callable[[Town, How], None],
    opened: Callable[[Engine], Town],
    how: How,
) -> None:
    left = []
    for way in (by_api, ask):
        town = opened(engine)
        way(town, how)
        row = shown(town)
        assert row.requested_by in (None, row.owner_id)
        left.append(row.model_dump(exclude=_OWN))
    assert left[0] == left[1]
