"""Customers' replies: matched, stored once, given to the owner; automatic steps wait."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime, timedelta

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from backoffice.delivery.reply_matching import (
    address_of,
    last_message,
    named,
    possible_organisations,
)
from backoffice.ledger.closures import closed_by, happened, people_at, people_everywhere
from backoffice.worklist.states import BY
from backoffice.worklist.tasks import customer_did
from dunning.closures import Heard, Source
from dunning.ids import CustomerId, OrganisationId
from dunning.learnt import CameIn, Reply, Wish
from dunning.model import Cause
from dunning.plan import ActionType
from store import tables as t
from store.calendars import calendar_of
from store.locks import CustomerLocked, lock_customer
from store.nudges import nudge
from store.timeline import note
from store.unit import Unit


def take(
    session: Session,
    reply: Reply,
    came_in: CameIn,
    now: datetime,
    held: dict[CustomerId, CustomerLocked] | None = None,
) -> str:
    """Processes one reply; returns why it is unmatched, empty = it was stored. ``now`` is the real
    time (UTC). ``held``: customers whose lock others hold; no second wait for them.

    A person's reply holds the customer's automatic steps for the organisation's number of days and
    gives the owner a task; an automatic reply is only noted; STOP and START close and open the
    number. On the installation's account, which serves every organisation, a reply that names no
    message is stored only if just one organisation can be meant: no other may read it.
    """
    answered = named(session, reply, came_in)
    organisations = possible_organisations(session, reply, came_in, answered, now)
    if len(organisations) == 1:
        unit = _unit_of(session, organisations[0], now, held)
        return _take_in_organisation(unit, reply, came_in, answered)
    if not organisations:
        return f"nobody is known to write from {reply.sender}"
    if not reply.wish:
        return f"{len(organisations)} organisations may be meant by {reply.sender}"
    units = {
        organisation_id: _unit_of(session, organisation_id, now, held)
        for organisation_id in organisations
    }
    people = {
        c.id: c.organisation_id for _, c in people_everywhere(session, *address_of(reply, came_in))
    }
    for customer_id, organisation_id in sorted(people.items()):
        if organisation_id in units:
            lock_customer(units[organisation_id], customer_id)
    for unit in units.values():
        if reply.wish is Wish.STOP or _is_closed_by_stop(unit, reply, came_in):
            _wish(unit, reply, came_in, None)
    return ""


def _unit_of(
    session: Session,
    organisation_id: OrganisationId,
    now: datetime,
    held: dict[CustomerId, CustomerLocked] | None,
) -> Unit:
    unit = Unit(session, organisation_id, now)
    unit.progress.held_by_others = held if held is not None else {}
    return unit


def _take_in_organisation(
    unit: Unit, reply: Reply, came_in: CameIn, answered: t.Delivery | None
) -> str:
    delivery = answered or last_message(unit, reply, came_in)
    customers = {delivery.customer_id} if delivery else set()
    if reply.wish or not customers:
        at = address_of(reply, came_in)
        customers |= {c.id for _, c in people_at(unit, *at)}
    fresh = not customers
    for customer_id in sorted(customers):
        customer = lock_customer(unit, customer_id)
        theirs = delivery if delivery and delivery.customer_id == customer_id else None
        fresh = _take(unit, customer, theirs, reply, came_in) or fresh
    if reply.wish and fresh:  # a repeated callback is no new request
        _wish(unit, reply, came_in, delivery)
    if not customers and not reply.wish:
        return f"nobody is known to write from {reply.sender}"
    return ""


def _take(
    unit: Unit,
    customer: t.Customer,
    delivery: t.Delivery | None,
    reply: Reply,
    came_in: CameIn,
) -> bool:
    """False: it was stored before."""
    then = unit.at(min(reply.at, unit.now))
    if not _keep(then, customer, delivery, reply, came_in):
        return False
    action = unit.session.get_one(t.Action, delivery.action_id) if delivery else None
    words = reply.subject if came_in.channel is ActionType.EMAIL else reply.text
    reported = f"{reply.sender} {'answered by machine' if reply.automatic else 'wrote back'}"
    note(
        then,
        customer,
        "auto_reply" if reply.automatic else "reply",
        f"{reported}: {words[:300]}",
        invoice_id=action.invoice_id if action else None,
        action_id=action.id if action else None,
        by=reply.sender[:200],
    )
    if not reply.wish and not reply.automatic:
        today = calendar_of(unit.organisation).today(unit.now)
        until = today + timedelta(days=unit.organisation.reply_hold_days)
        customer.held_until = max(customer.held_until or until, until)
        customer_did(then, customer, Cause.REPLIED, f"{reported}: {words[:300]}", action)
    nudge(unit, customer)
    unit.session.flush()
    return True


def _is_closed_by_stop(unit: Unit, reply: Reply, came_in: CameIn) -> bool:
    """On a number from which several organisations send, STOP is for all of them, because
    recipients see one sender. START opens only what STOP had closed: an address that
    one of them closed for another reason stays closed."""
    return closed_by(unit, *address_of(reply, came_in), Source.CALLBACK)


def _wish(unit: Unit, reply: Reply, came_in: CameIn, delivery: t.Delivery | None) -> None:
    """STOP closes the sender's address for the organisation, START opens it."""
    then = unit.at(min(reply.at, unit.now))
    kind, key = address_of(reply, came_in)
    stop = reply.wish is Wish.STOP
    why = f"{reply.sender} answered STOP" if stop else f"{reply.sender} asked for it"
    word = Heard(Source.CALLBACK, stop, "stop" if stop else "start", then.now, why)
    turn = happened(unit.named(BY), kind, key, word)
    if not stop:
        return
    for customer_id, text in turn.told:
        customer = unit.session.get_one(t.Customer, customer_id)
        mine = delivery is not None and delivery.customer_id == customer_id
        action = unit.session.get_one(t.Action, delivery.action_id) if delivery and mine else None
        customer_did(then, customer, Cause.CHANNEL_CLOSED, text, action)
    unit.session.flush()


def _keep(
    unit: Unit,
    customer: t.Customer,
    delivery: t.Delivery | None,
    reply: Reply,
    came_in: CameIn,
) -> bool:
    """Stores the reply; False if it is stored already."""
    whole = f"{reply.sender}\n{reply.subject}\n{reply.text}\n{reply.at.isoformat()}"
    own = reply.provider_id or hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()
    values = {
        "id": uuid.uuid4(),
        "organisation_id": customer.organisation_id,
        "customer_id": customer.id,
        "delivery_id": delivery.id if delivery else None,
        "key": f"{customer.id}/{came_in.channel.value}/{own}"[:500],
        "channel": came_in.channel.value,
        "sender": reply.sender[:320],
        "subject": reply.subject[:500],
        "text": reply.text[:20_000],
        "automatic": reply.automatic,
        "at": unit.now,
    }
    fresh = unit.session.connection().execute(
        insert(t.Reply).values(values).on_conflict_do_nothing().returning(col(t.Reply.id))
    )
    return fresh.first() is not None
