"""What a provider reports about a delivery, and its consequences (rules 35 and 37).

Facts are stored for each address with their earliest time, so repeated reports and reports in any
order give the same result. Only a new fact is noted on the timeline and has consequences.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from sqlmodel import Session, col, select

from addresses.kinds import key_of
from backoffice.delivery.deliveries import Case, case_of, recipients_of, tell
from backoffice.delivery.invalid import mark_invalid
from backoffice.delivery.report_matching import delivery_of
from backoffice.delivery.settle import found
from backoffice.ledger.closures import KIND_OF, happened
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
from dunning.delivery_status import DeliveryStatus
from dunning.ids import CustomerId
from dunning.learnt import CameIn, Report
from dunning.model import ActionStatus, Cause
from dunning.plan import ActionType
from dunning.spellings import spellings
from store import tables as t
from store.locks import CustomerLocked, lock_customer
from store.nudges import nudge
from store.unit import Unit

_FIELDS = tuple(DeliveryFacts.__dataclass_fields__)
#: Facts that do not change whether the message reached its recipients.
_NO_VERDICT = (DeliveryFact.SENT, DeliveryFact.RECEIVED, DeliveryFact.OPENED)


def apply(
    session: Session,
    report: Report,
    came_in: CameIn,
    now: datetime,
    held: dict[CustomerId, CustomerLocked] | None = None,
) -> bool:
    """Processes one report, under the customer's lock. ``now`` is the real time (UTC). ``held``:
    customers whose lock others hold; no second wait for them. False: no delivery matches."""
    row = delivery_of(session, report, came_in, now)
    if row is None:
        return False
    unit = Unit(session, row.organisation_id, now)
    unit.progress.held_by_others = held if held is not None else {}
    customer = lock_customer(unit, row.customer_id)
    session.refresh(row)
    unit = unit.at(min(report.at, unit.now))
    case = case_of(unit, customer, row)
    changed = _proves_accepted(report) and found(
        unit, case, report.provider_id, f"a report of {row.provider}"
    )
    _note_remark(unit, case, report)
    if _of_recipients(unit, case, report) or changed:
        nudge(unit, customer)
    session.flush()
    return True


def _proves_accepted(report: Report) -> bool:
    noted = report.fact is DeliveryFact.NOTED and report.provider_id != ""
    return noted or report.fact in PROVES_ACCEPTED


def _note_remark(unit: Unit, case: Case, report: Report) -> None:
    """Records what concerns the whole message: its tracking number, a note of the provider."""
    if report.tracking_number and report.tracking_number != case.row.tracking_number:
        case.row.tracking_number = report.tracking_number
        text = f"'{case.action.name}': tracking number {report.tracking_number}"
        tell(unit, case, "letter_tracking", text)
    if report.fact is DeliveryFact.NOTED and report.reason:
        _note_once(unit, case, report.reason)


def _of_recipients(unit: Unit, case: Case, report: Report) -> bool:
    """Records what the report says about one recipient, or all of them. Returns whether that may
    change what comes next."""
    recipients = recipients_of(unit, case.row.id)
    concerned = list(recipients.values())
    if report.address:
        named = map(recipients.get, spellings(report.address))
        concerned = [recipient for recipient in named if recipient is not None]
    fresh = [recipient for recipient in concerned if _absorb(recipient, report, unit.now)]
    for recipient in fresh:
        _consequence(unit, case, recipient, report)
    if report.fact in _WISHES:
        for recipient in concerned:
            _wish(unit, case, recipient, report.fact)
    counts = bool(fresh) and report.fact not in _NO_VERDICT
    failed = counts and _apply_verdict(unit, case, recipients.values())
    return failed or (bool(fresh) and report.fact in ADDRESS_IS_WRONG)


def facts_of(row: t.DeliveryRecipient) -> DeliveryFacts:
    return DeliveryFacts(**{name: getattr(row, name) for name in _FIELDS})


def _absorb(row: t.DeliveryRecipient, report: Report, at: datetime) -> bool:
    """Stores the fact; True if it is new."""
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


def _consequence(unit: Unit, case: Case, recipient: t.DeliveryRecipient, report: Report) -> None:
    """What a new fact about one recipient changes: the timeline, and the contact's address."""
    who = recipient.address.splitlines()[0]
    reason = report.reason or "no reason given"
    if report.fact in _WORDS:
        words = _WORDS[report.fact].format(who=who, reason=reason)
        tell(unit, case, f"message_{report.fact.value}", f"'{case.action.name}' {words}")
    if recipient.contact_id is not None and report.fact in ADDRESS_IS_WRONG:
        channel, address = case.row.channel, recipient.address
        mark_invalid(unit, case.customer, channel, recipient.contact_id, address, reason)


