"""Which fields of a step fit together, and fit its type."""

from __future__ import annotations

from collections.abc import Iterator

from dunning.plan import CHANNELS, ActionType, PlanError
from plans.form import StepForm


def check(step: StepForm) -> None:
    """Raises PlanError with the step's key and the first reason."""
    for reason in _reasons(step):
        raise PlanError(step.key, reason)


def _reasons(step: StepForm) -> Iterator[str]:
    if step.automatic and step.type not in CHANNELS:
        yield f"a {step.type.value} is always manual; set automatic = false"
    if step.repeat_limit is not None and step.repeat_every_days is None:
        yield "has repeat_limit without repeat_every_days"
    if step.attach_invoices and step.type is not ActionType.EMAIL:
        yield f"only an email has invoices attached, not a {step.type.value}"
    if step.registered and step.type is not ActionType.LETTER:
        yield f"only a letter can be registered, not a {step.type.value}"
    yield from _recipients(step)
    yield from _html(step, "", step.body, step.html)
    for language, texts in step.texts.items():
        yield from _html(step, f"texts.{language}: ", texts.body, texts.html)


def _recipients(step: StepForm) -> Iterator[str]:
    """Rule 34."""
    copies = bool(step.cc or step.bcc)
    if copies or step.recipients not in ([], ["main"]):
        if step.type is ActionType.SMS:
            yield "an SMS goes to the main contact only (rule 34)"
        if step.type is ActionType.TASK:
            yield "a task goes to its owner (rule 34); leave out recipients"
    if copies and step.type is not ActionType.EMAIL:
        yield f"a {step.type.value} has no copies; only an email has cc and bcc"
    internal = [s for s in step.recipients if s.startswith("member:") or "@" in s]
    if step.type is ActionType.LETTER and internal and len(internal) == len(step.recipients):
        yield "a letter goes to contacts; members have no postal address"


def _html(step: StepForm, where: str, body: str, html: str) -> Iterator[str]:
    if not html.strip():
        return
    if step.type is not ActionType.EMAIL:
        yield f"{where}has html, and is no email; all others are plain text"
    if not body.strip():
        yield f"{where}has html without a body; the text part is needed too"
