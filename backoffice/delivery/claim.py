"""The claim of a delivery: at most one call of the provider at a time.

The claim is committed before the provider is called, and only its holder may settle it. The
idempotency key is the delivery's id, the same for every attempt.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from backoffice.delivery.deliveries import Case, case_of, delivery_id, recipients_of
from backoffice.delivery.states import is_sending, move
from backoffice.delivery.wording import Kept
from backoffice.people.held_accounts import Via
from dunning.delivery import CLAIM_SECONDS
from dunning.delivery_status import DeliveryStatus
from dunning.ids import ContactId, DeliveryId
from dunning.model import ActionStatus
from dunning.spellings import lower_case
from store import tables as t
from store.load import Loaded
from store.unit import Unit

#: How long a provider with idempotency keys reliably knows a key (Lob: 24 h).
SAME_KEY = timedelta(hours=23)


@dataclass(frozen=True, slots=True)
class Claim:
    """``again``: an earlier attempt under the same key may have left. Then only Accepted settles
    the delivery; anything else stays unknown."""

    delivery_id: DeliveryId
    token: uuid.UUID
    again: bool = False


def claim(unit: Unit, loaded: Loaded, action: t.Action, via: Via, kept: Kept) -> Claim:
    """Claims the one send of an action. The customer is locked."""
    key, token, kind = delivery_id(action), uuid.uuid4(), action.executed_type or action.type
    row = unit.session.get(t.Delivery, key)
    if row is None:
        row = t.Delivery(
            id=key,
            organisation_id=loaded.organisation.id,
            customer_id=loaded.customer.id,
            action_id=action.id,
            channel=kind,
            provider=via.provider,
        )
        unit.session.add(row)
    move(row, DeliveryStatus.SENDING, unit.now, claim=token, deadline=_deadline())
    # A later attempt: the step may have another type now, and its channel another provider.
    row.channel, row.provider = kind, via.provider
    row.account, row.signers = via.account, list(via.signers)
    row.claimed_at, row.first_claimed_at = unit.now, row.first_claimed_at or unit.now
    row.message, row.message_hash, row.error = kept.frozen, kept.content_hash, ""
    row.sends, row.look_ups = row.sends + 1, 0
    action.status = ActionStatus.SENDING
    action.planned_for = action.planned_for or unit.now
    unit.session.flush()
    _keep_recipients(unit, row)
    return Claim(key, token)


def reclaim(unit: Unit, row: t.Delivery) -> Claim:
    """Claims an orphaned claim or an unknown delivery again, under the same key."""
    token = uuid.uuid4()
    move(row, DeliveryStatus.SENDING, unit.now, claim=token, deadline=_deadline())
    row.sends += 1
    unit.session.flush()
    return Claim(row.id, token, again=True)


def held_by(unit: Unit, customer: t.Customer, claim: Claim) -> Case | None:
    """The delivery that this claim may settle; None if another attempt or callback was first."""
    row = unit.session.get(t.Delivery, claim.delivery_id, populate_existing=True)
    if row is None or row.claim != claim.token or not is_sending(row):
        return None
    return case_of(unit, customer, row)


def same_account(row: t.Delivery, via: Via) -> bool:
    """Whether the delivery was handed to this account. At another account the same key makes
    another message."""
    return (row.provider, row.account) == (via.provider, via.account)


def same_key_holds(row: t.Delivery, at: datetime) -> bool:
    """Whether the provider still knows our key: then a second send has no effect."""
    return row.first_claimed_at is not None and at < row.first_claimed_at + SAME_KEY


def _deadline() -> datetime:
    """In real time, because it bounds a call of this process."""
    return datetime.now(UTC) + timedelta(seconds=CLAIM_SECONDS)


def _keep_recipients(unit: Unit, row: t.Delivery) -> None:
    """One row for each address, for what becomes of the message there."""
    known = recipients_of(unit, row.id)
    wanted = {lower_case(r["address"]): r for r in reversed(row.message.get("recipients", []))}
    for key, gone in known.items():
        if key not in wanted:
            unit.session.delete(gone)
    for key, r in wanted.items():
        if key not in known:
            contact = ContactId(uuid.UUID(r["contact_id"])) if r["contact_id"] else None
            unit.session.add(
                t.DeliveryRecipient(
                    delivery_id=row.id,
                    address_key=key,
                    address=r["address"],
                    role=r["role"],
                    name=r["name"],
                    contact_id=contact,
                )
            )
    unit.session.flush()
