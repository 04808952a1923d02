"""What a provider reports about a delivery, and what that means (rules 35 and 37).

Facts are kept for each address with the time they first held; the same report twice, or two in any
order, leave the same. Only what is new is told on the timeline and has consequences.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import load_only
from sqlmodel import Session, col, select

from backoffice.delivery import deliveries as d
from backoffice.worklist.states import BY, end
from backoffice.worklist.tasks import customer_did
from dunning.closures import Heard, Source
from dunning.delivery import (
    ADDRESS_IS_WRONG,
    PROVES_ACCEPTED,
    DeliveryFact,
    DeliveryFacts,
    absorb,
    verdict,
)
from dunning.learnt import CameIn, Report
from dunning.model import ActionStatus, Cause
from dunning.plan import ActionType
from dunning.spellings import spellings
from store import tables as t
from store.closures import KIND_OF, happened, key_of
from store.locks import CustomerLocked, lock_customer
from store.nudges import nudge
from store.timeline import note
from store.unit import Unit

#: How long after it was sent a report that does not name its delivery may still be about it.
_BOUNCES_WITHIN = timedelta(days=5)
_FIELDS = tuple(DeliveryFacts.__dataclass_fields__)


def apply(
    session: Session,
    report: Report,
    came_in: CameIn,
    now: datetime,
    held: dict[uuid.UUID, CustomerLocked] | None = None,
) -> bool:
    """Take in one report, under the customer's lock. ``held``: customers whom others hold, so that
    nobody waits for them again. False: no delivery is known to be meant."""
    row = _delivery(session, report, came_in, now)
    if row is None:
        return False
    unit = Unit(session, row.organisation_id, now)
    unit.progress.held_by_others = held if held is not None else {}
    customer = lock_customer(unit, row.customer_id)
    session.refresh(row)
    unit = unit.at(min(report.at, unit.now))
    action = session.get_one(t.Action, row.action_id)
    changed = _proves_accepted(report) and d.found(
        unit, customer, row, report.provider_id, f"a report of {row.provider}"
    )
    if report.tracking_number and report.tracking_number != row.tracking_number:
        row.tracking_number = report.tracking_number
        text = f"'{action.name}': tracking number {row.tracking_number}"
        _tell(unit, customer, action, "letter_tracking", text)
    if report.fact is DeliveryFact.NOTED and report.reason:
        _note_once(unit, customer, action, report.reason)
    recipients = d.recipients_of(unit, row.id)
    named = [recipients.get(key) for key in spellings(report.address)]
    meant = named if report.address else list(recipients.values())
    fresh = [r for r in meant if r is not None and _absorb(r, report, unit.now)]
    for recipient in fresh:
        _consequence(unit, customer, row, action, recipient, report)
    if report.fact in _WISHES:
        for recipient in filter(None, meant):
            _wish(unit, customer, row, action, recipient, report)
    if fresh and report.fact not in (DeliveryFact.SENT, DeliveryFact.RECEIVED, DeliveryFact.OPENED):
        changed |= _judge(unit, customer, row, action, list(recipients.values()))
    if changed or (fresh and report.fact in ADDRESS_IS_WRONG):
        nudge(unit, customer)
    session.flush()
    return True


def _proves_accepted(report: Report) -> bool:
    noted = report.fact is DeliveryFact.NOTED and report.provider_id != ""
    return noted or report.fact in PROVES_ACCEPTED


def _delivery(
    session: Session, report: Report, came_in: CameIn, now: datetime
) -> t.Delivery | None:
    """The delivery that is meant: of the account the report came in on, and no other can be."""
    if report.delivery_id:
        try:
            named = col(t.Delivery.id) == uuid.UUID(report.delivery_id)
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
    rows = session.exec(_of_whom(came_in).where(named).limit(20))
    found = [row for row in rows if _of_its_account(row, came_in)]
    return found[0] if len(found) == 1 else None


def _of_whom(came_in: CameIn) -> Any:
    """An organisation's own account reports on its own deliveries alone."""
    statement = select(t.Delivery)
    if came_in.provider:
        statement = statement.where(t.Delivery.provider == came_in.provider)
    if came_in.organisation_id is not None:
        statement = statement.where(t.Delivery.organisation_id == came_in.organisation_id)
    return statement


def _of_its_account(row: Any, came_in: CameIn) -> bool:
    """Whether it came in on the account that the delivery left by. A replaced API key looks like
    another account where the provider gives no id of one: then the key that signed the report is
    among those that signed for the account when the delivery left."""
    known = row.account and came_in.account
    return not known or row.account == came_in.account or came_in.signer in row.signers


def _by_address(
    session: Session, address: str, came_in: CameIn, now: datetime
) -> t.Delivery | None:
    """An asynchronous bounce may name nothing but the address: the last delivery to it lately, and
    none where several customers were written to there, because nobody knows whose it is."""
    statement = (
        _of_whom(came_in)
        .join(t.DeliveryRecipient, col(t.DeliveryRecipient.delivery_id) == t.Delivery.id)
        .where(
            col(t.DeliveryRecipient.address_key).in_(spellings(address)),
            t.Delivery.status == "accepted",
            col(t.Delivery.claimed_at) > now - _BOUNCES_WITHIN,
        )
        .order_by(col(t.Delivery.claimed_at).desc())
        .options(load_only(t.Delivery.customer_id, t.Delivery.account, t.Delivery.signers))  # type: ignore[arg-type]
    )
    rows = [row for row in session.exec(statement) if _of_its_account(row, came_in)]
    return rows[0] if len({row.customer_id for row in rows}) == 1 else None


