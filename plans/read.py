"""Makes a plan from its data, and the data from a plan.

The data comes from ``dunning plan load`` (TOML) and ``PUT /v1/plans`` (JSON), and is stored in plan
versions. Versions are immutable (rule 43), so everything that was ever accepted must stay readable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from dunning.languages import language_tag
from dunning.plan import Plan, PlanError, Step, Translation, Trigger
from plans import fits
from plans.form import PlanForm, StepForm, TranslationForm, TriggerForm
from plans.reasons import refusal

_MAX_TEXTS = 1_000  # steps and translations together
_MAX_CHARACTERS = 1_000_000  # of all texts
#: Fields that are stored only when they are not empty: older versions were stored without them.
_ONLY_WHERE_GIVEN = {"html", "attach_invoices", "texts"}


def parse_plan(data: Mapping[str, Any]) -> Plan:
    """A plan from its data, with defaults for missing fields. Raises PlanError."""
    try:
        form = PlanForm.model_validate(dict(data))
    except ValidationError as error:
        raise refusal(error, data) from None
    seen: set[str] = set()
    for step in form.steps:
        fits.check(step)
        if step.key in seen:
            raise PlanError(step.key, "the key is used twice; keys are unique in a plan")
        seen.add(step.key)
    delay = form.contact_delay_days
    plan = Plan(**dict(form) | {"steps": tuple(_step(step, delay) for step in form.steps)})
    _limit_texts(plan)
    return plan


def _step(form: StepForm, plan_delay: int) -> Step:
    own = form.contact_delay_days
    texts = {language_tag(name): text for name, text in form.texts.items()}
    made = {
        "name": form.name or form.key,
        "trigger": _trigger(form.trigger),
        "contact_delay_days": plan_delay if own is None else own,
        "owner": form.owner or "assigned",
        "recipients": tuple(form.recipients) or ("main",),
        "cc": tuple(form.cc),
        "bcc": tuple(form.bcc),
        "texts": tuple(_translation(name, texts[name]) for name in sorted(texts)),
    }
    return Step(**dict(form) | made)


def _trigger(form: TriggerForm) -> Trigger:
    if form.base is None:
        return Trigger("date", on=form.date)
    return Trigger(form.base, form.days)


def _translation(language: str, form: TranslationForm) -> Translation:
    return Translation(language, form.subject, form.body, form.html)


def _limit_texts(plan: Plan) -> None:
    every: list[Step | Translation] = [*plan.steps]
    every += [text for step in plan.steps for text in step.texts]
    if len(every) > _MAX_TEXTS:
        reason = "steps and translations; together at most"
        raise PlanError("", f"has {len(every):,} {reason} {_MAX_TEXTS:,} are allowed")
    size = sum(len(each.subject) + len(each.body) + len(each.html) for each in every)
    if size > _MAX_CHARACTERS:
        raise PlanError("", f"its texts have {size:,} characters; at most {_MAX_CHARACTERS:,}")


def plan_data(plan: Plan) -> dict[str, Any]:
    """The plan as JSON-ready data; ``parse_plan(plan_data(p)) == p``."""
    return _data(plan) | {"steps": [_step_data(step) for step in plan.steps]}


def _step_data(step: Step) -> dict[str, Any]:
    on = step.trigger.on
    base = {"from": step.trigger.base, "days": step.trigger.days}
    texts = {text.language: _translation_data(text) for text in step.texts}
    data = _data(step) | {"trigger": {"date": on.isoformat()} if on else base, "texts": texts}
    return {
        name: value
        for name, value in data.items()
        if value is not None and (value or name not in _ONLY_WHERE_GIVEN)
    }


def _translation_data(text: Translation) -> dict[str, str]:
    return {name: value for name, value in _data(text).items() if value and name != "language"}


def _data(made: Plan | Step | Translation) -> dict[str, Any]:
    return {field.name: _plain(getattr(made, field.name)) for field in fields(made)}


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    return list(value) if isinstance(value, tuple) else value
