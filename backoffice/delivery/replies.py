"""What customers write back: matched, kept once, told to the owner, and waited for."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from backoffice.worklist.decisions import BY
from backoffice.worklist.tasks import customer_did
from dunning.closures import Heard, Source
from dunning.delivery import spellings
from dunning.model import Cause
from dunning.plan import ActionType
from store import tables as t
from store.calendars import calendar_of
from store.closures import KIND_OF, closed_by, happened, key_of, people_at
from store.locks import CustomerLocked, lock_customer
from store.nudges import nudge
from store.timeline import note
from store.unit import Unit

#: How long after a message an answer from its address still belongs to it.
_ANSWERS_WITHIN = timedelta(days=180)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply, as ``providers.callback.Reply`` has it, on one channel; ``wish`` is stop, start or
    empty. ``provider``, ``organisation_id``, ``account`` and ``signer``: by which account it came
    in, as in ``backoffice.delivery.outcomes.Report``."""

    channel: ActionType
    organisation_id: uuid.UUID | None
    at: datetime
    sender: str
    text: str
    subject: str = ""
    provider: str = ""
    account: str = ""
    signer: str = ""
    provider_id: str = ""
    reference: str = ""
    automatic: bool = False
    wish: str = ""


def take(
    session: Session,
    answer: Answer,
    now: datetime,
    held: dict[uuid.UUID, CustomerLocked] | None = None,
) -> str:
    """Take in one reply. Empty; else why it is nobody's. ``held``: customers whom others hold, so
    that nobody waits for them again.

    A person's reply holds the customer's automatic steps for the organisation's number of days and
    gives the owner a task; an automatic one is only noted; STOP and START close and open the
    number. On the installation's account, which serves every organisation, a reply that names no
    message is an organisation's only where no other can be meant: nobody else may read it.
    """
    named = _named(session, answer)
    houses = _meant(session, answer, named, now)
    if len(houses) == 1:
        return _take_in_house(_in_house(session, houses[0], now, held), answer, named)
    if not houses:
        return f"nobody is known to write from {answer.sender}"
    if not answer.wish:
        return f"{len(houses)} organisations may be meant by {answer.sender}"
    units = {house: _in_house(session, house, now, held) for house in houses}
    people = {c.id: c.organisation_id for _, c in people_at(session, *_address(answer))}
    for customer_id, house in sorted(people.items()):
        if house in units:
            lock_customer(units[house], customer_id)
    for unit in units.values():
        _wish(unit, answer, None, shared=True)
    return ""


def _in_house(
    session: Session, house: uuid.UUID, now: datetime, held: dict[uuid.UUID, CustomerLocked] | None
) -> Unit:
    unit = Unit(session, house, now)
    unit.progress.held_by_others = held if held is not None else {}
    return unit


def _take_in_house(unit: Unit, answer: Answer, named: t.Delivery | None) -> str:
    delivery = named or _last_message(unit.session, answer, unit.organisation_id, unit.real)
    customers = {delivery.customer_id} if delivery else set()
    if answer.wish or not customers:
        customers |= {
            c.id for _, c in people_at(unit.session, *_address(answer), unit.organisation_id)
        }
    fresh = not customers
    for customer_id in sorted(customers):
        customer = lock_customer(unit, customer_id)
        answered = delivery if delivery and delivery.customer_id == customer_id else None
        fresh = _take(unit, customer, answered, answer) or fresh
    if answer.wish and fresh:  # repeated later, it is no later wish
        _wish(unit, answer, delivery, shared=False)
    if not customers and not answer.wish:
        return f"nobody is known to write from {answer.sender}"
    return ""


def _address(answer: Answer) -> tuple[str, str]:
    """Kind and key of where it comes from; a provider gives numbers in E.164."""
    kind = KIND_OF[answer.channel]
    return kind, key_of(kind, answer.sender, "")


