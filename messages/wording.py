"""Which of a step's texts a message takes, by the customer's language."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dunning.languages import lookup
from dunning.plan import Plan, Step


class Chosen(StrEnum):
    """How a text was chosen, in the order of preference."""

    EXACT = "exact"  # the customer's language as it is written: pt-BR
    BASE = "base"  # a shorter form of it: pt
    ORGANISATION = "organisation"  # the organisation's language, or a shorter form of that
    DEFAULT = "default"  # the step's own body, whose language is not stated
    BUILT_IN = "built_in"  # no body at all: the text that every type of action has


@dataclass(frozen=True, slots=True)
class StepText:
    """Templates. ``language`` is that of a translation, else empty; an empty subject or body takes
    the built-in one, an empty ``html`` is made from ``body``."""

    subject: str
    body: str
    html: str
    language: str
    chosen: Chosen


def text_for(step: Step, language: str, organisation_language: str) -> StepText:
    """The texts for a customer of ``language`` (the contact's own, if it has one). What is no
    language tag is passed over. A translation without a subject takes the step's."""
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
    """The languages that other steps of the plan have a text in, and this one has not."""
    mine = {t.language for t in step.texts}
    every = {t.language for s in plan.steps for t in s.texts}
    return tuple(sorted(tag for tag in every if not mine.intersection(lookup(tag))))
