"""A plan as data: parsed from TOML or JSON, refused with the step and the reason.

The form is that of ``dunning plan load`` and ``PUT /v1/plans``; see docs/plans.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from dunning.languages import language_tag
from dunning.plan_fields import MAX_DAYS, PlanError, choice, flag, number, selectors, short, text

__all__ = [
    "CHANNELS", "ActionType", "FirstAction", "Plan", "PlanError", "Step", "Translation", "Trigger",
    "parse_plan", "plan_data",
]  # fmt: skip


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
class Translation:
    """A step's texts in one language (``fr``, ``pt-BR``). Without a subject: the step's."""

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
    html: str = ""
    texts: tuple[Translation, ...] = ()  # by language
    attach_invoices: bool = False  # an email: with the PDFs of the invoices it lists


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


_MAX_STEPS = 100
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_PLAN_FIELDS = {"name", "first_action", "contact_delay_days", "tasks_count", "steps"}
_STEP_FIELDS = {
    "key", "name", "type", "automatic", "trigger", "contact_delay_days", "repeat_every_days",
    "repeat_limit", "owner", "recipients", "cc", "bcc", "registered", "subject", "body",
    "html", "texts", "attach_invoices",
}  # fmt: skip
_TEXT_FIELDS = {"subject", "body", "html"}
_MAX_LANGUAGES = 50  # of one step
_MAX_TEXTS = 1_000  # of all steps in all languages
_MAX_CHARACTERS = 1_000_000  # of all of them


def parse_plan(data: Mapping[str, Any]) -> Plan:
    """A plan from its data (TOML or JSON). Raises PlanError; what is absent takes its default."""
    unknown = sorted(set(data) - _PLAN_FIELDS)
    if unknown:
        raise PlanError("", f"unknown field {short(unknown[0])}; a plan has {sorted(_PLAN_FIELDS)}")
    delay = number("", data, "contact_delay_days", 0, 0)
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
    _limit_texts(steps)
    return Plan(
        name=text("", data, "name", required=True, limit=100),
        first_action=choice("", data, "first_action", FirstAction, FirstAction.STANDARD),
        contact_delay_days=delay or 0,
        tasks_count=flag("", data, "tasks_count", True),
        steps=steps,
    )


def _limit_texts(steps: tuple[Step, ...]) -> None:
    every: list[Step | Translation] = [*steps]
    every += [text for step in steps for text in step.texts]
    if len(every) > _MAX_TEXTS:
        reason = "steps and translations; together at most"
        raise PlanError("", f"has {len(every):,} {reason} {_MAX_TEXTS:,} are allowed")
    size = sum(len(each.subject) + len(each.body) + len(each.html) for each in every)
    if size > _MAX_CHARACTERS:
        raise PlanError("", f"its texts have {size:,} characters; at most {_MAX_CHARACTERS:,}")


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
    if step.html:
        data["html"] = step.html
    if step.attach_invoices:
        data["attach_invoices"] = True
    if step.texts:
        data["texts"] = {t.language: _translation_data(t) for t in step.texts}
    return {key: value for key, value in data.items() if value is not None}


def _translation_data(translation: Translation) -> dict[str, str]:
    fields = {name: getattr(translation, name) for name in ("subject", "body", "html")}
    return {name: value for name, value in fields.items() if value}


def _step(place: int, raw: Any, plan_delay: int) -> Step:
    where = f"number {place}"
    if not isinstance(raw, Mapping):
        raise PlanError(where, "is not a table of fields")
    key = text(where, raw, "key", required=True)
    if not _KEY.fullmatch(key):
        raise PlanError(where, f"key {key!r}: use letters, digits, '_', '-' and '.', at most 64")
    unknown = sorted(set(raw) - _STEP_FIELDS)
    if unknown:
        raise PlanError(
            key, f"unknown field {short(unknown[0])}; a step has {sorted(_STEP_FIELDS)}"
        )
    type_ = choice(key, raw, "type", ActionType, None)
    automatic = flag(key, raw, "automatic", False)
    if automatic and type_ not in CHANNELS:
        raise PlanError(key, f"a {type_.value} is always manual; set automatic = false")
    delay = number(key, raw, "contact_delay_days", 0, None)
    every = number(key, raw, "repeat_every_days", 1, None)
    limit = number(key, raw, "repeat_limit", 0, None)
    if limit is not None and every is None:
        raise PlanError(key, "has repeat_limit without repeat_every_days")
    attach_invoices = flag(key, raw, "attach_invoices", False)
    if attach_invoices and type_ is not ActionType.EMAIL:
        raise PlanError(key, f"only an email has invoices attached, not a {type_.value}")
    registered = flag(key, raw, "registered", False)
    if registered and type_ is not ActionType.LETTER:
        raise PlanError(key, f"only a letter can be registered, not a {type_.value}")
    owner = text(key, raw, "owner") or "assigned"
    if owner.startswith("group:") and not owner.removeprefix("group:").split(":")[0].strip():
        raise PlanError(key, "owner: name the group, as in 'group:account managers'")
    recipients = selectors(key, raw, "recipients") or ("main",)
    cc, bcc = selectors(key, raw, "cc"), selectors(key, raw, "bcc")
    if recipients != ("main",) or cc or bcc:
        if type_ is ActionType.SMS:
            raise PlanError(key, "an SMS goes to the main contact only (rule 34)")
        if type_ is ActionType.TASK:
            raise PlanError(key, "a task goes to its owner (rule 34); leave out recipients")
    if (cc or bcc) and type_ is not ActionType.EMAIL:
        raise PlanError(key, f"a {type_.value} has no copies; only an email has cc and bcc")
    if type_ is ActionType.LETTER and all(r.startswith("member:") or "@" in r for r in recipients):
        raise PlanError(key, "a letter goes to contacts; members have no postal address")
    subject, body, html = _texts(key, raw, type_, "")
    return Step(
        key=key,
        name=text(key, raw, "name") or key,
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
        attach_invoices=attach_invoices,
        subject=subject,
        body=body,
        html=html,
        texts=_translations(key, raw.get("texts"), type_),
    )


def _texts(key: str, raw: Mapping[str, Any], type_: ActionType, where: str) -> tuple[str, str, str]:
    """Subject, body and html; ``where`` goes before each reason: nothing, or "texts.fr: "."""
    try:
        subject = text(key, raw, "subject", limit=1000)
        body = text(key, raw, "body", limit=50_000, lines=True)
        html = text(key, raw, "html", limit=50_000, lines=True)
    except PlanError as error:
        raise PlanError(key, f"{where}{error.reason}") from None
    if html.strip():
        if type_ is not ActionType.EMAIL:
            raise PlanError(key, f"{where}has html, and is no email; all others are plain text")
        if not body.strip():
            raise PlanError(key, f"{where}has html without a body; the text part is needed too")
    return subject, body, html


def _translations(key: str, raw: Any, type_: ActionType) -> tuple[Translation, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, Mapping):
        raise PlanError(key, f"texts is not a table of languages: {str(raw)[:80]!r}")
    if len(raw) > _MAX_LANGUAGES:
        raise PlanError(key, f"has texts in {len(raw)} languages; at most {_MAX_LANGUAGES}")
    found: dict[str, Translation] = {}
    for name, fields in raw.items():
        language = language_tag(name) if isinstance(name, str) else ""
        where = f"texts.{name}: "
        if not language:
            raise PlanError(
                key, f"texts: {str(name)[:40]!r} is not a language such as 'fr' or 'pt-BR'"
            )
        if language in found:
            raise PlanError(key, f"{where}the language {language} is given twice")
        if not isinstance(fields, Mapping):
            raise PlanError(key, f"{where}is not a table of fields")
        unknown = sorted(set(fields) - _TEXT_FIELDS)
        if unknown:
            known = sorted(_TEXT_FIELDS)
            raise PlanError(key, f"{where}unknown field {short(unknown[0])}; a text has {known}")
        found[language] = Translation(language, *_texts(key, fields, type_, where))
        if not found[language].body.strip():
            raise PlanError(key, f"{where}has no body")
    return tuple(found[language] for language in sorted(found))


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
            raise PlanError(key, f"trigger date {short(value)} is not a date; {form}") from None
    if "from" not in raw or not set(raw) <= {"from", "days"}:
        raise PlanError(key, f"trigger {short(dict(raw))} is not understood; {form}")
    base = raw["from"]
    if base not in ("due", "issue"):
        raise PlanError(key, f"trigger from {short(base)} is not 'due' or 'issue'; {form}")
    days = number(key, raw, "days", -MAX_DAYS, 0) or 0
    if base == "issue" and days < 0:
        raise PlanError(key, "falls before the issue date, when the invoice is not known yet")
    return Trigger(base, days)
