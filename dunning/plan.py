"""A plan as data: parsed from TOML or JSON, refused with the step and the reason.

The form is that of ``dunning plan load`` and ``PUT /v1/plans``; see docs/plans.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, TypeVar


class ActionType(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    LETTER = "letter"
    CALL = "call"
    TASK = "task"


#: The types that go out through a channel; the others are worked by their owner alone.
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
class Step:
    """One planned contact. Recipients, cc, bcc are selectors (rule 34), ``owner`` a rule (33)."""

    key: str
    name: str
    type: ActionType
    automatic: bool
    trigger: Trigger
    contact_delay_days: int  # its own, or the plan's (rule 16)
    repeat_every_days: int | None = None
    repeat_limit: int | None = None
    owner: str = "assigned"
    recipients: tuple[str, ...] = ("main",)
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    registered: bool = False
    subject: str = ""
    body: str = ""


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


class PlanError(ValueError):
    """A plan that makes no sense: which step (its key or place; empty = the plan) and why."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(f"step {step}: {reason}" if step else f"plan: {reason}")
        self.step = step
        self.reason = reason


_MAX_DAYS = 3650
_MAX_STEPS = 100
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_SELECTOR = re.compile(r"main|others|position:.+|member:.+|[^@\s]+@[^@\s]+")
_PLAN_FIELDS = {"name", "first_action", "contact_delay_days", "tasks_count", "steps"}
_STEP_FIELDS = {
    "key", "name", "type", "automatic", "trigger", "contact_delay_days", "repeat_every_days",
    "repeat_limit", "owner", "recipients", "cc", "bcc", "registered", "subject", "body",
}  # fmt: skip


def parse_plan(data: Mapping[str, Any]) -> Plan:
    """A plan from its data (TOML or JSON). Raises PlanError; what is absent takes its default."""
    unknown = sorted(set(data) - _PLAN_FIELDS)
    if unknown:
        raise PlanError("", f"unknown field {unknown[0]!r}; a plan has {sorted(_PLAN_FIELDS)}")
    delay = _number("", data, "contact_delay_days", 0, 0)
    raw_steps = data.get("steps")
    if not isinstance(raw_steps, list) or not raw_steps:
        raise PlanError("", "has no steps; add at least one [[steps]]")
    if len(raw_steps) > _MAX_STEPS:
        raise PlanError("", f"has {len(raw_steps)} steps; at most {_MAX_STEPS} are allowed")
    steps = tuple(_step(i, raw, delay or 0) for i, raw in enumerate(raw_steps, 1))
    seen: set[str] = set()
    for step in steps:
        if step.key in seen:
            raise PlanError(step.key, "the key is used twice; keys are unique in a plan")
        seen.add(step.key)
    return Plan(
        name=_text("", data, "name", required=True, limit=100),
        first_action=_choice("", data, "first_action", FirstAction, FirstAction.STANDARD),
        contact_delay_days=delay or 0,
        tasks_count=_flag("", data, "tasks_count", True),
        steps=steps,
    )


def plan_data(plan: Plan) -> dict[str, Any]:
    """The plan as JSON-ready data; ``parse_plan(plan_data(p)) == p``."""
    return {
        "name": plan.name,
        "first_action": plan.first_action.value,
        "contact_delay_days": plan.contact_delay_days,
        "tasks_count": plan.tasks_count,
        "steps": [_step_data(step) for step in plan.steps],
    }


def _step_data(step: Step) -> dict[str, Any]:
    trigger: dict[str, Any] = (
        {"date": step.trigger.on.isoformat()}
        if step.trigger.on
        else {"from": step.trigger.base, "days": step.trigger.days}
    )
    data: dict[str, Any] = {
        "key": step.key,
        "name": step.name,
        "type": step.type.value,
        "automatic": step.automatic,
        "trigger": trigger,
        "contact_delay_days": step.contact_delay_days,
        "repeat_every_days": step.repeat_every_days,
        "repeat_limit": step.repeat_limit,
        "owner": step.owner,
        "recipients": list(step.recipients),
        "cc": list(step.cc),
        "bcc": list(step.bcc),
        "registered": step.registered,
        "subject": step.subject,
        "body": step.body,
    }
    return {key: value for key, value in data.items() if value is not None}


