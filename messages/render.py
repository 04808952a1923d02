"""Renders a step's texts with the facts, in the customer's language.

A plan's templates are plain text. An email's HTML is either made from that text (escaped as a
whole, in paragraphs, with an HTML table in place of ``{{ invoices_table }}``), or comes from a
template of its own, with every value escaped and the result cleaned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from babel import Locale

from dunning.plan import ActionType
from messages.body import Body, as_text, in_brief, joined, number_of_tables, tidy
from messages.content import MessageFacts
from messages.context import context
from messages.html import cleaned, from_body, page
from messages.invoices_table import totals_note
from messages.lines import one_line
from messages.locales import language_of, locale_of
from messages.message import MAX_SUBJECT
from messages.sms import normalise
from messages.step_templates import StepTemplates
from messages.template import Template, TemplateError, template
from messages.texts import DEFAULT_TEXTS
from messages.variables import VARIABLES
from messages.words import LABELS, Labels

_TOTALS = {"outstanding", "overdue", "totals"}
#: Each table may be as long as the list of invoices.
MAX_TABLES = 4


@dataclass(frozen=True, slots=True)
class Rendered:
    """``text`` is the whole body as text. ``html`` is a whole document for an email, else None.
    ``body`` keeps tables as tables; an SMS has one text, because its tables become words."""

    subject: str
    text: str
    html: str | None
    body: Body


def render(
    subject: str,
    body: str,
    facts: MessageFacts,
    channel: ActionType,
    html: str = "",
    language: str = "",
) -> Rendered:
    """The message of a step. A text that passed ``messages.check`` raises TemplateError only when
    very many invoices make it too long.

    A step without a subject or body uses the built-in text of its type, in the first language that
    has one: the customer's, the organisation's, English. Without a body its ``html`` is ignored.
    ``language`` is the language of the texts, if it is known. The subject is one line of at most
    255 characters. An SMS is plain text with plain spaces and has no subject.
    """
    own = StepTemplates.of(subject, body, html)
    locale = locale_of(facts, built_in=own.body is None, language=language)
    default_subject, default_body = DEFAULT_TEXTS[built_in_language(facts)][channel]
    title = own.subject or template("subject", default_subject)
    text = own.body or template("body", default_body)
    labels = _labels(locale, facts)
    known = context(facts, locale, labels, text.names | own.names)
    line = one_line(title.render(known, locale), MAX_SUBJECT)
    made = tidy(filled(text, known, locale))
    if note := _note(text, facts, labels, locale):
        made = joined((*made, f"\n\n{note}"))
    if channel is ActionType.SMS:
        sms = normalise(in_brief(made))
        return Rendered("", sms, None, (sms,))
    if channel is not ActionType.EMAIL:
        return Rendered(line, as_text(made), None, made)
    if own.body is None or own.html is None:
        content = from_body(made, locale)
    else:
        content = html_part(own.html, known, facts, locale, labels)
    return Rendered(line, as_text(made), page(line, content, locale), made)


def built_in_language(facts: MessageFacts) -> str:
    """The language of the built-in text, for a step without a body."""
    return language_of(facts, tuple(DEFAULT_TEXTS))


def values(
    subject: str, body: str, facts: MessageFacts, html: str = "", language: str = ""
) -> dict[str, str]:
    """The values of the variables that the texts use, as text; for a list, its length.

    Raises TemplateError for texts that are refused.
    """
    named = StepTemplates.of(subject, body, html).names
    locale = locale_of(facts, built_in=not body.strip(), language=language)
    known = context(facts, locale, _labels(locale, facts), named)
    found: dict[str, str] = {}
    for name in VARIABLES:
        group, _, leaf = name.partition(".")
        if group not in named or (leaf and isinstance(known[group], tuple)):
            continue
        many = " | length" if isinstance(known[group], tuple) else ""
        found[name] = template("body", f"{{{{ {name}{many} }}}}").render(known, locale)
    return found


def filled(text: Template, known: Mapping[str, Any], locale: Locale) -> Body:
    """The body that the template renders to. Raises TemplateError."""
    made = text.fill(known, locale)
    if number_of_tables(made) > MAX_TABLES:
        raise TemplateError(text.where, f"has more than {MAX_TABLES} tables")
    return made


def html_part(
    html: Template, known: Mapping[str, Any], facts: MessageFacts, locale: Locale, labels: Labels
) -> str:
    """The HTML part that its template renders to, cleaned. Raises TemplateError."""
    made = filled(html, known, locale)
    try:
        content = cleaned(made, locale)
    except ValueError as error:
        raise TemplateError("html", str(error)) from None
    if note := _note(html, facts, labels, locale):
        content = f"{content}\n{from_body((note,), locale)}"
    return content


def _labels(locale: Locale, facts: MessageFacts) -> Labels:
    return LABELS.get(locale.language) or LABELS[language_of(facts, tuple(LABELS))]


def _note(text: Template, facts: MessageFacts, labels: Labels, locale: Locale) -> str:
    """Rule 9: the sentence that the list and the totals differ, unless the text says so already."""
    if not text.names & _TOTALS or text.names & {"invoices_table", "totals_note"}:
        return ""
    return totals_note(facts, labels, locale)
