"""``review``: apply what was signalled by hand, decide, and write what concerns us alone."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select
from temporalio import activity

from activities.deciding import Clock, engine_time, nobody, real_clock, settle, working
from backoffice.ledger.credits import PAYMENT, CreditFact, put_credit
from backoffice.ledger.holds import pause, resume
from backoffice.worklist.actions import work_open_action
from store import tables as t
from store.calendars import calendar_of
from store.errors import DunningError, Invalid
from store.load import clock, load
from store.locks import lock_customer
from store.timeline import note
from workflows.contracts import REVIEW, Instruction, ReviewInput, Signal

_BY_HAND = "signal"


class Review:
    """The review of one customer, in one transaction. Safe to run any number of times."""

    def __init__(self, engine: Engine, real: Clock = real_clock) -> None:
        self._engine = engine
        self._clock = real

    @activity.defn(name=REVIEW)
    def review(self, order: ReviewInput) -> Instruction:
        """Rules 1 to 44 on the account as it stands; answers what the sequence does next."""
        customer_id = uuid.UUID(order.customer_id)
        now = engine_time(order.now, self._clock)
        with working(self._engine) as session:
            try:
                customer = lock_customer(session, customer_id)
            except KeyError:
                return nobody(order.customer_id)
            organisation = session.get_one(t.Organisation, customer.organisation_id)
            at = clock(organisation, now)
            for message in order.messages:
                if message.nudge == 0:
                    _apply_once(session, customer, message, at)
            handled = max((m.nudge for m in order.messages), default=0)
            return settle(session, customer_id, at, now, handled)


def _apply_once(session: Session, customer: t.Customer, message: Signal, at: datetime) -> None:
    """A signal by hand does what the API would have done; nonsense goes to the timeline."""
    statement = insert(t.AppliedSignal).values(customer_id=customer.id, id=message.id, at=at)
    fresh = session.connection().execute(
        statement.on_conflict_do_nothing().returning(col(t.AppliedSignal.id))
    )
    if fresh.first() is None:
        return
    try:
        with session.begin_nested():
            _apply(session, customer, message, at)
    except (DunningError, ValueError) as e:
        note(session, customer, at, "signal_refused", f"{message.signal}: {e}", by=_BY_HAND)


def _apply(session: Session, customer: t.Customer, message: Signal, at: datetime) -> None:
    by = message.who or _BY_HAND
    if message.signal == "payment":
        _pay(session, customer, message, at, by)
    elif message.signal in ("complete", "skip"):
        loaded = load(session, customer.id)
        if not work_open_action(session, loaded, message.signal, message.why, at, by):
            raise Invalid("no action is open")
    elif message.signal == "pause":
        until = date.fromisoformat(message.until) if message.until else None
        invoice = _invoice(session, customer, message.invoice) if message.invoice else None
        key = uuid.uuid5(customer.id, message.id)
        pause(session, customer, invoice, until, message.why, at, by, key)
    elif message.signal == "resume":
        invoice = _invoice(session, customer, message.invoice) if message.invoice else None
        resume(session, customer, invoice, at, by)


def _pay(session: Session, customer: t.Customer, message: Signal, at: datetime, by: str) -> None:
    organisation = session.get_one(t.Organisation, customer.organisation_id)
    sequence = session.get(t.Sequence, customer.id)
    if message.invoice:
        invoice = _invoice(session, customer, message.invoice)
    elif sequence is not None and sequence.invoice_id is not None:
        invoice = session.get_one(t.Invoice, sequence.invoice_id)
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
        on_date=calendar_of(organisation).today(at),
        applied={invoice.external_id: amount},
    )
    put_credit(session, customer.organisation_id, fact, at, by)


def _invoice(session: Session, customer: t.Customer, name: str) -> t.Invoice:
    """By number or external id, of this customer."""
    for column in (t.Invoice.number, t.Invoice.external_id):
        found = session.exec(
            select(t.Invoice).where(
                t.Invoice.organisation_id == customer.organisation_id,
                column == name,
                t.Invoice.customer_id == customer.id,
            )
        ).first()
        if found is not None:
            return found
    raise Invalid(f"the customer has no invoice {name!r}")