def _take(
    unit: Unit,
    customer: t.Customer,
    delivery: t.Delivery | None,
    answer: Answer,
) -> bool:
    """False: it is known already."""
    organisation = unit.organisation
    then = unit.at(min(answer.at, unit.now))
    if not _keep(then, customer, delivery, answer):
        return False
    action = unit.session.get_one(t.Action, delivery.action_id) if delivery else None
    kind = "auto_reply" if answer.automatic else "reply"
    words = answer.subject if answer.channel is ActionType.EMAIL else answer.text
    said = f"{answer.sender} {'answered by machine' if answer.automatic else 'wrote back'}"
    note(
        then,
        customer,
        kind,
        f"{said}: {words[:300]}",
        invoice_id=action.invoice_id if action else None,
        action_id=action.id if action else None,
        by=answer.sender[:200],
    )
    if not answer.wish and not answer.automatic:
        today = calendar_of(organisation).today(unit.now)
        until = today + timedelta(days=organisation.reply_hold_days)
        customer.held_until = max(customer.held_until or until, until)
        customer_did(then, customer, Cause.REPLIED, f"{said}: {words[:300]}", action)
    nudge(unit, customer)
    unit.session.flush()
    return True


def _wish(unit: Unit, answer: Answer, delivery: t.Delivery | None, *, shared: bool) -> None:
    """STOP closes the sender's address for the organisation and START opens it. ``shared``: the
    number that was answered is several organisations'. It stops for all of them, because it is one
    sender to whoever answered; START opens only what STOP had closed, because what was agreed with
    one of them does not end by a word to another."""
    then = unit.at(min(answer.at, unit.now))
    kind, key = _address(answer)
    stop = answer.wish == "stop"
    if shared and not stop and not closed_by(unit, kind, key, Source.CALLBACK):
        return
    why = f"{answer.sender} answered STOP" if stop else f"{answer.sender} asked for it"
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
    answer: Answer,
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
        "at": unit.now,
    }
    fresh = unit.session.connection().execute(
        insert(t.Reply).values(values).on_conflict_do_nothing().returning(col(t.Reply.id))
    )
    return fresh.first() is not None


def _named(session: Session, answer: Answer) -> t.Delivery | None:
    """The message whose own address was answered."""
    if not answer.reference:
        return None
    try:
        found = session.get(t.Delivery, uuid.UUID(answer.reference))
    except ValueError:
        return None
    if found is None or answer.organisation_id not in (None, found.organisation_id):
        return None
    return found


def _meant(
    session: Session, answer: Answer, named: t.Delivery | None, now: datetime
) -> list[uuid.UUID]:
    """Whom it can be meant for: on an organisation's own account itself; else who wrote to there,
    or, where nobody did, who knows somebody there. A STOP is for both."""
    if answer.organisation_id is not None:
        return [answer.organisation_id]
    if named is not None:
        return [named.organisation_id]
    messages = _messages(answer, now).with_only_columns(col(t.Delivery.organisation_id))
    wrote = set(session.exec(messages.distinct()))
    if wrote and not answer.wish:
        return sorted(wrote)
    own = select(t.ProviderAccount.organisation_id).where(
        t.ProviderAccount.provider == answer.provider
    )
    known = {c.organisation_id for _, c in people_at(session, *_address(answer))}
    served = session.exec(
        select(t.Organisation.id).where(
            col(t.Organisation.id).in_(known),
            col(t.Organisation.id).not_in(own),
            col(t.Organisation.rehearsal_now).is_(None),
        )
    )
    return sorted({*wrote, *served})


def _messages(answer: Answer, now: datetime) -> Any:
    """The messages to the sender's address, by the account on which it answered."""
    statement = (
        select(t.Delivery)
        .join(t.DeliveryRecipient, col(t.DeliveryRecipient.delivery_id) == t.Delivery.id)
        .join(t.Organisation, col(t.Organisation.id) == t.Delivery.organisation_id)
        .where(
            col(t.DeliveryRecipient.address_key).in_(spellings(answer.sender)),
            t.Delivery.channel == answer.channel.value,
            t.DeliveryRecipient.role == "to",
            col(t.Delivery.claimed_at) > now - _ANSWERS_WITHIN,
        )
    )
    if answer.organisation_id is None:
        statement = statement.where(col(t.Organisation.rehearsal_now).is_(None))
    if answer.account:
        mine = sa.or_(
            col(t.Delivery.account).in_(("", answer.account)),
            col(t.Delivery.signers).contains([answer.signer]),
        )
        statement = statement.where(mine)
    return statement


def _last_message(
    session: Session, answer: Answer, house: uuid.UUID, now: datetime
) -> t.Delivery | None:
    statement = _messages(answer, now).where(t.Delivery.organisation_id == house)
    found: t.Delivery | None = session.exec(
        statement.order_by(col(t.Delivery.claimed_at).desc()).limit(1)
    ).first()
    return found
