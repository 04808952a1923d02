"""Asks the provider of an unknown delivery whether it has the message."""

from __future__ import annotations

from sqlalchemy import Engine

from activities.calling import Order, call, kept
from activities.deciding import LOCK_TIMEOUT, no_such_customer, working
from backoffice.delivery.attempts import Attempt
from backoffice.delivery.look_up import Question, answered, question
from backoffice.delivery.outgoing import Outgoing
from providers.port import CannotTell, LooksUp, LookUp
from store.engine import transaction
from store.load import load
from workflows.contracts import Instruction, SendInput


def look_up(engine: Engine, outgoing: Outgoing, given: SendInput) -> Instruction:
    """Sends nothing, except a message for which the provider has an idempotency key."""
    order = Order.of(given, outgoing)
    with working(engine) as session:
        unit = order.unit(session)
        try:
            loaded = load(unit, order.customer_id)
        except KeyError:
            return no_such_customer(given.customer_id)
        asked = question(unit, loaded, outgoing)
        if asked is None:
            return order.decided(unit)
    answer = _answer(asked)

    def settle() -> Instruction | Attempt:
        with transaction(engine, lock_timeout=LOCK_TIMEOUT) as session:
            unit = order.unit(session)
            loaded = load(unit, order.customer_id)
            attempt = answered(unit, loaded, asked, answer, outgoing)
            return attempt or order.decided(unit)

    settled = kept(settle)
    return call(engine, outgoing, order, settled) if isinstance(settled, Attempt) else settled


def _answer(asked: Question) -> LookUp:
    if asked.message.channel is not asked.channel.type or not isinstance(asked.channel, LooksUp):
        return CannotTell(f"{asked.channel.name} cannot be asked")
    return asked.channel.look_up(asked.message, asked.since)
