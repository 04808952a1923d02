"""A claim of an account that is not in use any more, or whose mark was not stored."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from providers.port import Accepted, Ambiguous, NotFound
from stand_ins.town import Provider, Town, late
from store import tables as t
from tests.cast.first_reminder import Died

pytestmark = pytest.mark.services


def due_email(engine: Engine, *script: Any) -> Town:
    town = Town(engine, Provider(*script, idempotent=True, account="old"))
    town.at("2025-03-03 10:00")
    town.customer()
    town.invoice("INV-1", date(2025, 3, 3))
    town.review()
    town.at("2025-03-04 08:30")
    return town


def test_after_a_crash_another_account_does_not_send_again(engine: Engine) -> None:
    town = due_email(engine, Died(), Accepted("x"))
    with pytest.raises(Died):
        town.send()
    late(town)
    town.provider.account = "new"
    assert town.send().state == "await_owner"
    assert len(town.provider.tried) == 1
    (row,) = town.rows(t.Action)
    assert row.reason == (
        "we do not know whether this left: the program ended while stand-in was being called; it "
        "was handed to another account at stand-in than the one in use now, so nobody can be asked"
    )


def test_a_claim_without_the_mark_of_an_account_is_looked_up_but_not_sent_again(
    engine: Engine,
) -> None:
    """A delivery of the version before has no mark: the look-up may find it, and the same key may
    be another message at another account."""
    town = due_email(engine, Ambiguous("read timed out"), Accepted("x"))
    town.provider.knows = [NotFound()]
    assert town.send().look_up
    town.change(t.Delivery, account="")
    assert town.look_up().look_up
    assert (len(town.provider.asked), len(town.provider.tried)) == (1, 1)
