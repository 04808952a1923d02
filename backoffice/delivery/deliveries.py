"""Deliveries: claim, settle, and what an outcome means for the action.

planned -> sending -> accepted | rejected | unknown. The claim is committed before the provider is
called; its key is the action's, never a run id; only the holder of the claim may settle it. An
unknown one is looked up on a widening timer until it is found, or a person must say (needs_review).
A callback proves it accepted at any time.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import col, select

from backoffice.delivery.drafts import ADDRESS, delivery_id, postal_lines
from backoffice.people.held_accounts import Via
from backoffice.people.owners import owner_of
from backoffice.worklist.states import BY, end
from dunning.closures import Heard, Source
from dunning.delivery import CLAIM_SECONDS
from dunning.model import ActionStatus
from dunning.plan import ActionType
from dunning.spellings import lower_case
from store import tables as t
from store.closures import KIND_OF, happened, key_of
from store.load import Loaded
from store.timeline import note
from store.unit import Unit

#: When a provider whose answer was lost is asked for the message, after that. Then a person is.
LOOK_UP_AFTER = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60))
#: For how long the same key at a provider that knows keys is surely the same message (Lob: 24 h).
SAME_KEY = timedelta(hours=23)


@dataclass(frozen=True, slots=True)
class Claim:
    """``again``: an earlier attempt under the same key may have left, so that only an acceptance
    settles it: a refusal of this attempt says nothing of that one."""

    delivery_id: uuid.UUID
    token: uuid.UUID
    again: bool = False


def claim(
    unit: Unit,
    loaded: Loaded,
    action: t.Action,
    via: Via,
    message: dict[str, Any],
    content_hash: str,
) -> Claim:
    """Claim the one send of an action (the customer is locked). The deadline is on the real clock,
    because it bounds a call of this very process."""
    key, token, real = delivery_id(action), uuid.uuid4(), datetime.now(UTC)
    kind = action.executed_type or action.type
    row = unit.session.get(t.Delivery, key)
    if row is None:
        row = t.Delivery(
            id=key,
            organisation_id=loaded.organisation.id,
            customer_id=loaded.customer.id,
            action_id=action.id,
            channel=kind,
            provider=via.provider,
            status="sending",
        )
        unit.session.add(row)
    # Another attempt: the step may have another type by now, and its channel another provider.
    row.status, row.channel, row.provider = "sending", kind, via.provider
    row.account, row.signers = via.account, list(via.signers)
    row.claim, row.claimed_at, row.first_claimed_at = (
        token,
        unit.now,
        row.first_claimed_at or unit.now,
    )
    row.deadline = real + timedelta(seconds=CLAIM_SECONDS)
    row.message, row.message_hash, row.error = message, content_hash, ""
    row.sends, row.look_ups = row.sends + 1, 0
    action.status = "sending"
    action.planned_for = action.planned_for or unit.now
    unit.session.flush()
    _address(unit, row)
    return Claim(key, token)


def _address(unit: Unit, row: t.Delivery) -> None:
    """A row for each address, to hold what becomes of the message there."""
    known = recipients_of(unit, row.id)
    wanted = {lower_case(r["address"]): r for r in reversed(row.message.get("recipients", []))}
    for key, gone in known.items():
        if key not in wanted:
            unit.session.delete(gone)
    for key, r in wanted.items():
        if key not in known:
            contact = uuid.UUID(r["contact_id"]) if r["contact_id"] else None
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


def recipients_of(unit: Unit, delivery: uuid.UUID) -> dict[str, t.DeliveryRecipient]:
    """By address, in lower case."""
    rows = unit.session.exec(
        select(t.DeliveryRecipient)
        .where(t.DeliveryRecipient.delivery_id == delivery)
        .order_by(col(t.DeliveryRecipient.role).desc(), col(t.DeliveryRecipient.address_key))
    )
    return {row.address_key: row for row in rows}


def in_flight(unit: Unit, loaded: Loaded) -> t.Delivery | None:
    """The customer's delivery that is on its way or whose outcome nobody knows yet."""
    leaving = [action.id for action in loaded.actions.values() if action.status == "sending"]
    if not leaving:
        return None
    return unit.session.exec(
        select(t.Delivery).where(
            col(t.Delivery.action_id).in_(leaving),
            col(t.Delivery.status).in_(("sending", "unknown")),
        )
    ).first()


