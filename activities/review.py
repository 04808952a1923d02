"""``review``: applies signals sent by hand, decides, and writes only to our database."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal, InvalidOperation

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from temporalio import activity

from activities.deciding import (
    Clock,
    decide_and_record,
    engine_time,
    no_such_customer,
    real_clock,
    working,
)
from backoffice.delivery.completing import work_open_action
from backoffice.ledger.credits import CreditFact, put_credit
from backoffice.ledger.holds import pause, resume
from backoffice.ledger.kinds import PAYMENT
from backoffice.worklist.working import How
from dunning.ids import CustomerId, OrganisationId
from store import tables as t
from store.calendars import calendar_of
from store.errors import DunningError, Invalid
from store.load import load
from store.locks import lock_customer
from store.timeline import note
from store.unit import Unit
from workflows.contracts import REVIEW, Instruction, ReviewInput, Signal

_BY_HAND = "signal"


class Review:
    """The review of one customer, in one transaction. Safe to run any number of times."""

    def __init__(self, engine: Engine, real: Clock = real_clock) -> None:
        self._engine = engine
        self._clock = real

    @activity.defn(name=REVIEW)
    def review(self, order: ReviewInput) -> Instruction:
        """Rules 1 to 44 on the current account; returns what the sequence does next."""
        customer_id = CustomerId(uuid.UUID(order.customer_id))
        now = engine_time(order.now, self._clock)
        with working(self._engine) as session:
            unit = Unit(session, OrganisationId(uuid.UUID(order.organisation_id)), now)
            try:
                customer = lock_customer(unit, customer_id)
            except KeyError:
                return no_such_customer(order.customer_id)
            for message in order.messages:
                if message.nudge == 0:
                    _apply_once(unit, customer, message)
            handled = max((m.nudge for m in order.messages), default=0)
            return decide_and_record(unit, customer_id, handled)


def _apply_once(unit: Unit, customer: t.Customer, message: Signal) -> None:
    """A signal by hand does what the API would do; an invalid one is noted on the timeline."""
    statement = insert(t.AppliedSignal).values(customer_id=customer.id, id=message.id, at=unit.now)
    fresh = unit.session.connection().execute(
        statement.on_conflict_do_nothing().returning(col(t.AppliedSignal.id))
    )
    if fresh.first() is None:
        return
    try:
        with unit.session.begin_nested():
            _apply(unit, customer, message)
    except (DunningError, ValueError) as e:
        note(unit, customer, "signal_refused", f"{message.signal}: {e}", by=_BY_HAND)


def _apply(unit: Unit, customer: t.Customer, message: Signal) -> None:
    by = message.who or _BY_HAND
    if message.signal == "payment":
        _pay(unit.named(by), customer, message)
    elif message.signal in ("complete", "skip"):
        loaded = load(unit, customer.id)
        if not work_open_action(unit.named(by), loaded, How(message.signal), message.why):
            raise Invalid("no action is open")
    elif message.signal == "pause":
        until = date.fromisoformat(message.until) if message.until else None
        invoice = _invoice(unit, customer, message.invoice) if message.invoice else None
        key = uuid.uuid5(customer.id, message.id)
        pause(unit.named(by), customer, invoice, until, message.why, key)
    elif message.signal == "resume":
        invoice = _invoice(unit, customer, message.invoice) if message.invoice else None
        resume(unit.named(by), customer, invoice)


def _pay(unit: Unit, customer: t.Customer, message: Signal) -> None:
    organisation = unit.organisation
    sequence = unit.session.get(t.Sequence, customer.id)
    if message.invoice:
        invoice = _invoice(unit, customer, message.invoice)
    elif sequence is not None and sequence.invoice_id is not None:
        invoice = unit.session.get_one(t.Invoice, sequence.invoice_id)
    else:
        raise Invalid("no invoice carries; name the invoice that was paid")
    try:
        amount = Decimal(message.amount) if message.amount else invoice.balance
    except InvalidOperation:
        raise Invalid(f"amount {message.amount!r} is not a number like 12.50") from None
    if not amount.is_finite() or not 0 < amount < Decimal(10) ** 15:
        raise Invalid(f"amount {message.amount!r} is not a payment")
    fact = CreditFact(
        kind=PAYMENT,
        external_id=f"signal/{message.id}",
        customer=customer.external_id,
        amount=amount,
        currency=invoice.currency,
        on_date=calendar_of(organisation).today(unit.now),
        applied={invoice.external_id: amount},
    )
    put_credit(unit, fact)


def _invoice(unit: Unit, customer: t.Customer, name: str) -> t.Invoice:
    """Finds it by number or external id, for this customer."""
    for column in (t.Invoice.number, t.Invoice.external_id):
        found = unit.session.exec(
            select(t.Invoice).where(
                t.Invoice.organisation_id == customer.organisation_id,
                column == name,
                t.Invoice.customer_id == customer.id,
            )
        ).first()
        if found is not None:
            return found
    raise Invalid(f"the customer has no invoice {name!r}")
