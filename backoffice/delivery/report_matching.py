"""Which delivery a report is about."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import load_only
from sqlmodel import Session, col, select

from dunning.delivery_status import DeliveryStatus
from dunning.ids import DeliveryId
from dunning.learnt import CameIn, Report
from dunning.spellings import spellings
from store import tables as t

#: How long after a message a report that does not name its delivery may be about it.
_BOUNCES_WITHIN = timedelta(days=5)


def delivery_of(
    session: Session, report: Report, came_in: CameIn, now: datetime
) -> t.Delivery | None:
    """The delivery that a report is about, sent by the account on which the report came in; None if
    no delivery, or more than one, matches. ``now`` is the real time (UTC)."""
    if report.delivery_id:
        try:
            named = col(t.Delivery.id) == DeliveryId(uuid.UUID(report.delivery_id))
        except ValueError:
            return None
        return _only(session, came_in, named)
    if report.provider_id:
        named = col(t.Delivery.provider_id) == report.provider_id
        found = _only(session, came_in, named)
        if found is not None:
            return found
    return _by_address(session, report.address, came_in, now) if report.address else None


def _only(session: Session, came_in: CameIn, named: sa.ColumnElement[bool]) -> t.Delivery | None:
    rows = session.exec(_reportable(came_in).where(named).limit(20))
    found = [row for row in rows if _same_account(row, came_in)]
    return found[0] if len(found) == 1 else None


def _reportable(came_in: CameIn) -> Any:
    """Deliveries that this account may report on: an own account only on its organisation's."""
    statement = select(t.Delivery)
    if came_in.provider:
        statement = statement.where(t.Delivery.provider == came_in.provider)
    if came_in.organisation_id is not None:
        statement = statement.where(t.Delivery.organisation_id == came_in.organisation_id)
    return statement


def _same_account(row: Any, came_in: CameIn) -> bool:
    """Whether the report came in on the account that sent the delivery. If the provider gives no
    account id, a replaced API key looks like another account. Then the key that signed the report
    must be among those that signed for the account when the delivery left."""
    known = row.account and came_in.account
    return not known or row.account == came_in.account or came_in.signer in row.signers


def _by_address(
    session: Session, address: str, came_in: CameIn, now: datetime
) -> t.Delivery | None:
    """An asynchronous bounce may name only the address: the last delivery to it within
    _BOUNCES_WITHIN; None if several customers have deliveries there."""
    statement = (
        _reportable(came_in)
        .join(t.DeliveryRecipient, col(t.DeliveryRecipient.delivery_id) == t.Delivery.id)
        .where(
            col(t.DeliveryRecipient.address_key).in_(spellings(address)),
            t.Delivery.status == DeliveryStatus.ACCEPTED,
            col(t.Delivery.claimed_at) > now - _BOUNCES_WITHIN,
        )
        .order_by(col(t.Delivery.claimed_at).desc())
        .options(load_only(t.Delivery.customer_id, t.Delivery.account, t.Delivery.signers))  # type: ignore[arg-type]
    )
    rows = [row for row in session.exec(statement) if _same_account(row, came_in)]
    return rows[0] if len({row.customer_id for row in rows}) == 1 else None