#: Reports about the address itself, and their words on the timeline.
_WISHES = {
    DeliveryFact.COMPLAINED: (Source.COMPLAINT, True, "complaint", "{who} complained"),
    DeliveryFact.UNSUBSCRIBED: (Source.CALLBACK, True, "unsubscribed", "{who} unsubscribed"),
    DeliveryFact.RESUBSCRIBED: (Source.CALLBACK, False, "resubscribed", "{who} subscribed again"),
}


def _wish(unit: Unit, case: Case, recipient: t.DeliveryRecipient, fact: DeliveryFact) -> None:
    """A complaint, unsubscription or resubscription is about the address, whoever has it now."""
    kind = KIND_OF.get(ActionType(case.row.channel))
    if kind is None:
        return
    source, closed, cause, words = _WISHES[fact]
    who, customer = recipient.address, case.customer
    word = Heard(source, closed, cause, unit.now, words.format(who=who))
    turn = happened(unit.named(BY), kind, key_of(kind, who, customer.country), word)
    if turn.news and fact is DeliveryFact.RESUBSCRIBED:
        tell(unit, case, "message_resubscribed", f"'{case.action.name}' is wanted again by {who}")
    text = dict(turn.told).get(customer.id)
    if closed and text:
        customer_did(unit, customer, Cause.CHANNEL_CLOSED, text, case.action)


def _apply_verdict(unit: Unit, case: Case, recipients: Iterable[t.DeliveryRecipient]) -> bool:
    """Rule 37: if it reached no recipient, it is no contact, and the same step is open again; if a
    later step has run, that is only noted. True if the action changed."""
    action = case.action
    judged = verdict(facts_of(r) for r in recipients if r.role == "to")
    accepted = case.row.status == DeliveryStatus.ACCEPTED
    if not judged.failed or action.status != ActionStatus.DONE or not accepted:
        return False
    reason = judged.reason or "it reached nobody"
    if action.step_key is None or _later_step_ran(unit, action):
        _note_once(unit, case, f"it reached nobody, and a later step has run: {reason}")
        return False
    end(unit.named(BY), action, ActionStatus.FAILED, reason[:500])
    action.cause = (Cause.BOUNCED if judged.address else Cause.REJECTED).value
    text = f"'{action.name}' reached nobody, the step is open again: {reason}"
    tell(unit, case, "action_failed", text)
    return True


def _later_step_ran(unit: Unit, action: t.Action) -> bool:
    later = unit.session.exec(
        select(t.Action.id).where(
            t.Action.invoice_id == action.invoice_id,
            col(t.Action.seq) > action.seq,
            col(t.Action.step_key).is_not(None),
            col(t.Action.status).in_((ActionStatus.DONE, ActionStatus.SKIPPED)),
        )
    ).first()
    return later is not None


def _note_once(unit: Unit, case: Case, text: str) -> None:
    """Notes a provider's remark once, even if it is repeated."""
    action = case.action
    words = f"'{action.name}': {text}"[:2000]
    known = unit.session.exec(
        select(t.TimelineEntry.id).where(
            t.TimelineEntry.invoice_id == action.invoice_id,
            t.TimelineEntry.action_id == action.id,
            t.TimelineEntry.text == words,
        )
    ).first()
    if known is None:
        tell(unit, case, "message_noted", words)
