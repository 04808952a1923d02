"""What the rules answer: a decision, with its reasons and what is to be recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from dunning.model import Cause
from dunning.plan import ActionType


class Kind(StrEnum):
    SEND = "send"  # send a message now
    ASSIGN = "assign"  # give an action to its owner now
    AWAIT_OWNER = "await_owner"  # an open action holds the sequence
    WAIT = "wait"  # until an instant
    REST = "rest"  # until a new fact


class Reason(NamedTuple):
    """Why something was decided: one sentence, and the number of the rule.

    ``text`` is formatted only when it is read: most reasons never are.
    """

    rule: int
    words: str
    args: tuple[object, ...] = ()

    @property
    def text(self) -> str:
        return self.words.format(*self.args) if self.args else self.words


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """An action whose reason is gone (rules 27, 36, 44)."""

    action_id: str
    text: str


@dataclass(frozen=True, slots=True)
class OwnerTask:
    """A task without a step for the customer's assigned member (rules 26, 42); no contact."""

    cause: Cause
    invoice_id: str
    text: str


class Outcome(StrEnum):
    KEPT = "kept"
    PART_KEPT = "part_kept"
    BROKEN = "broken"
    ENDED = "ended"  # the invoice was made void or written off


@dataclass(frozen=True, slots=True)
class PromiseOutcome:
    promise_id: str
    invoice_id: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules answer, with the reasons.

    ``at`` is the UTC instant of the next wake-up (never in the past), None when only a new fact can
    change the answer. ``step_key`` with ``due`` (UTC) says which step comes next and when. ``then``
    is the channel that sends at ``at``, None when ``at`` is only a moment to decide again.
    ``look_up``: at ``at`` the channel ``then`` is asked whether it has the message; nothing is
    sent. ``automatic``: the step is sent without its owner. To be recorded are ``withdraw``,
    ``tasks``, ``promises``, and ``pass_over`` (step keys, rule 15; with a send, an assign or an
    exhausted plan). ``owes_nothing``: no open invoice has a balance above the tolerance.
    """

    kind: Kind
    reasons: tuple[Reason, ...] = ()
    invoice_id: str | None = None
    step_key: str | None = None
    occurrence: int = 0
    attempt: int = 0
    trigger_on: date | None = None
    due: datetime | None = None
    at: datetime | None = None
    then: ActionType | None = None
    action_id: str | None = None
    cause: Cause | None = None
    withdraw: tuple[Withdrawal, ...] = ()
    pass_over: tuple[str, ...] = ()
    tasks: tuple[OwnerTask, ...] = ()
    promises: tuple[PromiseOutcome, ...] = ()
    owes_nothing: bool = False
    automatic: bool = False
    look_up: bool = False

    @property
    def send_on(self) -> ActionType | None:
        """The channel that must be called now; None: nothing is to be sent now."""
        return self.then if self.kind is Kind.SEND else None
