"""Whether the texts of a plan can be rendered with any facts. Checked when a plan is saved."""

from __future__ import annotations

from collections.abc import Iterator

from dunning.plan import ActionType, Plan, PlanError, Step
from messages.body import is_empty
from messages.context import context
from messages.locales import ENGLISH
from messages.message import MAX_SUBJECT
from messages.render import filled, html_part
from messages.samples import SAMPLES
from messages.step_templates import StepTemplates
from messages.template import TemplateError, template
from messages.words import LABELS

#: All texts of a plan together: checking them takes about two seconds.
MAX_PLAN_NODES = 20_000


def check(subject: str, body: str, html: str = "") -> None:
    """Whether a step's texts can be rendered. Raises TemplateError.

    An empty text is valid: the built-in one takes its place.
    """
    texts = StepTemplates.of(subject, body, html)
    if texts.html is not None and texts.body is None:
        raise TemplateError("html", "an email needs its text part too; write the body")
    samples = [(facts, context(facts, ENGLISH, LABELS["en"])) for facts in SAMPLES]
    for each in texts.written:
        each.try_out([known for _, known in samples], ENGLISH)
    for facts, known in samples:
        if texts.subject and len(texts.subject.render(known, ENGLISH)) > MAX_SUBJECT:
            raise TemplateError("subject", f"becomes longer than {MAX_SUBJECT} characters")
        if texts.body and is_empty(filled(texts.body, known, ENGLISH)):
            raise TemplateError("body", "may come out empty")
        if texts.html and not html_part(texts.html, known, facts, ENGLISH, LABELS["en"]):
            raise TemplateError("html", "may come out empty")


def check_step(step: Step) -> None:
    """``check`` for the texts of a step in all their languages. Raises TemplateError, which names
    the language: "texts.fr body"."""
    languages = ["", *(f"texts.{t.language} " for t in step.texts)]
    for where, texts in zip(languages, _every_text(step), strict=True):
        try:
            check(*texts)
            _check_sms(step, texts[1])
        except TemplateError as error:
            raise TemplateError(where + error.where, error.reason) from None


def check_texts(plan: Plan) -> None:
    """``check_step`` for every step, and the limit for all together. Raises PlanError with the
    step."""
    size = 0
    for step in plan.steps:
        try:
            check_step(step)
        except TemplateError as error:
            raise PlanError(step.key, str(error)) from None
        size += sum(StepTemplates.of(*texts).size for texts in _every_text(step))
        if size > MAX_PLAN_NODES:
            reason = "the texts up to here have more than {:,} variables, values and conditions"
            raise PlanError(step.key, reason.format(MAX_PLAN_NODES))


def refusal(plan: Plan) -> tuple[str, str] | None:
    """The key of the step whose text ``check_texts`` refuses, and why; None if it refuses none.
    Plain data, so that another process can run it (messages/processes.py)."""
    try:
        check_texts(plan)
    except PlanError as error:
        return error.step, error.reason
    return None


def _every_text(step: Step) -> Iterator[tuple[str, str, str]]:
    """Subject, body and HTML of the step, then of each of its translations."""
    yield step.subject, step.body, step.html
    yield from ((t.subject, t.body, t.html) for t in step.texts)


def _check_sms(step: Step, body: str) -> None:
    if step.type is not ActionType.SMS or not body.strip():
        return
    if "interest_table" in template("body", body).names:
        raise TemplateError("body", "there is no room for interest_table in an SMS")
