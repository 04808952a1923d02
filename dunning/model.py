"""What the rules read: one customer's account as it is at one instant. What they answer:
``decision``.

Money is ``Decimal`` in the invoice's currency, dates are the organisation's own, instants are UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from dunning.calendar import Calendar
from dunning.plan import ActionType, Plan


class InvoiceStatus(StrEnum):
    OPEN = "open"
    PAID = "paid"
    VOID = "void"
    WRITTEN_OFF = "written_off"


class ActionStatus(StrEnum):
    """The life of an action. ``planned`` looks ahead; the last five are ends."""

    PLANNED = "planned"
    TO_DO = "to_do"
    SENDING = "sending"
    NEEDS_REVIEW = "needs_review"
    DONE = "done"
    SKIPPED = "skipped"
    WITHDRAWN = "withdrawn"
    OBSOLETE = "obsolete"
    FAILED = "failed"


class Cause(StrEnum):
    """Why an action is with its owner although its step did not ask for that."""

    NO_RECIPIENT = "no_recipient"  # rule 35
    BOUNCED = "bounced"  # rule 37
    REJECTED = "rejected"  # the provider refused it for good
    UNKNOWN_OUTCOME = "unknown_outcome"  # nobody knows whether it left
    EXHAUSTED = "exhausted"  # rule 26: a task without a step
    APPLY_CREDIT = "apply_credit"  # rule 42: a task without a step
    REPLIED = "replied"  # the customer wrote back: a task without a step
    CHANNEL_CLOSED = "channel_closed"  # complaint, unsubscription, STOP: a task without a step


#: Open actions: they hold the sequence (rule 27), or their message is being sent.
OPEN_STATUSES = frozenset({ActionStatus.TO_DO, ActionStatus.SENDING, ActionStatus.NEEDS_REVIEW})


@dataclass(frozen=True, slots=True)
class Pause:
    """Runs until the start of the day ``until``; without a date, until it is resumed (rule 38)."""

    until: date | None = None

    def runs(self, today: date) -> bool:
        return self.until is None or today < self.until


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise to pay that has no outcome yet; it runs until the end of its day (rule 40).

    ``paid`` is what was paid on the invoice since the promise was made, less reversed payments; a
    credit note or a changed total is no payment. ``balance_then`` is the balance when it was made:
    what a promise without an amount promises.
    """

    id: str
    promised_on: date
    amount: Decimal | None = None
    paid: Decimal = Decimal(0)
    balance_then: Decimal = Decimal(0)

    def runs(self, today: date) -> bool:
        return today <= self.promised_on


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice of the customer. ``due_on`` is the effective due date (``effective_due``)."""

    id: str
    number: str
    issued_on: date
    due_on: date
    total: Decimal
    balance: Decimal
    currency: str = "EUR"
    status: InvoiceStatus = InvoiceStatus.OPEN
    closed_reason: str = ""
    disputed: bool = False
    pauses: tuple[Pause, ...] = ()
    promises: tuple[Promise, ...] = ()
    url: str = ""  # the page where the customer sees or pays it


@dataclass(frozen=True, slots=True)
class Contact:
    """A person at the customer. An address that is missing or invalid is not usable.

    ``fixed``: under ``email``, ``phone`` and ``postal`` the instants (UTC) at which that address
    was corrected, oldest first (rule 35).
    """

    id: str
    main: bool = False
    position: str = ""
    email: bool = False
    phone: bool = False
    postal: bool = False
    fixed: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)

    def reachable(self, channel: ActionType) -> bool:
        return bool(getattr(self, address_of(channel)))

    def fixed_for(self, channel: ActionType) -> tuple[datetime, ...]:
        return self.fixed.get(address_of(channel), ())


def address_of(channel: ActionType) -> str:
    """The address of a contact that a channel uses: ``email``, ``phone`` or ``postal``."""
    if channel is ActionType.EMAIL:
        return "email"
    return "phone" if channel is ActionType.SMS else "postal"


@dataclass(frozen=True, slots=True)
class Action:
    """One occurrence of a step on one invoice. ``seq`` orders the actions of a customer.

    A ``planned`` action is the automatic step that the last decision waits for. It is removed when
    a decision names another step or none. So a planned action that is late was delayed by an outage
    (rule 21).

    ``plan_keys`` are the step keys of its plan version (rule 43), ``trigger_on`` is the step's own
    date (rule 19). ``executed_on`` and ``ended_on`` are local dates; ``planned_for``, ``deadline``
    and ``shown_at`` (when its owner got it) are UTC instants. A task without a step has no
    ``step_key``. ``requested``: its owner completed it, and it waits to be sent (rule 30).
    ``unknown``: it is ``sending``, nobody knows whether it left, and the provider is asked at
    ``deadline``.
    """

    id: str
    seq: int
    invoice_id: str
    type: ActionType
    status: ActionStatus
    step_key: str | None = None
    plan_id: str = ""
    plan_keys: tuple[str, ...] = ()
    occurrence: int = 0
    attempt: int = 0
    automatic: bool = False
    requested: bool = False
    planned_for: datetime | None = None
    trigger_on: date | None = None
    executed_on: date | None = None
    ended_on: date | None = None
    deadline: datetime | None = None
    shown_at: datetime | None = None
    unknown: bool = False
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A snapshot of one customer: everything the rules may read.

    ``actions`` holds at least the actions of the open invoices, the open actions, and the last
    executed one. ``credits`` is the unapplied credit by currency. ``contextualized_invoice_id``:
    the invoice that carried when the customer was given this plan (rule 44). ``held_until``: the
    customer wrote back, and automatic steps wait until the start of that local day.
    """

    customer_id: str
    calendar: Calendar
    plan: Plan | None = None
    plan_id: str = ""
    invoices: tuple[Invoice, ...] = ()
    actions: tuple[Action, ...] = ()
    contacts: tuple[Contact, ...] = ()
    pauses: tuple[Pause, ...] = ()
    credits: Mapping[str, Decimal] = field(default_factory=dict)
    tolerance: Decimal = Decimal(0)
    contextualized_invoice_id: str | None = None
    spread: timedelta = timedelta(0)
    held_until: date | None = None


def effective_due(issued_on: date, due_on: date | None, terms_days: int | None) -> date:
    """Rule 2: without a due date, the issue date plus the customer's terms, else the issue date."""
    if due_on is not None:
        return due_on
    return issued_on + timedelta(days=terms_days or 0)
