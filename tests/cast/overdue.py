"""A customer whose invoice is overdue, and signals by hand for its sequence."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import Engine

from stand_ins.town import Town, call, email, plan
from store import tables as t
from workflows.contracts import Signal

DUE = "2025-03-03"  # a Monday


def overdue(engine: Engine, *steps: dict[str, object], **more: object) -> Town:
    """Acme owes INV-1 of 100 EUR since Monday 3 March 2025; it is Tuesday morning."""
    chosen = plan(*(steps or (email("one", 1), email("two", 8))))
    town = Town(engine, steps=chosen, **more)  # type: ignore[arg-type]
    town.at("2025-03-04 08:00")
    town.customer()
    town.invoice("INV-1", DUE)
    return town


def shown_a_call(engine: Engine) -> Town:
    """Ben has a call to make."""
    town = overdue(engine, call("call", 1), email("mail", 8))
    assert town.review().state == "await_owner"
    return town


def hand(signal: str, id_: str = "x", **more: str) -> Signal:
    return Signal(signal, id_, **more)  # type: ignore[arg-type]


def balance(town: Town, number: str = "INV-1") -> Decimal:
    return next(Decimal(i.balance) for i in town.rows(t.Invoice) if i.number == number)


def invoice_id(town: Town, number: str) -> str:
    return next(str(i.id) for i in town.rows(t.Invoice) if i.number == number)
