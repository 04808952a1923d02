"""What customers write back: matched, kept once, told to the owner, and waited for."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from db import tables as t
from db.accounts import clock
from db.calendars import calendar_of
from db.locks import lock_customer
from db.nudges import nudge
from db.outcomes import close, reopen
from db.tasks import customer_did
from db.timeline import note
from dunning.delivery import spellings
from dunning.model import Cause
from dunning.plan import ActionType

#: How long after a message an answer from its address still belongs to it.
_ANSWERS_WITHIN = timedelta(days=180)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply, as ``channels.callback.Reply`` has it, on one channel; ``wish`` is stop, start or
    empty. ``organisation_id`` as in ``db.outcomes.Report``."""

    channel: ActionType
    organisation_id: uuid.UUID | None
    at: datetime
    sender: str
    text: str
    subject: str = ""
    provider_id: str = ""
    reference: str = ""
    automatic: bool = False
    wish: str = ""


def take(session: Session, answer: Answer, now: datetime) -> bool:
    """Take in one reply. False: nobody is known to write from there.

    A person's reply holds the customer's automatic steps for the organisation's number of days and
    gives the owner a task; an automatic one is only noted; STOP and START close and open the
    channel of every contact with that number.
    """
    delivery = _delivery(session, answer, now)
    customers = {delivery.customer_id} if delivery else set()
    if answer.wish or not customers:
        customers |= set(_customers(session, answer))
    for customer_id in sorted(customers):
        customer = lock_customer(session, customer_id)
        organisation = session.get_one(t.Organisation, customer.organisation_id)
        answered = delivery if delivery and delivery.customer_id == customer_id else None
        _take(session, customer, organisation, answered, answer, clock(organisation, now))
    return bool(customers)


def _take(
    session: Session,
    customer: t.Customer,
    organisation: t.Organisation,
    delivery: t.Delivery | None,
    answer: Answer,
    now: datetime,
) -> None:
    at = min(answer.at, now)
    if not _keep(session, customer, delivery, answer, at):
        return
    action = session.get_one(t.Action, delivery.action_id) if delivery else None
    kind = "auto_reply" if answer.automatic else "reply"
    words = answer.subject if answer.channel is ActionType.EMAIL else answer.text
    said = f"{answer.sender} {'answered by machine' if answer.automatic else 'wrote back'}"
    note(session, customer, at, kind, f"{said}: {words[:300]}",
         invoice_id=action.invoice_id if action else None,
         action_id=action.id if action else None, by=answer.sender[:200])  # fmt: skip
    if answer.wish:
        for contact in _contacts(session, customer, answer):
            if answer.wish == "stop":
                why = f"{answer.sender} answered {answer.text.strip()[:20]}"
                close(session, customer, contact, answer.channel.value, why, at, action)
            else:
                why = f"{answer.sender} asked for it"
                reopen(session, customer, contact, answer.channel.value, why, at)
    elif not answer.automatic:
        until = calendar_of(organisation).today(now) + timedelta(days=organisation.reply_hold_days)
        customer.held_until = max(customer.held_until or until, until)
        customer_did(session, customer, Cause.REPLIED, f"{said}: {words[:300]}", at, action)
    nudge(session, customer)
    session.flush()


def _keep(
    session: Session,
    customer: t.Customer,
    delivery: t.Delivery | None,
    answer: Answer,
    at: datetime,
) -> bool:
    """Once, however often the provider repeats it."""
    whole = f"{answer.sender}\n{answer.subject}\n{answer.text}\n{answer.at.isoformat()}"
    own = answer.provider_id or hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()
    values = {
        "id": uuid.uuid4(),
        "organisation_id": customer.organisation_id,
        "customer_id": customer.id,
        "delivery_id": delivery.id if delivery else None,
        "key": f"{customer.id}/{answer.channel.value}/{own}"[:500],
        "channel": answer.channel.value,
        "sender": answer.sender[:320],
        "subject": answer.subject[:500],
        "text": answer.text[:20_000],
        "automatic": answer.automatic,
        "at": at,
    }
    fresh = session.connection().execute(
        insert(t.Reply).values(values).on_conflict_do_nothing().returning(col(t.Reply.id))
    )
    return fresh.first() is not None


def _delivery(session: Session, answer: Answer, now: datetime) -> t.Delivery | None:
    """The message that is answered: the one it names, else the last one to that address."""
    found: t.Delivery | None = None
    if answer.reference:
        try:
            found = session.get(t.Delivery, uuid.UUID(answer.reference))
        except ValueError:
            found = None
    if found is None:
        statement = (
            select(t.Delivery)
            .join(t.DeliveryRecipient, col(t.DeliveryRecipient.delivery_id) == t.Delivery.id)
            .where(
                col(t.DeliveryRecipient.address_key).in_(spellings(answer.sender)),
                t.Delivery.channel == answer.channel.value,
                t.DeliveryRecipient.role == "to",
                col(t.Delivery.claimed_at) > now - _ANSWERS_WITHIN,
            )
            .order_by(col(t.Delivery.claimed_at).desc())
            .limit(1)
        )
        if answer.organisation_id is not None:
            statement = statement.where(t.Delivery.organisation_id == answer.organisation_id)
        found = session.exec(statement).first()
    mine = found is not None and found.organisation_id == answer.organisation_id
    return found if mine or answer.organisation_id is None else None


def _customers(session: Session, answer: Answer) -> list[uuid.UUID]:
    """Who has a contact with that address, when no message to it is known."""
    statement = (
        select(t.Customer.id)
        .join(t.Contact, col(t.Contact.customer_id) == t.Customer.id)
        .where(_writes_from(answer))
        .distinct()
        .order_by(col(t.Customer.id))
        .limit(10)
    )
    if answer.organisation_id is not None:
        statement = statement.where(t.Customer.organisation_id == answer.organisation_id)
    return list(session.exec(statement))


def _contacts(session: Session, customer: t.Customer, answer: Answer) -> list[t.Contact]:
    return list(
        session.exec(
            select(t.Contact).where(t.Contact.customer_id == customer.id, _writes_from(answer))
        )
    )


def _writes_from(answer: Answer) -> sa.ColumnElement[bool]:
    """The contact's address is the sender's; of numbers, written in many ways, the last nine digits
    are compared."""
    if answer.channel is ActionType.EMAIL:
        return sa.func.lower(t.Contact.email).in_(spellings(answer.sender))
    last = "".join(c for c in answer.sender if c.isdigit())[-9:]
    same: sa.ColumnElement[bool] = sa.literal_column(t.PHONE_END, sa.Text) == last
    return sa.and_(sa.literal(len(last) == 9), same)