def of_action(unit: Unit, action: t.Action) -> t.Delivery | None:
    return unit.session.exec(
        select(t.Delivery).where(t.Delivery.action_id == action.id)
    ).one_or_none()


def is_ours(unit: Unit, row: t.Delivery, provider_id: str) -> bool:
    """Whether a message that a look-up found can be this delivery's, and is not another's."""
    if not provider_id:
        return True
    other = unit.session.exec(
        select(t.Delivery.id).where(
            t.Delivery.provider == row.provider,
            t.Delivery.provider_id == provider_id,
            t.Delivery.id != row.id,
        )
    ).first()
    return other is None


def same_account(row: t.Delivery, via: Via) -> bool:
    """Whether it was handed to this very account: elsewhere the same key is another message."""
    return (row.provider, row.account) == (via.provider, via.account)


def can_be_asked(row: t.Delivery, via: Via) -> bool:
    """Whether this account can tell what became of it. One that was claimed before accounts were
    kept may be asked: what is found is its own by its id or its text."""
    return same_account(row, via) or (row.provider == via.provider and not row.account)


def of_another_account(row: t.Delivery) -> str:
    """The reason to ask a person at once."""
    return (
        f"it was handed to another account at {row.provider} than the one in use now, so nobody "
        "can be asked"
    )


def same_key_holds(row: t.Delivery, at: datetime) -> bool:
    """Whether the provider still knows our key: the same message again has no second effect."""
    return row.first_claimed_at is not None and at < row.first_claimed_at + SAME_KEY


def reclaim(unit: Unit, row: t.Delivery) -> Claim:
    """Claim once more what a holder who is gone claimed, or whose outcome is unknown."""
    row.status, row.claim = "sending", uuid.uuid4()
    row.deadline = datetime.now(UTC) + timedelta(seconds=CLAIM_SECONDS)
    row.sends += 1
    unit.session.flush()
    return Claim(row.id, row.claim, again=True)


def accepted(unit: Unit, customer: t.Customer, claim: Claim, provider_id: str) -> bool:
    """It left: the action is executed. False when the claim is no longer ours; what its holder
    learnt late still holds."""
    row, action = _ours(unit, claim)
    if row is None or action is None:
        if row is not None and row.status == "accepted":  # a callback was quicker than the answer
            row.provider_id = row.provider_id or provider_id
        elif row is not None and row.status in ("unknown", "needs_review", "abandoned"):
            found(unit, customer, row, provider_id, f"a late answer of {row.provider}")
        return False
    _left(unit, customer, row, action, provider_id, "")
    return True


#: What a callback or a look-up can still prove to have left.
PROVABLE = ("sending", "unknown", "needs_review", "abandoned", "planned")


def found(
    unit: Unit,
    customer: t.Customer,
    row: t.Delivery,
    provider_id: str,
    how: str,
) -> bool:
    """The provider has it after all (``how`` it was learnt): nobody is asked any more, and nothing
    is sent again. False when that was known, or it was never handed over."""
    if row.status not in PROVABLE or not row.message:
        return False
    action = unit.session.get_one(t.Action, row.action_id)
    _left(unit, customer, row, action, provider_id, how)
    return True


