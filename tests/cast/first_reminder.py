"""Acme's first reminder: due, sent, unknown or in doubt."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from providers.port import Accepted, Ambiguous
from stand_ins.town import Provider, Town
from store import tables as t

DUE, SENDING_TIME = "2025-03-03", "2025-03-04 08:30"  # a Monday, and the Tuesday after it

EVE, ADA = "eve@acme.example", "ada@acme.example"


class Died(BaseException):
    """Stands for a crash of the process: nothing catches it and nothing is recorded."""


def due_today(engine: Engine, *script: Any, idempotent: bool = False, **more: Any) -> Town:
    """Acme's first reminder is due now: Tuesday 4 March 2025, 08:30."""
    town = Town(engine, Provider(*script, idempotent=idempotent), **more)
    town.at("2025-03-03 10:00")
    town.customer()
    town.invoice("INV-1", DUE)
    assert town.review().then == "email"
    town.at(SENDING_TIME)
    return town


def delivery(town: Town) -> t.Delivery:
    (row,) = town.rows(t.Delivery)
    return row  # type: ignore[no-any-return]


def in_doubt(engine: Engine) -> Town:
    """The reminder of INV-1 is in doubt; INV-2 is younger."""
    town = due_today(engine, Ambiguous("read timed out"), Accepted("second"))
    town.invoice("INV-2", "2025-03-10")
    town.send()
    while town.look_up().look_up:
        pass
    return town


def sent(engine: Engine, *script: Any, steps: dict[str, Any] | None = None, **more: Any) -> Town:
    """Acme's first reminder was sent on Tuesday 4 March 2025, 08:30."""
    town = Town(engine, Provider(*script), steps, **more)
    town.at("2025-03-03 10:00")
    town.customer()
    town.invoice("INV-1", "2025-03-03")
    town.review()
    town.at("2025-03-04 08:30")
    town.send()
    return town


def recipient(town: Town) -> t.DeliveryRecipient:
    (row,) = town.rows_of(t.DeliveryRecipient)
    return row  # type: ignore[no-any-return]
