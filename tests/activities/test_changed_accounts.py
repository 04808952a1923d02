"""A claim by an account that was replaced since, or whose fingerprint was not stored."""

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


def test_after_a_crash_a_message_is_not_sent_again_by_another_account(engine: Engine) -> None:
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


def test_a_claim_without_an_account_fingerprint_is_looked_up_and_not_sent_again(
    engine: Engine,
) -> None:
    """Deliveries of an older version store no fingerprint of their account. A look-up is safe; a
    retry is not, because at another account the same idempotency key is a second message."""
    town = due_email(engine, Ambiguous("read timed out"), Accepted("x"))
    town.provider.knows = [NotFound()]
    assert town.send().look_up
    town.change(t.Delivery, account="")
    assert town.look_up().look_up
    assert (len(town.provider.asked), len(town.provider.tried)) == (1, 1)