def _left(
    unit: Unit,
    customer: t.Customer,
    row: t.Delivery,
    action: t.Action,
    provider_id: str,
    how: str,
) -> None:
    given_up = action.status not in ("sending", "needs_review", "planned", "to_do")
    row.status, row.settled_at, row.claim = "accepted", unit.now, None
    row.provider_id = provider_id or row.provider_id
    row.error, row.deadline = "", None
    for recipient in recipients_of(unit, row.id).values():
        recipient.sent_at = recipient.sent_at or row.claimed_at
    invoice = unit.session.get_one(t.Invoice, action.invoice_id)
    names = ", ".join(r["address"].splitlines()[0] for r in row.message.get("recipients", []))
    kind = row.channel
    text = f"'{action.name}' ({kind}) sent to {names} about {invoice.number}"
    if given_up:  # a person has ended it: their word stands, the fact is on record
        text = f"{text}, as {how} says; it was {action.status} before"
        note(unit, customer, "action_left", text,
             invoice_id=invoice.id, action_id=action.id, by=BY)  # fmt: skip
        unit.session.flush()
        return
    action.ended_by = _who(unit, action)
    action.status, action.executed_at, action.ended_at = "done", row.claimed_at, unit.now
    action.executed_type = kind
    if action.cause == "unknown_outcome":
        action.cause, action.reason = None, ""
    note(unit, customer, "action_done", f"{text}, as {how} says" if how else text,
         invoice_id=invoice.id, action_id=action.id, by=action.ended_by)  # fmt: skip
    unit.session.flush()


def rejected(
    unit: Unit,
    customer: t.Customer,
    claim: Claim,
    reason: str,
    *,
    recipient_invalid: bool,
    opted_out: bool = False,
) -> bool:
    """The provider will not send it: the action failed and its owner gets the step (rule 37).

    ``recipient_invalid``: the address is to blame, and marked; of several nobody knows which.
    ``opted_out``: the recipient told the provider to stop; the channel is closed.
    """
    row, action = _ours(unit, claim)
    if row is None or action is None:
        return False
    to = [r for r in row.message.get("recipients", []) if r["role"] == "to"]
    kind = KIND_OF.get(ActionType(row.channel))
    if len(to) == 1:
        address = to[0]["address"]
        if recipient_invalid and to[0]["contact_id"]:
            contact_id = uuid.UUID(to[0]["contact_id"])
            mark_invalid(unit, customer, row.channel, contact_id, address, reason)
        if opted_out and kind is not None:
            why = f"{address} told {row.provider} to stop"
            happened(unit.named(BY), kind,
                     key_of(kind, address, customer.country),
                     Heard(Source.CALLBACK, True, "stop", unit.now, why))  # fmt: skip
    row.status, row.settled_at, row.error = "rejected", unit.now, reason[:1000]
    end(unit.named(BY), action, ActionStatus.FAILED, reason[:500])
    action.cause = "bounced" if recipient_invalid else "rejected"
    text = f"'{action.name}' was refused by {row.provider}: {reason}"
    note(unit, customer, "action_failed", text,
         invoice_id=action.invoice_id, action_id=action.id, by=BY)  # fmt: skip
    return True


def mark_invalid(
    unit: Unit,
    customer: t.Customer,
    channel: str,
    contact_id: uuid.UUID,
    address: str,
    reason: str,
) -> bool:
    """Rule 37: the address is invalid, with the reason; not when it was corrected meanwhile.

    ``address`` is as it was sent to: a number in E.164, which the contact may write otherwise, and
    the lines of a postal address, are those of a contact whose own has not changed since.
    """
    contact = unit.session.get(t.Contact, contact_id)
    kind = ADDRESS[ActionType(channel)]
    if contact is None or getattr(contact, f"{kind}_invalid"):
        return False
    if kind == "email" and lower_case(contact.email) != lower_case(address):
        return False
    if kind == "phone" and digits(contact.phone)[-6:] != digits(address)[-6:]:
        return False
    if kind == "postal" and postal_lines(contact)[1:] != address.splitlines()[1:]:
        return False
    setattr(contact, f"{kind}_invalid", reason[:500])
    text = f"{kind} of {contact.name or contact.external_id} is invalid: {reason}"
    note(unit, customer, "contact_invalid", text, by=BY)
    return True


def unreachable(unit: Unit, customer: t.Customer, action: t.Action, error: Exception) -> bool:
    """A contact's address that the channel cannot use, whatever the message: it is invalid, and the
    account is to be decided again (rule 35). False for another error."""
    contact_id = getattr(error, "contact_id", None)
    address = getattr(error, "address", "")
    channel = action.executed_type or action.type
    if not contact_id:
        return False
    marked = mark_invalid(unit, customer, channel, uuid.UUID(contact_id), address, str(error))
    unit.session.flush()
    return marked


def digits(number: str) -> str:
    return "".join(c for c in number if c.isdigit())


