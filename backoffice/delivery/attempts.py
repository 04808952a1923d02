"""One attempt to send: decide again at this instant (rule 36), claim, and record the outcome.

The caller holds the customer's lock, commits the claim before it calls the provider, and calls it
once. After the call it may only record the outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from backoffice.delivery.claim import (
    Claim,
    claim,
    held_by,
    reclaim,
    same_account,
    same_key_holds,
)
from backoffice.delivery.deliveries import Case, case_of, in_flight, of_action
from backoffice.delivery.drafts import NotVerified
from backoffice.delivery.held import Call, learn, turn
from backoffice.delivery.invalid import unreachable
from backoffice.delivery.outgoing import Outgoing, via
from backoffice.delivery.settle import accepted, not_sent, rejected
from backoffice.delivery.states import is_unknown
from backoffice.delivery.unknown import (
    can_be_asked,
    needs_review,
    of_another_account,
    still_unknown,
    unknown,
)
from backoffice.delivery.wording import Kept, new_message, stored_message
from backoffice.worklist.decisions import action_to_send
from backoffice.worklist.states import BY, note_about
from dunning.decide import decide
from dunning.model import Cause
from dunning.plan import ActionType
from dunning.recheck import still_due
from messages.message import BadAddress, BadMessage, Message
from messages.template import TemplateError
from providers.port import Accepted, Channel, NotSent, Rejected, Result
from store import tables as t
from store.errors import Invalid
from store.load import Loaded
from store.unit import Unit


@dataclass(frozen=True, slots=True)
class Attempt:
    """A claimed message: ``channel`` must be called with it, once."""

    claim: Claim
    channel: Channel
    message: Message
    call: Call


@dataclass(frozen=True, slots=True)
class NotNow:
    """The message has certainly not left; it is tried again after ``wait``. ``reason`` is in our
    own words and names no person, because Temporal stores it."""

    reason: str
    wait: timedelta | None


def begin(
    unit: Unit, loaded: Loaded, kind: ActionType, outgoing: Outgoing
) -> Attempt | NotNow | None:
    """Claims the message that is due on this channel. None: nothing is due; decide again."""
    row = in_flight(unit, loaded)
    if row is not None:
        return _take_over(unit, loaded, row, outgoing)
    decision = decide(loaded.account, unit.now)
    if decision.send_on is not kind:
        return None
    action = action_to_send(unit, loaded, decision)
    channel = outgoing.channel(unit, kind)
    try:
        message, kept = _message(unit, loaded, action, channel, outgoing.public_url)
    except (BadMessage, TemplateError, NotVerified, Invalid) as error:
        _cannot_be_sent(unit, loaded, action, channel, error)
        return None
    call = turn(unit, loaded, channel, outgoing)
    if isinstance(call, timedelta):
        return NotNow(f"{channel.name} is held", call)
    return Attempt(claim(unit, loaded, action, via(channel), kept), channel, message, call)


def _message(
    unit: Unit, loaded: Loaded, action: t.Action, channel: Channel, public_url: str
) -> tuple[Message, Kept]:
    """Idempotent provider, key younger than 23 h: resend the stored message unchanged. Else render
    it."""
    row = of_action(unit, action)
    if row is not None and _same_again(unit, row, channel):
        return stored_message(unit, row)
    return new_message(unit, loaded, action, public_url)


def _same_again(unit: Unit, row: t.Delivery, channel: Channel) -> bool:
    """Whether the provider would treat this attempt and the one before as one message."""
    same = same_account(row, via(channel)) and row.channel == channel.type
    return same and channel.idempotent and bool(row.message) and same_key_holds(row, unit.now)


def _cannot_be_sent(
    unit: Unit, loaded: Loaded, action: t.Action, channel: Channel, error: Exception
) -> None:
    """Gives a manual action back to its owner, with the cause. For another action the address is
    marked invalid if it is the reason (rule 35); else the action failed."""
    customer, reason = loaded.customer, str(error)
    if action.requested_at is not None:
        action.requested_at, action.requested_by = None, None
        action.cause, action.reason = Cause.REJECTED, reason[:500]
        text = f"'{action.name}' could not be sent: {reason}"
        note_about(unit.named(BY), customer, action, "action_to_do", text)
        unit.session.flush()
    elif not (isinstance(error, BadAddress) and unreachable(unit, customer, action, error)):
        claimed = claim(unit, loaded, action, via(channel), Kept())
        rejected(unit, customer, claimed, Rejected(reason, "message", asked=False))


def _take_over(
    unit: Unit, loaded: Loaded, row: t.Delivery, outgoing: Outgoing
) -> Attempt | NotNow | None:
    """Another attempt has claimed the message and not settled it: either it is still calling, or
    its process ended and the claim is orphaned."""
    if is_unknown(row):  # looked up instead of sent
        return None
    left = row.deadline - datetime.now(UTC) if row.deadline else timedelta(0)
    if left > timedelta(0):
        wait = left + timedelta(seconds=1)
        return NotNow("another attempt is still calling the provider", wait)
    attempted = again(unit, loaded, row, outgoing)
    if isinstance(attempted, timedelta):
        return NotNow(f"{row.provider} is held", attempted)
    if attempted is None:
        case = case_of(unit, loaded.customer, row)
        reason = f"the program ended while {row.provider} was being called"
        unknown(unit, case, reason, outgoing.look_up_after)
        askable(unit, case, outgoing)
    return attempted


def again(
    unit: Unit, loaded: Loaded, row: t.Delivery, outgoing: Outgoing
) -> Attempt | timedelta | None:
    """The stored message again, under the same key: if the provider would treat both as one
    message, and if it would still be sent now (rule 36). If the account is held, how long to wait;
    None if it must not be sent again."""
    channel = outgoing.channel(unit, ActionType(row.channel))
    if not _same_again(unit, row, channel):
        return None
    if not still_due(loaded.account, str(row.action_id), unit.now):
        return None
    call = turn(unit, loaded, channel, outgoing)
    if isinstance(call, timedelta):
        return call
    message, _ = stored_message(unit, row)
    return Attempt(reclaim(unit, row), channel, message, call)


def askable(unit: Unit, case: Case, outgoing: Outgoing) -> Channel | None:
    """The channel whose account can say what became of the message. If that account is no longer in
    use, its owner is asked instead."""
    channel = outgoing.channel(unit, ActionType(case.row.channel))
    if can_be_asked(case.row, via(channel)):
        return channel
    needs_review(unit, case, of_another_account(case.row))
    return None


def record(
    unit: Unit, customer: t.Customer, attempt: Attempt, result: Result, outgoing: Outgoing
) -> NotNow | None:
    """Records the outcome of an attempt. NotNow if the send is to be tried again.

    On a retry under the same key only Accepted settles; anything else stays unknown.
    """
    claimed, channel = attempt.claim, attempt.channel
    held = learn(unit, attempt.call, channel, customer.id, result, outgoing)
    if isinstance(result, Accepted):
        accepted(unit, customer, claimed, result.provider_id)
    elif claimed.again:
        case = held_by(unit, customer, claimed)
        if case is not None:
            still_unknown(unit, case, result.reason, outgoing.look_up_after)
    elif isinstance(result, Rejected):
        rejected(unit, customer, claimed, result)
    elif isinstance(result, NotSent):
        not_sent(unit, customer, claimed, result.reason)
        return _not_now(attempt, held or result.retry_after, held=result.holds_channel)
    else:
        case = held_by(unit, customer, claimed)
        if case is not None:
            unknown(unit, case, result.reason, outgoing.look_up_after)
    unit.session.flush()
    return None


def _not_now(attempt: Attempt, wait: timedelta | None, *, held: bool) -> NotNow:
    """The provider's words may quote an address, so they stay in our own database."""
    what = "refuses our account" if held else "has not taken the message"
    where = f"the reason is the error of delivery {attempt.claim.delivery_id}"
    return NotNow(f"{attempt.channel.name} {what}: it stays, and is tried again; {where}", wait)
