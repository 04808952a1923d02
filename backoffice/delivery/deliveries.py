"""The delivery of an action: its id, queries for it, and its related rows."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlmodel import Session, col, select

from backoffice.worklist.states import BY, note_about
from dunning.delivery_status import DeliveryStatus
from dunning.ids import DeliveryId, OrganisationId
from dunning.model import ActionStatus
from store import tables as t
from store.load import Loaded
from store.unit import Unit


def delivery_id(action: t.Action) -> DeliveryId:
    """The id of an action's only delivery, and its idempotency key at the provider."""
    return DeliveryId(uuid.uuid5(action.id, "delivery"))


@dataclass(frozen=True, slots=True)
class Case:
    """A delivery with its locked customer and its action."""

    customer: t.Customer
    row: t.Delivery
    action: t.Action


def case_of(unit: Unit, customer: t.Customer, row: t.Delivery) -> Case:
    return Case(customer, row, unit.session.get_one(t.Action, row.action_id))


def tell(unit: Unit, case: Case, kind: str, text: str, by: str = BY) -> None:
    """Appends to the timeline of the action."""
    note_about(unit.named(by), case.customer, case.action, kind, text)


def of_action(unit: Unit, action: t.Action) -> t.Delivery | None:
    return unit.session.exec(
        select(t.Delivery).where(t.Delivery.action_id == action.id)
    ).one_or_none()


def in_flight(unit: Unit, loaded: Loaded) -> t.Delivery | None:
    """The customer's delivery that is being sent or is unknown."""
    leaving = [
        action.id for action in loaded.actions.values() if action.status == ActionStatus.SENDING
    ]
    if not leaving:
        return None
    return unit.session.exec(
        select(t.Delivery).where(
            col(t.Delivery.action_id).in_(leaving),
            col(t.Delivery.status).in_((DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN)),
        )
    ).first()


def recipients_of(unit: Unit, delivery: DeliveryId) -> dict[str, t.DeliveryRecipient]:
    """By address, in lower case."""
    rows = unit.session.exec(
        select(t.DeliveryRecipient)
        .where(t.DeliveryRecipient.delivery_id == delivery)
        .order_by(col(t.DeliveryRecipient.role).desc(), col(t.DeliveryRecipient.address_key))
    )
    return {row.address_key: row for row in rows}


def organisation_of(session: Session, key: str) -> OrganisationId | None:
    """The organisation of a delivery; None if there is no delivery with this id."""
    try:
        row = session.get(t.Delivery, DeliveryId(uuid.UUID(key)))
    except ValueError:
        return None
    return row.organisation_id if row is not None else None
