"""From a step's texts and the facts to what a person reads, in the customer's language.

A plan's templates are plain text: ``text`` is what they give, ``html`` the same, escaped as a whole
and cut into paragraphs, with a real table where ``{{ invoices_table }}`` stands; or what the
template of the HTML part gives, with every value escaped and the whole cleaned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from babel import Locale

from dunning.plan import ActionType, Plan, PlanError, Step
from messages import late
from messages.content import VARIABLES, MessageFacts
from messages.context import CALCULATION, SAMPLES, TABLE, context
from messages.html import cleaned, from_text, page
from messages.locales import ENGLISH, language_of, locale_of
from messages.message import MAX_SUBJECT, TEXT_CONTROL, one_line
from messages.sms import normalise
from messages.table import as_html, as_sms, as_text, totals_note
from messages.template import Template, TemplateError, template
from messages.texts import DEFAULT_TEXTS
from messages.words import LABELS, Labels

__all__ = [
    "Rendered", "TemplateError", "built_in_language", "check", "check_step", "check_texts",
    "render", "values",
]  # fmt: skip

_TOTALS = {"outstanding", "overdue", "totals"}
_TABLES = {"invoices_table": "invoices", "interest_table": "interest"}
#: Each may be as long as the list of invoices.
MAX_TABLES = 4
#: Of all texts of a plan together: about two seconds to check them.
MAX_PLAN_NODES = 20_000


@dataclass(frozen=True, slots=True)
class Rendered:
    """``html`` is a whole document for an email, None for everything else."""

    subject: str
    text: str
    html: str | None


def check(subject: str, body: str, html: str = "") -> None:
    """Whether a step's texts can be rendered, whatever the facts. Raises TemplateError.

    An empty text is fine: it takes the built-in one. Called when a plan is saved.
    """
    title, text, rich = _templates(subject, body, html)
    if rich is not None and text is None:
        raise TemplateError("html", "an email needs its text part too; write the body")
    samples = [(facts, context(facts, ENGLISH, LABELS["en"])) for facts in SAMPLES]
    for each in filter(None, (title, text, rich)):
        each.try_out([known for _, known in samples], ENGLISH)
    for facts, known in samples:
        if title is not None and len(title.render(known, ENGLISH)) > MAX_SUBJECT:
            raise TemplateError("subject", f"becomes longer than {MAX_SUBJECT} characters")
        if text is not None and not _filled(text, known, ENGLISH).strip():
            raise TemplateError("body", "may come out empty")
        if rich is not None and not _rich(rich, facts, ENGLISH, LABELS["en"]):
            raise TemplateError("html", "may come out empty")


def check_texts(plan: Plan) -> None:
    """``check_step`` for every step, and that all of it together is not too much. Raises PlanError
    with the step."""
    size = 0
    for step in plan.steps:
        try:
            check_step(step)
        except TemplateError as error:
            raise PlanError(step.key, str(error)) from None
        size += sum(each.size for texts in _every_text(step) for each in _templates(*texts) if each)
        if size > MAX_PLAN_NODES:
            reason = "the texts up to here have more than {:,} variables, values and conditions"
            raise PlanError(step.key, reason.format(MAX_PLAN_NODES))


def _every_text(step: Step) -> Iterator[tuple[str, str, str]]:
    yield step.subject, step.body, step.html
    yield from ((t.subject, t.body, t.html) for t in step.texts)


def check_step(step: Step) -> None:
    """``check`` for the texts of a step in all their languages. Raises TemplateError, which names
    the language: "texts.fr body"."""
    own = ("", step.subject, step.body, step.html)
    others = [(f"texts.{t.language} ", t.subject, t.body, t.html) for t in step.texts]
    for where, subject, body, html in (own, *others):
        try:
            check(subject, body, html)
            text = template("body", body) if step.type is ActionType.SMS else None
            if text is not None and "interest_table" in text.names:
                raise TemplateError("body", "there is no room for interest_table in an SMS")
        except TemplateError as error:
            raise TemplateError(where + error.where, error.reason) from None


def render(
    subject: str,
    body: str,
    facts: MessageFacts,
    channel: ActionType,
    html: str = "",
    language: str = "",
) -> Rendered:
    """The message of a step. A text that passed ``check`` raises TemplateError only when a great
    many invoices make it too long.

    A step without a subject or body takes the built-in text of its type, in the first of the
    customer's language, the organisation's and English that has one; without a body its ``html``
    is passed over. ``language`` is that of the texts, when it is known. The subject is one line of
    at most 255 characters. An SMS is plain text with plain spaces and has no subject.
    """
    title, own, rich = _templates(subject, body, html)
    locale = locale_of(facts, built_in=own is None, language=language)
    default_subject, default_body = DEFAULT_TEXTS[built_in_language(facts)][channel]
    title = title or template("subject", default_subject)
    text = own or template("body", default_body)
    labels = LABELS.get(locale.language) or LABELS[language_of(facts, tuple(LABELS))]
    known = context(facts, locale, labels)
    line = one_line(title.render(known, locale), MAX_SUBJECT)
    filled = _tidy(_filled(text, known, locale))
    if note := _note(text, facts, labels, locale):
        filled = f"{filled}\n\n{note}"
    if channel is ActionType.SMS:
        sms = filled.replace(TABLE, as_sms(facts, locale)).replace(CALCULATION, "")
        return Rendered("", normalise(sms), None)
    plain = filled.replace(TABLE, as_text(facts, labels, locale))
    plain = plain.replace(CALCULATION, late.as_text(facts.late, labels, locale))
    if channel is not ActionType.EMAIL:
        return Rendered(line, plain, None)
    if own is None or rich is None:
        content = from_text(filled, _html_tables(facts, labels, locale))
    else:
        content = _rich(rich, facts, locale, labels)
    return Rendered(line, plain, page(line, content, locale))


def built_in_language(facts: MessageFacts) -> str:
    """The language of the text that a step without a body takes."""
    return language_of(facts, tuple(DEFAULT_TEXTS))


def values(
    subject: str, body: str, facts: MessageFacts, html: str = "", language: str = ""
) -> dict[str, str]:
    """What the variables that the texts name become, as text; of a list, how many there are.

    Raises TemplateError for texts that are refused.
    """
    named = frozenset().union(*(t.names for t in _templates(subject, body, html) if t is not None))
    locale = locale_of(facts, built_in=not body.strip(), language=language)
    labels = LABELS.get(locale.language) or LABELS[language_of(facts, tuple(LABELS))]
    known = context(facts, locale, labels)
    tables = {
        "invoices_table": as_text(facts, labels, locale),
        "interest_table": late.as_text(facts.late, labels, locale),
    }
    found: dict[str, str] = {}
    for name in VARIABLES:
        group, _, leaf = name.partition(".")
        if group not in named or (leaf and isinstance(known[group], tuple)):
            continue
        many = " | length" if isinstance(known[group], tuple) else ""
        source = f"{{{{ {name}{many} }}}}"
        found[name] = tables.get(name) or template("body", source).render(known, locale)
    return found


def _templates(
    subject: str, body: str, html: str
) -> tuple[Template | None, Template | None, Template | None]:
    if "\n" in subject or "\r" in subject:
        raise TemplateError("subject", "has a line break")
    title = template("subject", subject) if subject.strip() else None
    for table, whose in _TABLES.items():
        if title is not None and table in title.names:
            raise TemplateError("subject", f"the table of {whose} has its place in the body")
    text = template("body", body) if body.strip() else None
    return title, text, template("html", html) if html.strip() else None


def _filled(text: Template, known: Mapping[str, Any], locale: Locale) -> str:
    made = text.render(known, locale)
    if made.count(TABLE) + made.count(CALCULATION) > MAX_TABLES:
        raise TemplateError(text.where, f"has more than {MAX_TABLES} tables")
    return made


def _rich(rich: Template, facts: MessageFacts, locale: Locale, labels: Labels) -> str:
    """What the template of the HTML part gives, cleaned."""
    made = _filled(rich, context(facts, locale, labels), locale)
    parts = _html_tables(facts, labels, locale)
    try:
        content = cleaned(made, parts)
    except ValueError as error:
        raise TemplateError("html", str(error)) from None
    if note := _note(rich, facts, labels, locale):
        content = f"{content}\n{from_text(note, parts)}"
    return content


def _html_tables(facts: MessageFacts, labels: Labels, locale: Locale) -> dict[str, str]:
    return {
        TABLE: as_html(facts, labels, locale),
        CALCULATION: late.as_html(facts.late, labels, locale),
    }


def _note(text: Template, facts: MessageFacts, labels: Labels, locale: Locale) -> str:
    """Rule 9: say so when the list and the totals differ, where the text does not already."""
    if not text.names & _TOTALS or text.names & {"invoices_table", "totals_note"}:
        return ""
    return totals_note(facts, labels, locale)


def _tidy(text: str) -> str:
    """No control characters, no blank lines in a row or at the ends."""
    marks = (TABLE, CALCULATION)
    kept = TEXT_CONTROL.sub(lambda m: m[0] if m[0] in marks else "", text.replace("\r", ""))
    lines = "\n".join(line.rstrip(" \t") for line in kept.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n")
