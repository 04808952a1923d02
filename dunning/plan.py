"""A plan: what is done about a customer's overdue invoices, step by step. Its JSON: ``plans/``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class PlanError(ValueError):
    """A plan that is not valid: which step (its key or place; empty = the plan) and why."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(f"step {step}: {reason}" if step else f"plan: {reason}")
        self.step = step
        self.reason = reason


class ActionType(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    LETTER = "letter"
    CALL = "call"
    TASK = "task"


#: The types that are sent through a channel; the others are done by their owner alone.
CHANNELS = frozenset({ActionType.EMAIL, ActionType.SMS, ActionType.LETTER})


class FirstAction(StrEnum):
    STANDARD = "standard"  # rule 11
    CONTEXTUALIZED = "contextualized"  # rule 12


@dataclass(frozen=True, slots=True)
class Trigger:
    """N days from the due or the issue date (negative = before), or a fixed date."""

    base: str  # "due", "issue" or "date"
    days: int = 0
    on: date | None = None

    def date_for(self, issued_on: date, due_on: date) -> date:
        """The step's own date for an invoice. Offsets are whole local days (rule 17)."""
        if self.on is not None:
            return self.on
        try:
            return (due_on if self.base == "due" else issued_on) + timedelta(days=self.days)
        except OverflowError:
            return date.max if self.days > 0 else date.min

    def __str__(self) -> str:
        return f"on {self.on}" if self.on else f"{self.base} date {self.days:+d} days"


@dataclass(frozen=True, slots=True)
class Translation:
    """A step's texts in one language (``fr``, ``pt-BR``). An empty subject means the step's own."""

    language: str
    subject: str
    body: str
    html: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One planned contact. Recipients, cc, bcc are selectors (rule 34), ``owner`` a rule (33).

    ``html`` is the template of an email's HTML part; empty: made from ``body``.
    """

    key: str
    name: str
    type: ActionType
    automatic: bool
    trigger: Trigger
    contact_delay_days: int  # the step's own, or the plan's (rule 16)
    repeat_every_days: int | None = None
    repeat_limit: int | None = None
    owner: str = "assigned"
    recipients: tuple[str, ...] = ("main",)
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    registered: bool = False
    subject: str = ""
    body: str = ""
    html: str = ""
    texts: tuple[Translation, ...] = ()  # by language
    attach_invoices: bool = False  # the email has the PDFs of the invoices that it lists


@dataclass(frozen=True, slots=True)
class Plan:
    name: str
    first_action: FirstAction
    contact_delay_days: int
    tasks_count: bool
    steps: tuple[Step, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple([step.key for step in self.steps])

    def step(self, key: str) -> Step:
        """KeyError when the plan has no such step."""
        found = self.find(key)
        if found is None:
            raise KeyError(key)
        return found

    def find(self, key: str | None) -> Step | None:
        for step in self.steps:
            if step.key == key:
                return step
        return None