def hand_back(unit: Unit, customer: t.Customer, action: t.Action, reason: str) -> None:
    """What its owner completed cannot be sent as it is: it is theirs again, with the cause."""
    action.requested_at, action.requested_by = None, None
    action.cause, action.reason = "rejected", reason[:500]
    note(unit, customer, "action_to_do", f"'{action.name}' could not be sent: {reason}",
         invoice_id=action.invoice_id, action_id=action.id, by=BY)  # fmt: skip
    unit.session.flush()


def not_sent(unit: Unit, claim: Claim, reason: str) -> bool:
    """It has certainly not left: the action is back where it was before the claim, and the next
    attempt is free to use other words."""
    row, action = _ours(unit, claim)
    if row is None or action is None:
        return False
    row.status, row.error, row.deadline = "planned", reason[:1000], None
    row.sends -= 1
    if row.sends == 0:
        row.first_claimed_at = None
    action.status = "to_do" if action.requested_at is not None else "planned"
    return True


def unknown(
    unit: Unit,
    customer: t.Customer,
    row: t.Delivery,
    reason: str,
    look_up_after: Sequence[timedelta] = LOOK_UP_AFTER,
) -> None:
    """Nobody knows whether it left: never send it again, ask the provider on a widening timer."""
    action = unit.session.get_one(t.Action, row.action_id)
    row.status, row.error, row.claim, row.look_ups = "unknown", reason[:1000], None, 0
    action.status = "sending"
    row.deadline = unit.now + look_up_after[0]
    note(unit, customer, "action_unknown",
         f"'{action.name}': unknown whether it left, the provider is asked: {reason}",
         invoice_id=action.invoice_id, action_id=action.id, by=BY)  # fmt: skip
    unit.session.flush()


def still_unknown(
    unit: Unit,
    customer: t.Customer,
    claim: Claim,
    reason: str,
    look_up_after: Sequence[timedelta] = LOOK_UP_AFTER,
) -> bool:
    """The second attempt under a key did not settle the first: it is looked up on."""
    row, action = _ours(unit, claim)
    if row is None or action is None:
        return False
    row.status, row.claim = "unknown", None
    not_found(unit, customer, row, reason, look_up_after)
    return True


def not_found(
    unit: Unit,
    customer: t.Customer,
    row: t.Delivery,
    answer: str,
    look_up_after: Sequence[timedelta] = LOOK_UP_AFTER,
) -> None:
    """A look-up found nothing, or could not tell (``answer``): the next one, or a person."""
    row.look_ups += 1
    if row.look_ups < len(look_up_after):
        row.deadline = unit.now + look_up_after[row.look_ups] - look_up_after[row.look_ups - 1]
        unit.session.flush()
        return
    why = f"{row.provider} was asked {row.look_ups} times: {answer[:200]}"
    needs_review(unit, customer, row, why)


def needs_review(unit: Unit, customer: t.Customer, row: t.Delivery, why: str) -> None:
    """Nobody but its owner can say whether it left; ``why`` no provider can."""
    action = unit.session.get_one(t.Action, row.action_id)
    row.status, row.deadline, row.claim = "needs_review", None, None
    action.status, action.cause = "needs_review", "unknown_outcome"
    action.shown_at = action.shown_at or unit.now
    action.owner_id = owner_of(unit, customer, action)
    action.reason = f"we do not know whether this left: {row.error[:200]}; {why}"
    note(unit, customer, "action_needs_review",
         f"'{action.name}': {action.reason}",
         invoice_id=action.invoice_id, action_id=action.id, by=BY)  # fmt: skip
    unit.session.flush()


def _who(unit: Unit, action: t.Action) -> str:
    if action.requested_by is None:
        return BY
    return unit.session.get_one(t.Member, action.requested_by).name


def _ours(unit: Unit, claim: Claim) -> tuple[t.Delivery | None, t.Action | None]:
    row = unit.session.get(t.Delivery, claim.delivery_id, populate_existing=True)
    if row is None or row.claim != claim.token or row.status != "sending":
        return row, None
    return row, unit.session.get_one(t.Action, row.action_id)