def _step(place: int, raw: Any, plan_delay: int) -> Step:
    where = f"number {place}"
    if not isinstance(raw, Mapping):
        raise PlanError(where, "is not a table of fields")
    key = _text(where, raw, "key", required=True)
    if not _KEY.fullmatch(key):
        raise PlanError(where, f"key {key!r}: use letters, digits, '_', '-' and '.', at most 64")
    unknown = sorted(set(raw) - _STEP_FIELDS)
    if unknown:
        raise PlanError(key, f"unknown field {unknown[0]!r}; a step has {sorted(_STEP_FIELDS)}")
    type_ = _choice(key, raw, "type", ActionType, None)
    automatic = _flag(key, raw, "automatic", False)
    if automatic and type_ not in CHANNELS:
        raise PlanError(key, f"a {type_.value} is always manual; set automatic = false")
    delay = _number(key, raw, "contact_delay_days", 0, None)
    every = _number(key, raw, "repeat_every_days", 1, None)
    limit = _number(key, raw, "repeat_limit", 0, None)
    if limit is not None and every is None:
        raise PlanError(key, "has repeat_limit without repeat_every_days")
    registered = _flag(key, raw, "registered", False)
    if registered and type_ is not ActionType.LETTER:
        raise PlanError(key, f"only a letter can be registered, not a {type_.value}")
    owner = _text(key, raw, "owner") or "assigned"
    if owner.startswith("group:") and not owner.removeprefix("group:").split(":")[0].strip():
        raise PlanError(key, "owner: name the group, as in 'group:account managers'")
    recipients = _selectors(key, raw, "recipients") or ("main",)
    cc, bcc = _selectors(key, raw, "cc"), _selectors(key, raw, "bcc")
    if recipients != ("main",) or cc or bcc:
        if type_ is ActionType.SMS:
            raise PlanError(key, "an SMS goes to the main contact only (rule 34)")
        if type_ is ActionType.TASK:
            raise PlanError(key, "a task goes to its owner (rule 34); leave out recipients")
    if (cc or bcc) and type_ is not ActionType.EMAIL:
        raise PlanError(key, f"a {type_.value} has no copies; only an email has cc and bcc")
    if type_ is ActionType.LETTER and all(r.startswith("member:") or "@" in r for r in recipients):
        raise PlanError(key, "a letter goes to contacts; members have no postal address")
    return Step(
        key=key,
        name=_text(key, raw, "name") or key,
        type=type_,
        automatic=automatic,
        trigger=_trigger(key, raw.get("trigger")),
        contact_delay_days=plan_delay if delay is None else delay,
        repeat_every_days=every,
        repeat_limit=limit,
        owner=owner,
        recipients=recipients,
        cc=cc,
        bcc=bcc,
        registered=registered,
        subject=_text(key, raw, "subject", limit=1000),
        body=_text(key, raw, "body", limit=50_000, lines=True),
    )


def _trigger(key: str, raw: Any) -> Trigger:
    form = "write {from = 'due', days = 8}, {from = 'issue', days = 10} or {date = '2025-06-01'}"
    if not isinstance(raw, Mapping):
        raise PlanError(key, f"has no trigger; {form}")
    if set(raw) == {"date"}:
        value = raw["date"]
        if isinstance(value, date) and type(value) is date:
            return Trigger("date", on=value)
        try:
            if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
                raise ValueError
            return Trigger("date", on=date.fromisoformat(value))
        except (TypeError, ValueError):
            raise PlanError(key, f"trigger date {value!r} is not a date; {form}") from None
    if "from" not in raw or not set(raw) <= {"from", "days"}:
        raise PlanError(key, f"trigger {dict(raw)!r} is not understood; {form}")
    base = raw["from"]
    if base not in ("due", "issue"):
        raise PlanError(key, f"trigger from {base!r} is not 'due' or 'issue'; {form}")
    days = _number(key, raw, "days", -_MAX_DAYS, 0) or 0
    if base == "issue" and days < 0:
        raise PlanError(key, "falls before the issue date, when the invoice is not known yet")
    return Trigger(base, days)


def _text(
    where: str,
    data: Mapping[str, Any],
    name: str,
    *,
    required: bool = False,
    limit: int = 200,
    lines: bool = False,
) -> str:
    value = data.get(name)
    if value is None:
        value = ""
    if not isinstance(value, str):
        raise PlanError(where, f"{name} is not a text: {value!r}")
    if required and not value.strip():
        raise PlanError(where, f"has no {name}")
    if len(value) > limit:
        raise PlanError(where, f"{name} is longer than {limit} characters")
    if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise PlanError(where, f"{name} has a character that cannot be stored")
    if not lines and ("\n" in value or "\r" in value):
        raise PlanError(where, f"{name} has a line break")
    return value


def _number(
    where: str, data: Mapping[str, Any], name: str, least: int, default: int | None
) -> int | None:
    value = data.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise PlanError(where, f"{name} is not a whole number: {value!r}")
    if not least <= value <= _MAX_DAYS:
        raise PlanError(where, f"{name} = {value} is not between {least} and {_MAX_DAYS}")
    return value


def _flag(where: str, data: Mapping[str, Any], name: str, default: bool) -> bool:
    value = data.get(name, default)
    if not isinstance(value, bool):
        raise PlanError(where, f"{name} is not true or false: {value!r}")
    return value


_E = TypeVar("_E", bound=StrEnum)


def _choice(
    where: str, data: Mapping[str, Any], name: str, kind: type[_E], default: _E | None
) -> _E:
    value = data.get(name, default)
    try:
        return kind(value)
    except ValueError:
        choices = ", ".join(member.value for member in kind)
        raise PlanError(where, f"{name} {value!r} is not one of {choices}") from None


def _selectors(where: str, data: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = data.get(name)
    if value is None:
        return ()
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise PlanError(where, f"{name} is not a list of texts")
    for selector in value:
        if not _SELECTOR.fullmatch(selector):
            forms = "'main', 'others', 'position:NAME', 'member:EMAIL' or an address"
            raise PlanError(where, f"{name}: {selector!r} is not {forms}")
    return tuple(value)
