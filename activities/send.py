"""Sends one message: locks the customer, decides again at this instant (rule 36), claims and
commits, calls the provider once, records, decides what is next."""

from __future__ import annotations

from sqlalchemy import Engine

from activities.calling import Order, call, tried_again
from activities.deciding import no_such_customer, working
from backoffice.delivery.attempts import NotNow, begin
from backoffice.delivery.outgoing import Outgoing
from dunning.plan import ActionType
from store.load import load
from workflows.contracts import Instruction, SendInput


def send(engine: Engine, outgoing: Outgoing, given: SendInput) -> Instruction:
    """At most one message is sent. Temporal retries only while it has certainly not left."""
    order = Order.of(given, outgoing)
    with working(engine) as session:
        unit = order.unit(session)
        try:
            loaded = load(unit, order.customer_id)
            attempt = begin(unit, loaded, ActionType(given.channel), outgoing)
        except KeyError:
            return no_such_customer(given.customer_id)
        if attempt is None:
            return order.decided(unit)
    if isinstance(attempt, NotNow):
        raise tried_again(attempt)
    return call(engine, outgoing, order, attempt)
