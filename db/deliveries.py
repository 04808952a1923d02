"""Deliveries: claim, settle, and what an outcome means for the action.

planned -> sending -> accepted | rejected | unknown. The claim is committed before the provider is
called; its key is the action's, never a run id; only the holder of the claim may settle it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session

from db import tables as t
from db.accounts import Loaded, plan_of
from db.decisions import BY, end
from db.drafts import ADDRESS, delivery_id
from db.members import owner_for
from db.timeline import note
from dunning.plan import ActionType

#: A provider call has ended by then: calls time out after ten seconds. Then the claim is unknown.
CLAIM_SECONDS = 25


@dataclass(frozen=True, slots=True)
class Claim:
    delivery_id: uuid.UUID
    token: uuid.UUID


def claim(
    session: Session,
    loaded: Loaded,
    action: t.Action,
    provider: str,
    message: dict[str, Any],
    content_hash: str,
    at: datetime,
) -> Claim:
    """Claim the one send of an action (the customer is locked). The deadline is on the real clock,
    because it bounds a call of this very process."""
    key, token, real = delivery_id(action), uuid.uuid4(), datetime.now(UTC)
    row = session.get(t.Delivery, key)
    if row is None:
        row = t.Delivery(
            id=key,
            organisation_id=loaded.organisation.id,
            customer_id=loaded.customer.id,
            action_id=action.id,
            channel=action.executed_type or action.type,
            provider=provider,
            status="planned",
        )
        session.add(row)
    row.status, row.provider = "sending", provider
    row.claim, row.claimed_at = token, at
    row.deadline = real + timedelta(seconds=CLAIM_SECONDS)
    row.message, row.message_hash, row.error = message, content_hash, ""
    action.status = "sending"
    action.planned_for = action.planned_for or at
    session.flush()
    return Claim(key, token)


def reclaim(session: Session, row: t.Delivery) -> Claim | None:
    """Take over a claim whose holder is gone; None while it may still be calling the provider."""
    real = datetime.now(UTC)
    if row.deadline is not None and real < row.deadline:
        return None
    row.claim = uuid.uuid4()
    row.deadline = real + timedelta(seconds=CLAIM_SECONDS)
    session.flush()
    return Claim(row.id, row.claim)


def accepted(
    session: Session, customer: t.Customer, claim: Claim, provider_id: str, at: datetime
) -> bool:
    """It left: the action is executed. False when the claim is no longer ours."""
    row, action = _ours(session, claim)
    if row is None or action is None:
        return False
    row.status, row.settled_at, row.provider_id = "accepted", at, provider_id
    action.status, action.executed_at, action.ended_at = "done", row.claimed_at, at
    action.executed_type = action.executed_type or action.type
    action.ended_by = _who(session, action)
    invoice = session.get_one(t.Invoice, action.invoice_id)
    names = ", ".join(r["address"].splitlines()[0] for r in row.message.get("recipients", []))
    text = f"'{action.name}' ({action.executed_type}) sent to {names} about {invoice.number}"
    note(session, customer, at, "action_done", text,
         invoice_id=invoice.id, action_id=action.id, by=action.ended_by)  # fmt: skip
    return True


def rejected(
    session: Session,
    customer: t.Customer,
    claim: Claim,
    reason: str,
    at: datetime,
    *,
    recipient_invalid: bool,
) -> bool:
    """The provider will not send it: the action failed and its owner gets the step (rule 37).

    ``recipient_invalid``: the address is to blame, and marked; of several nobody knows which.
    """
    row, action = _ours(session, claim)
    if row is None or action is None:
        return False
    if recipient_invalid:
        _mark_invalid(session, customer, row, reason, at)
    row.status, row.settled_at, row.error = "rejected", at, reason[:1000]
    end(action, "failed", reason[:500], at, BY)
    action.cause = "bounced" if recipient_invalid else "rejected"
    text = f"'{action.name}' was refused by {row.provider}: {reason}"
    note(session, customer, at, "action_failed", text,
         invoice_id=action.invoice_id, action_id=action.id, by=BY)  # fmt: skip
    return True


def _mark_invalid(
    session: Session, customer: t.Customer, row: t.Delivery, reason: str, at: datetime
) -> None:
    to = [r for r in row.message.get("recipients", []) if r["role"] == "to"]
    if len(to) != 1 or not to[0]["contact_id"]:
        return
    contact = session.get(t.Contact, uuid.UUID(to[0]["contact_id"]))
    address = ADDRESS[ActionType(row.channel)]
    stands = address == "postal" or getattr(contact, address, "") == to[0]["address"]
    if contact is not None and stands:
        setattr(contact, f"{address}_invalid", reason[:500])
        text = f"{address} of {contact.name or contact.external_id} is invalid: {reason}"
        note(session, customer, at, "contact_invalid", text, by=BY)


def hand_back(
    session: Session, customer: t.Customer, action: t.Action, reason: str, at: datetime
) -> None:
    """What its owner completed cannot be sent as it is: it is theirs again, with the cause."""
    action.requested_at, action.requested_by = None, None
    action.cause, action.reason = "rejected", reason[:500]
    note(session, customer, at, "action_to_do", f"'{action.name}' could not be sent: {reason}",
         invoice_id=action.invoice_id, action_id=action.id, by=BY)  # fmt: skip
    session.flush()


def not_sent(session: Session, claim: Claim, reason: str) -> bool:
    """It has certainly not left: the action is back where it was before the claim."""
    row, action = _ours(session, claim)
    if row is None or action is None:
        return False
    row.status, row.error, row.deadline = "planned", reason[:1000], None
    action.status = "to_do" if action.requested_at is not None else "planned"
    return True


def unknown(
    session: Session, customer: t.Customer, row: t.Delivery, reason: str, at: datetime
) -> None:
    """Nobody knows whether it left: never send again, a person must say."""
    action = session.get_one(t.Action, row.action_id)
    row.status, row.error, row.settled_at, row.claim = "unknown", reason[:1000], at, None
    action.status, action.cause = "needs_review", "unknown_outcome"
    action.shown_at = action.shown_at or at
    if action.owner_id is None:
        action.owner_id = _owner(session, customer, action)
    action.reason = f"we do not know whether this left: {reason[:300]}"
    note(session, customer, at, "action_needs_review",
         f"'{action.name}': {action.reason}",
         invoice_id=action.invoice_id, action_id=action.id, by=BY)  # fmt: skip


def _owner(session: Session, customer: t.Customer, action: t.Action) -> uuid.UUID | None:
    """Whose step it is (rule 33): an automatic action has no owner before it needs one."""
    version = session.get(t.PlanVersion, action.plan_version_id)
    step = plan_of(version).find(action.step_key) if version else None
    owner = owner_for(session, customer, step.owner if step else "assigned")
    return owner.id if owner else None


def _who(session: Session, action: t.Action) -> str:
    if action.requested_by is None:
        return BY
    return session.get_one(t.Member, action.requested_by).name


def _ours(session: Session, claim: Claim) -> tuple[t.Delivery | None, t.Action | None]:
    row = session.get(t.Delivery, claim.delivery_id, populate_existing=True)
    if row is None or row.claim != claim.token or row.status != "sending":
        return None, None
    return row, session.get_one(t.Action, row.action_id)
