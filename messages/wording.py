"""Which of a step's texts a message uses, by the customer's language."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dunning.languages import lookup
from dunning.plan import Plan, Step


class Chosen(StrEnum):
    """How a text was chosen, in the order of preference."""

    EXACT = "exact"  # the customer's language exactly: pt-BR
    BASE = "base"  # a shorter form of it: pt
    ORGANISATION = "organisation"  # the organisation's language, or a shorter form of it
    DEFAULT = "default"  # the step's own body, in a language that is not stated
    BUILT_IN = "built_in"  # the step has no body: the built-in text of its type


@dataclass(frozen=True, slots=True)
class StepText:
    """Templates. ``language`` is that of a translation, else empty. An empty subject or body means
    the built-in one; an empty ``html`` is made from ``body``."""

    subject: str
    body: str
    html: str
    language: str
    chosen: Chosen


def text_for(step: Step, language: str, organisation_language: str) -> StepText:
    """The texts for a customer of ``language`` (the contact's own, if it has one). A text that is
    no language tag is ignored. A translation without a subject uses the step's."""
    translations = {t.language: t for t in step.texts}
    ranked = [
        *((tag, Chosen.BASE if n else Chosen.EXACT) for n, tag in enumerate(lookup(language))),
        *((tag, Chosen.ORGANISATION) for tag in lookup(organisation_language)),
    ]
    for tag, chosen in ranked:
        found = translations.get(tag)
        if found is not None:
            subject = found.subject if found.subject.strip() else step.subject
            return StepText(subject, found.body, found.html, tag, chosen)
    chosen = Chosen.DEFAULT if step.body.strip() else Chosen.BUILT_IN
    return StepText(step.subject, step.body, step.html, "", chosen)


def missing_languages(plan: Plan, step: Step) -> tuple[str, ...]:
    """The languages that other steps of the plan have a text in, but this step has not."""
    mine = {t.language for t in step.texts}
    every = {t.language for s in plan.steps for t in s.texts}
    return tuple(sorted(tag for tag in every if not mine.intersection(lookup(tag))))
