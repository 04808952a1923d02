"""What became of a message, recipient by recipient: facts, and what they mean.

Providers report late, twice and in any order. So facts are stored, each with its earliest time, and
the status is derived from them: taking in reports is commutative and idempotent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

#: How long a claim holds. The call of the provider ends earlier. An older claim without an outcome
#: is orphaned: its delivery is unknown.
CLAIM_SECONDS = 25


class DeliveryFact(StrEnum):
    """What a provider can report about one recipient of one message."""

    SENT = "sent"
    RECEIVED = "received"
    OPENED = "opened"
    OPENED_BY_MACHINE = "opened_by_machine"  # a mail program or a scanner, not a person
    CLICKED = "clicked"
    BOUNCED = "bounced"  # hard: the address is wrong
    BLOCKED = "blocked"  # soft: refused this time, the address may be good
    FAILED = "failed"  # the provider could not deliver it, for another reason than the address
    RETURNED = "returned"  # a letter that came back to its sender
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    RESUBSCRIBED = "resubscribed"
    NOTED = "noted"  # noted on the timeline, without any other effect


class Status(StrEnum):
    """What is shown of a recipient: the first of these that holds."""

    BOUNCED = "bounced"
    RETURNED = "returned"
    FAILED = "failed"
    OPENED = "opened"
    RECEIVED = "received"
    SENT = "sent"
    NO_REPORT = "unknown"  # nothing was reported yet; stored and shown under this name


#: The address is wrong: it is marked invalid (rule 37).
ADDRESS_IS_WRONG = frozenset({DeliveryFact.BOUNCED, DeliveryFact.RETURNED})
#: The message did not reach the recipient.
DID_NOT_ARRIVE = ADDRESS_IS_WRONG | {DeliveryFact.BLOCKED, DeliveryFact.FAILED}
#: Facts that only an accepted message can have: they settle an unknown delivery.
PROVES_ACCEPTED = frozenset(DeliveryFact) - {DeliveryFact.RESUBSCRIBED, DeliveryFact.NOTED}


@dataclass(frozen=True, slots=True)
class DeliveryFacts:
    """The earliest time of each fact (UTC); None: not reported. ``reason`` is the provider's.

    ``failed_at`` is also the time of a soft bounce.
    """

    sent_at: datetime | None = None
    received_at: datetime | None = None
    opened_at: datetime | None = None
    machine_opened_at: datetime | None = None
    clicked_at: datetime | None = None
    bounced_at: datetime | None = None
    failed_at: datetime | None = None
    returned_at: datetime | None = None
    complained_at: datetime | None = None
    unsubscribed_at: datetime | None = None
    reason: str = ""

    @property
    def status(self) -> Status:
        if self.bounced_at:
            return Status.BOUNCED
        if self.returned_at:
            return Status.RETURNED
        if self.failed_at:
            return Status.FAILED
        if self.opened_at or self.clicked_at:
            return Status.OPENED
        if self.received_at:
            return Status.RECEIVED
        return Status.SENT if self.sent_at else Status.NO_REPORT

    @property
    def arrived(self) -> bool:
        """Whether it may have reached the recipient."""
        return not (self.bounced_at or self.returned_at or self.failed_at)

    @property
    def address_is_wrong(self) -> bool:
        return bool(self.bounced_at or self.returned_at)


#: The field of each fact.
_FIELD = {
    DeliveryFact.SENT: "sent_at",
    DeliveryFact.RECEIVED: "received_at",
    DeliveryFact.OPENED: "opened_at",
    DeliveryFact.OPENED_BY_MACHINE: "machine_opened_at",
    DeliveryFact.CLICKED: "clicked_at",
    DeliveryFact.BOUNCED: "bounced_at",
    DeliveryFact.BLOCKED: "failed_at",
    DeliveryFact.FAILED: "failed_at",
    DeliveryFact.RETURNED: "returned_at",
    DeliveryFact.COMPLAINED: "complained_at",
    DeliveryFact.UNSUBSCRIBED: "unsubscribed_at",
}


def absorb(
    facts: DeliveryFacts, fact: DeliveryFact, at: datetime, reason: str = ""
) -> DeliveryFacts:
    """The facts with one more report, in whichever order reports arrive.

    Each fact keeps its earliest time. A reason that says that the address is wrong replaces any
    other; of two reasons of equal weight the alphabetically first is kept.
    """
    field = _FIELD.get(fact)
    if field is None:
        return facts
    known: datetime | None = getattr(facts, field)
    more: dict[str, object] = {field: at if known is None else min(known, at)}
    if reason and fact in DID_NOT_ARRIVE:
        grave = fact in ADDRESS_IS_WRONG
        if not facts.reason or (grave and not facts.address_is_wrong):
            more["reason"] = reason
        elif grave == facts.address_is_wrong:
            more["reason"] = min(facts.reason, reason)
    return replace(facts, **more)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the facts of all recipients mean for the action (rule 37).

    ``failed``: the message reached none of them. ``address``: because all their addresses are
    wrong.
    """

    failed: bool = False
    address: bool = False
    reason: str = ""


def verdict(addressed: Iterable[DeliveryFacts]) -> Verdict:
    """``addressed``: the facts of the recipients in To. CC and BCC do not count (rule 35)."""
    every = list(addressed)
    if not every or any(f.arrived for f in every):
        return Verdict()
    reasons = sorted({f.reason for f in every if f.reason})
    return Verdict(True, all(f.address_is_wrong for f in every), "; ".join(reasons))
