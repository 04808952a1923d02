"""Which message a reply answers, and to which organisations it may be addressed."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from addresses.kinds import key_of
from backoffice.ledger.closures import KIND_OF, people_everywhere
from dunning.ids import DeliveryId, OrganisationId
from dunning.learnt import CameIn, Reply
from dunning.spellings import spellings
from store import tables as t
from store.unit import Unit

#: How long after a message a reply from its address may belong to it.
_ANSWERS_WITHIN = timedelta(days=180)


def address_of(reply: Reply, came_in: CameIn) -> tuple[str, str]:
    """Kind and key of the sender's address; a provider gives numbers in E.164."""
    kind = KIND_OF[came_in.channel]
    return kind, key_of(kind, reply.sender, "")


def named(session: Session, reply: Reply, came_in: CameIn) -> t.Delivery | None:
    """The delivery that the reply names; None if it names none, or another organisation's."""
    if not reply.reference:
        return None
    try:
        found = session.get(t.Delivery, DeliveryId(uuid.UUID(reply.reference)))
    except ValueError:
        return None
    if found is None or came_in.organisation_id not in (None, found.organisation_id):
        return None
    return found


def possible_organisations(
    session: Session, reply: Reply, came_in: CameIn, answered: t.Delivery | None, now: datetime
) -> list[OrganisationId]:
    """The organisations to which the reply may be addressed. On an own account: that organisation.
    Else those that wrote to the sender, or, if none did, those with a contact of that address. STOP
    and START are addressed to both groups."""
    if came_in.organisation_id is not None:
        return [came_in.organisation_id]
    if answered is not None:
        return [answered.organisation_id]
    messages = _messages(reply, came_in, now).with_only_columns(col(t.Delivery.organisation_id))
    wrote = set(session.exec(messages.distinct()))
    if wrote and not reply.wish:
        return sorted(wrote)
    own = select(t.ProviderAccount.organisation_id).where(
        t.ProviderAccount.provider == came_in.provider
    )
    known = {c.organisation_id for _, c in people_everywhere(session, *address_of(reply, came_in))}
    served = session.exec(
        select(t.Organisation.id).where(
            col(t.Organisation.id).in_(known),
            col(t.Organisation.id).not_in(own),
            col(t.Organisation.rehearsal_now).is_(None),
        )
    )
    return sorted({*wrote, *served})


def last_message(unit: Unit, reply: Reply, came_in: CameIn) -> t.Delivery | None:
    """The organisation's last message to the sender's address."""
    statement = _messages(reply, came_in, unit.real).where(
        t.Delivery.organisation_id == unit.organisation_id
    )
    found: t.Delivery | None = unit.session.exec(
        statement.order_by(col(t.Delivery.claimed_at).desc()).limit(1)
    ).first()
    return found


def _messages(reply: Reply, came_in: CameIn, now: datetime) -> Any:
    """The messages to the sender's address from the account on which the reply came in."""
    statement = (
        select(t.Delivery)
        .join(t.DeliveryRecipient, col(t.DeliveryRecipient.delivery_id) == t.Delivery.id)
        .join(t.Organisation, col(t.Organisation.id) == t.Delivery.organisation_id)
        .where(
            col(t.DeliveryRecipient.address_key).in_(spellings(reply.sender)),
            t.Delivery.channel == came_in.channel.value,
            t.DeliveryRecipient.role == "to",
            col(t.Delivery.claimed_at) > now - _ANSWERS_WITHIN,
        )
    )
    if came_in.organisation_id is None:
        statement = statement.where(col(t.Organisation.rehearsal_now).is_(None))
    if came_in.account:
        mine = sa.or_(
            col(t.Delivery.account).in_(("", came_in.account)),
            col(t.Delivery.signers).contains([came_in.signer]),
        )
        statement = statement.where(mine)
    return statement
