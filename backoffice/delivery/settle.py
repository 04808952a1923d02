"""What the outcome of a call means for the delivery and its action."""

from __future__ import annotations

import uuid

from addresses.kinds import key_of
from backoffice.delivery.claim import Claim, held_by
from backoffice.delivery.deliveries import Case, case_of, recipients_of, tell
from backoffice.delivery.invalid import mark_invalid
from backoffice.delivery.states import move
from backoffice.ledger.closures import KIND_OF, happened
from backoffice.worklist.states import BY, end
from dunning.closures import Heard, Source
from dunning.delivery_status import TRANSITIONS, DeliveryStatus
from dunning.ids import ContactId
from dunning.model import OPEN_STATUSES, ActionStatus, Cause
from dunning.plan import ActionType
from providers.port import Rejected
from store import tables as t
from store.unit import Unit

#: In these states an accepted message makes the action done. In any other state a person has ended
#: the action: that stays, and the timeline says what was learnt.
_OPEN = (*OPEN_STATUSES, ActionStatus.PLANNED)


def accepted(unit: Unit, customer: t.Customer, claim: Claim, provider_id: str) -> bool:
    """The message left: the action is done. If the claim is no longer ours it returns False, but
    still records what its late answer proves."""
    case = held_by(unit, customer, claim)
    if case is not None:
        _left(unit, case, provider_id, "")
        return True
    row = unit.session.get(t.Delivery, claim.delivery_id)
    if row is None:
        return False
    if row.status == DeliveryStatus.ACCEPTED:  # a callback was quicker than the answer
        row.provider_id = row.provider_id or provider_id
    elif row.status in _LATE:
        found(unit, case_of(unit, customer, row), provider_id, f"a late answer of {row.provider}")
    return False


#: States that a late answer, to a claim no longer held, can still settle.
_LATE = (DeliveryStatus.UNKNOWN, DeliveryStatus.NEEDS_REVIEW, DeliveryStatus.ABANDONED)


def found(unit: Unit, case: Case, provider_id: str, how: str) -> bool:
    """A report, a look-up or a late answer (``how``) proves that the provider has the message: the
    action is done. False if that was known, or the message was never handed over."""
    status = DeliveryStatus(case.row.status)
    if DeliveryStatus.ACCEPTED not in TRANSITIONS[status] or not case.row.message:
        return False
    _left(unit, case, provider_id, how)
    return True


def _left(unit: Unit, case: Case, provider_id: str, how: str) -> None:
    row, action = case.row, case.action
    move(row, DeliveryStatus.ACCEPTED, unit.now)
    row.provider_id, row.error = provider_id or row.provider_id, ""
    for recipient in recipients_of(unit, row.id).values():
        recipient.sent_at = recipient.sent_at or row.claimed_at
    invoice = unit.session.get_one(t.Invoice, action.invoice_id)
    names = ", ".join(r["address"].splitlines()[0] for r in row.message.get("recipients", []))
    text = f"'{action.name}' ({row.channel}) sent to {names} about {invoice.number}"
    text += f", as {how} says" if how else ""
    if action.status not in _OPEN:
        tell(unit, case, "action_left", f"{text}; it was {action.status} before")
    else:
        who = _who(unit, action)
        action.executed_type = row.channel
        end(unit.named(who), action, ActionStatus.DONE, executed_at=row.claimed_at)
        if action.cause == Cause.UNKNOWN_OUTCOME:
            action.cause, action.reason = None, ""
        tell(unit, case, "action_done", text, by=who)
    unit.session.flush()


def rejected(unit: Unit, customer: t.Customer, claim: Claim, refusal: Rejected) -> bool:
    """The provider will not send it: the action failed, and its owner gets the step (rule 37). A
    wrong address is marked invalid, unless the message has several: then it is not known which. If
    the recipient told the provider to stop, the address is closed. False if the claim is no longer
    ours."""
    case = held_by(unit, customer, claim)
    if case is None:
        return False
    row, action, reason = case.row, case.action, refusal.reason
    to = [r for r in row.message.get("recipients", []) if r["role"] == "to"]
    if len(to) == 1 and refusal.recipient_invalid and to[0]["contact_id"]:
        contact_id = ContactId(uuid.UUID(to[0]["contact_id"]))
        mark_invalid(unit, customer, row.channel, contact_id, to[0]["address"], reason)
    if len(to) == 1 and refusal.opted_out:
        _closed(unit, case, to[0]["address"])
    move(row, DeliveryStatus.REJECTED, unit.now)
    row.error = reason[:1000]
    end(unit.named(BY), action, ActionStatus.FAILED, reason[:500])
    action.cause = Cause.BOUNCED if refusal.recipient_invalid else Cause.REJECTED
    tell(unit, case, "action_failed", f"'{action.name}' was refused by {row.provider}: {reason}")
    return True


def _closed(unit: Unit, case: Case, address: str) -> None:
    kind = KIND_OF.get(ActionType(case.row.channel))
    if kind is not None:
        why = f"{address} told {case.row.provider} to stop"
        word = Heard(Source.CALLBACK, True, "stop", unit.now, why)
        happened(unit.named(BY), kind, key_of(kind, address, case.customer.country), word)


def not_sent(unit: Unit, customer: t.Customer, claim: Claim, reason: str) -> bool:
    """The message has certainly not left: the action is as it was before the claim, and the next
    attempt may use other texts. False if the claim is no longer ours."""
    case = held_by(unit, customer, claim)
    if case is None:
        return False
    row, action = case.row, case.action
    move(row, DeliveryStatus.PLANNED, unit.now)
    row.error = reason[:1000]
    row.sends -= 1
    if row.sends == 0:
        row.first_claimed_at = None
    requested = action.requested_at is not None
    action.status = ActionStatus.TO_DO if requested else ActionStatus.PLANNED
    return True


def _who(unit: Unit, action: t.Action) -> str:
    if action.requested_by is None:
        return BY
    return unit.session.get_one(t.Member, action.requested_by).name
