"""Three reminders that are due now, and a provider that refuses the account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from temporalio.exceptions import ApplicationError

from providers.port import NotSent
from stand_ins.town import Provider, Town
from store import tables as t

REFUSED = NotSent("SendGrid refuses the key: revoked", holds_channel=True)

NAMES = ("acme", "beta", "gamma")


def three_due(engine: Engine, *script: Any, **more: Any) -> Town:
    """The first reminders of three customers are due now: Tuesday 4 March 2025, 08:30."""
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