def facts_of(row: t.DeliveryRecipient) -> DeliveryFacts:
    return DeliveryFacts(**{name: getattr(row, name) for name in _FIELDS})


def _absorb(row: t.DeliveryRecipient, report: Report, at: datetime) -> bool:
    """Keep the fact; True when it was not known yet."""
    before = facts_of(row)
    after = absorb(before, report.fact, at, report.reason[:500])
    for name, value in asdict(after).items():
        setattr(row, name, value)
    known = {k for k, v in asdict(before).items() if v}
    return any(v and k not in known for k, v in asdict(after).items() if k != "reason")


_WORDS = {
    DeliveryFact.RECEIVED: "was received by {who}",
    DeliveryFact.OPENED: "was opened by {who}",
    DeliveryFact.CLICKED: "was opened by {who}: a link in it was followed",
    DeliveryFact.BOUNCED: "did not reach {who}, the address is wrong: {reason}",
    DeliveryFact.BLOCKED: "was refused for {who}: {reason}",
    DeliveryFact.FAILED: "did not get out to {who}: {reason}",
    DeliveryFact.RETURNED: "came back from {who}: {reason}",
    DeliveryFact.COMPLAINED: "was reported as unwanted by {who}",
    DeliveryFact.UNSUBSCRIBED: "made {who} unsubscribe",
}


def _consequence(
    unit: Unit,
    customer: t.Customer,
    row: t.Delivery,
    action: t.Action,
    recipient: t.DeliveryRecipient,
    report: Report,
) -> None:
    """Of a new fact about one recipient: the timeline, and the contact's address."""
    who = recipient.address.splitlines()[0]
    reason = report.reason or "no reason given"
    if report.fact in _WORDS:
        words = _WORDS[report.fact].format(who=who, reason=reason)
        _tell(unit, customer, action, f"message_{report.fact.value}",
              f"'{action.name}' {words}")  # fmt: skip
    if recipient.contact_id is None:
        return
    if report.fact in ADDRESS_IS_WRONG:
        d.mark_invalid(unit, customer, row.channel, recipient.contact_id, recipient.address,
                       reason)  # fmt: skip


#: What a report says about the address itself, and in which words.
_WISHES = {
    DeliveryFact.COMPLAINED: (Source.COMPLAINT, True, "complaint", "{who} complained"),
    DeliveryFact.UNSUBSCRIBED: (Source.CALLBACK, True, "unsubscribed", "{who} unsubscribed"),
    DeliveryFact.RESUBSCRIBED: (Source.CALLBACK, False, "resubscribed", "{who} subscribed again"),
}


def _wish(
    unit: Unit,
    customer: t.Customer,
    row: t.Delivery,
    action: t.Action,
    recipient: t.DeliveryRecipient,
    report: Report,
) -> None:
    """A complaint, an unsubscription or the opposite: about the address, whoever has it by now."""
    kind = KIND_OF.get(ActionType(row.channel))
    if kind is None:
        return
    source, closed, cause, words = _WISHES[report.fact]
    who = recipient.address
    word = Heard(source, closed, cause, unit.now, words.format(who=who))
    turn = happened(unit.named(BY), kind, key_of(kind, who, customer.country), word)
    if turn.news and report.fact is DeliveryFact.RESUBSCRIBED:
        _tell(unit, customer, action, "message_resubscribed",
              f"'{action.name}' is wanted again by {who}")  # fmt: skip
    text = dict(turn.told).get(customer.id)
    if closed and text:
        customer_did(unit, customer, Cause.CHANNEL_CLOSED, text, action)


def _judge(
    unit: Unit,
    customer: t.Customer,
    row: t.Delivery,
    action: t.Action,
    recipients: list[t.DeliveryRecipient],
) -> bool:
    """Rule 37: it reached nobody, so it is no contact and the same step is open again; where a
    later step has already run it is only flagged. True when the action changed."""
    found = verdict(facts_of(r) for r in recipients if r.role == "to")
    if not found.failed or action.status != "done" or row.status != "accepted":
        return False
    reason = found.reason or "it reached nobody"
    if action.step_key is None or _later_step_ran(unit, action):
        _note_once(unit, customer, action, f"it reached nobody, and a later step has run: "
                   f"{reason}")  # fmt: skip
        return False
    end(unit.named(BY), action, ActionStatus.FAILED, reason[:500])
    action.cause = (Cause.BOUNCED if found.address else Cause.REJECTED).value
    _tell(unit, customer, action, "action_failed",
          f"'{action.name}' reached nobody, the step is open again: {reason}")  # fmt: skip
    return True


def _later_step_ran(unit: Unit, action: t.Action) -> bool:
    later = unit.session.exec(
        select(t.Action.id).where(
            t.Action.invoice_id == action.invoice_id,
            col(t.Action.seq) > action.seq,
            col(t.Action.step_key).is_not(None),
            col(t.Action.status).in_(("done", "skipped")),
        )
    ).first()
    return later is not None


def _tell(unit: Unit, customer: t.Customer, action: t.Action, kind: str, text: str) -> None:
    note(unit, customer, kind, text,
         invoice_id=action.invoice_id, action_id=action.id, by=BY)  # fmt: skip


def _note_once(unit: Unit, customer: t.Customer, action: t.Action, text: str) -> None:
    """A remark of the provider: once, however often it is repeated."""
    words = f"'{action.name}': {text}"[:2000]
    known = unit.session.exec(
        select(t.TimelineEntry.id).where(
            t.TimelineEntry.invoice_id == action.invoice_id,
            t.TimelineEntry.action_id == action.id,
            t.TimelineEntry.text == words,
        )
    ).first()
    if known is None:
        _tell(unit, customer, action, "message_noted", words)
