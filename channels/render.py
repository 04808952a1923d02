"""From a step's texts and the facts to what a person reads, in the customer's language.

A plan's templates are plain text: ``text`` is what they give, ``html`` the same, escaped as a whole
and cut into paragraphs, with a real table where ``{{ invoices_table }}`` stands.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from html import escape
from types import SimpleNamespace
from typing import Any

from babel import Locale, UnknownLocaleError

from channels.port import MAX_SUBJECT, TEXT_CONTROL, one_line
from channels.table import as_html, as_sms, as_text, totals_note
from channels.template import Amount, Template, TemplateError, template
from channels.texts import DEFAULT_TEXTS
from channels.words import LABELS, Labels
from dunning.message import InvoiceFacts, MessageFacts, Totals
from dunning.plan import ActionType

__all__ = ["Rendered", "TemplateError", "check", "render"]

_TABLE = "\x1a"  # no other way in: refused in templates, dropped from facts, unmoved by filters
_TOTALS = {"outstanding", "overdue", "totals"}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(_[A-Za-z0-9]{2,8}){0,3}")
_ENGLISH = Locale("en")


@dataclass(frozen=True, slots=True)
class Rendered:
    """``html`` is a whole document for an email, None for everything else."""

    subject: str
    text: str
    html: str | None


def check(subject: str, body: str) -> None:
    """Whether a step's texts can be rendered, whatever the facts. Raises TemplateError.

    An empty text is fine: it takes the built-in one. Called when a plan is saved.
    """
    title, text = _templates(subject, body)
    for facts in _SAMPLES:
        context = _context(facts, _ENGLISH, LABELS["en"])
        if title is not None:
            title.try_out(context, _ENGLISH)
            if len(title.render(context, _ENGLISH)) > MAX_SUBJECT:
                raise TemplateError("subject", f"becomes longer than {MAX_SUBJECT} characters")
        if text is not None:
            text.try_out(context, _ENGLISH)
            if not text.render(context, _ENGLISH).strip():
                raise TemplateError("body", "may come out empty")


def render(step_subject: str, step_body: str, facts: MessageFacts, channel: ActionType) -> Rendered:
    """The message of a step. A text that passed ``check`` raises TemplateError only when a great
    many invoices make it too long.

    A step without a subject or body takes the built-in text of its type, in the first of the
    customer's language, the organisation's and English that has one. The subject is one line of at
    most 255 characters. An SMS is plain text with plain spaces and has no subject.
    """
    title, text = _templates(step_subject, step_body)
    locale = _locale(facts, built_in=text is None)
    default_subject, default_body = _defaults(facts, channel)
    title = title or template("subject", default_subject)
    text = text or template("body", default_body)
    labels = LABELS.get(locale.language) or _labels(facts)
    context = _context(facts, locale, labels)
    subject = one_line(title.render(context, locale), MAX_SUBJECT)
    body = _tidy(text.render(context, locale))
    note = totals_note(facts, labels, locale)
    if note and text.names & _TOTALS and not text.names & {"invoices_table", "totals_note"}:
        body = f"{body}\n\n{note}"  # rule 9: say so when the two differ
    if channel is ActionType.SMS:
        return Rendered("", _plain_spaces(body.replace(_TABLE, as_sms(facts, locale))), None)
    plain = body.replace(_TABLE, as_text(facts, labels, locale))
    if channel is not ActionType.EMAIL:
        return Rendered(subject, plain, None)
    return Rendered(subject, plain, _html(subject, body, as_html(facts, labels, locale), locale))


def _templates(subject: str, body: str) -> tuple[Template | None, Template | None]:
    if "\n" in subject or "\r" in subject:
        raise TemplateError("subject", "has a line break")
    title = template("subject", subject) if subject.strip() else None
    if title is not None and "invoices_table" in title.names:
        raise TemplateError("subject", "the table of invoices has its place in the body")
    return title, template("body", body) if body.strip() else None


def _html(subject: str, body: str, table: str, locale: Locale) -> str:
    parts: list[str] = []
    for i, piece in enumerate(body.split(_TABLE)):
        if i:
            parts.append(table)
        for paragraph in re.split(r"\n\s*\n", piece):
            if paragraph.strip():
                lines = escape(paragraph.strip("\n")).replace("\n", "<br>\n")
                parts.append(f"<p>{lines}</p>")
    language = str(locale).replace("_", "-")
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}" dir="{locale.text_direction}">\n'
        f'<head><meta charset="utf-8"><title>{escape(subject)}</title></head>\n'
        '<body style="font-family: sans-serif; font-size: 15px; line-height: 1.5">\n'
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _context(facts: MessageFacts, locale: Locale, labels: Labels) -> dict[str, Any]:
    """The variables of ``dunning.message.VARIABLES``."""
    mine = facts.totals[0]
    currency = facts.invoice.currency
    return {
        "organisation": SimpleNamespace(name=_clean(facts.organisation_name)),
        "customer": SimpleNamespace(
            name=_clean(facts.customer_name), external_id=_clean(facts.customer_external_id)
        ),
        "contact": SimpleNamespace(name=_clean(facts.contact_name)),
        "sender": SimpleNamespace(name=_clean(facts.sender_name), email=_clean(facts.sender_email)),
        "language": _clean(facts.language),
        "country": _clean(facts.country),
        "today": facts.today,
        "invoice": _invoice(facts.invoice),
        "invoices": tuple(map(_invoice, facts.invoices)),
        "invoices_table": _TABLE,
        "outstanding": Amount.of(mine.outstanding, currency),
        "overdue": Amount.of(mine.overdue, currency),
        "listed": Amount.of(mine.listed, currency),
        "differs": facts.differs,
        "totals_note": totals_note(facts, labels, locale),
        "totals": tuple(map(_sums, facts.totals)),
    }


def _invoice(invoice: InvoiceFacts) -> SimpleNamespace:
    return SimpleNamespace(
        number=_clean(invoice.number),
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        total=Amount.of(invoice.total, invoice.currency),
        balance=Amount.of(invoice.balance, invoice.currency),
        currency=_clean(invoice.currency),
        days_overdue=invoice.days_overdue,
    )


def _sums(totals: Totals) -> SimpleNamespace:
    names = ("outstanding", "overdue", "listed", "unlisted", "credit")
    amounts = {name: Amount.of(getattr(totals, name), totals.currency) for name in names}
    return SimpleNamespace(currency=_clean(totals.currency), **amounts)


def _clean(text: str) -> str:
    return one_line(text, 1000)


def _tidy(text: str) -> str:
    """No control characters, no blank lines in a row or at the ends."""
    kept = TEXT_CONTROL.sub(lambda m: _TABLE if m[0] == _TABLE else "", text.replace("\r", ""))
    lines = "\n".join(line.rstrip(" \t") for line in kept.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n")


def _plain_spaces(text: str) -> str:
    """One narrow space would turn an SMS into UCS-2, with 70 characters a segment."""
    return "".join(" " if unicodedata.category(c) == "Zs" else c for c in text)


def _defaults(facts: MessageFacts, channel: ActionType) -> tuple[str, str]:
    texts = DEFAULT_TEXTS[_language_of(facts, tuple(DEFAULT_TEXTS))]
    return texts[channel]


def _labels(facts: MessageFacts) -> Labels:
    return LABELS[_language_of(facts, tuple(LABELS))]


def _language_of(facts: MessageFacts, known: tuple[str, ...]) -> str:
    for tag in (facts.language, facts.organisation_language):
        locale = _parse(tag, "")
        if locale is not None and locale.language in known:
            return str(locale.language)
    return "en"


def _locale(facts: MessageFacts, *, built_in: bool) -> Locale:
    """The customer's, else the organisation's, else English; with a built-in text, the text's."""
    for tag, country in ((facts.language, facts.country), (facts.organisation_language, "")):
        locale = _parse(tag, country)
        if locale is not None and (not built_in or locale.language in DEFAULT_TEXTS):
            return locale
    return _ENGLISH


@lru_cache(maxsize=1024)
def _parse(tag: str, country: str) -> Locale | None:
    """Babel's locale for ``fr``, ``pt-BR`` or ``fr`` with ``CH``; None for what is no language."""
    tag = tag.strip().replace("-", "_")
    if not _LANGUAGE.fullmatch(tag):
        return None
    candidates = [tag, tag.split("_")[0]]
    if "_" not in tag and re.fullmatch(r"[A-Za-z]{2}", country):
        candidates.insert(0, f"{tag}_{country}")
    for candidate in candidates:
        try:
            locale = Locale.parse(candidate)
        except (UnknownLocaleError, ValueError, TypeError):
            continue
        if locale.language.lower() == tag.split("_")[0].lower():
            return locale
    return None


def _sample(*, late: bool) -> MessageFacts:
    amount = Decimal("1234.56")
    invoice = InvoiceFacts(
        "INV-1042", date(2025, 2, 1), date(2025, 3, 3), amount, amount, "EUR", 12 if late else 0
    )
    sums = Totals("EUR", amount, amount, amount, amount if late else Decimal(0), Decimal(0))
    return MessageFacts(
        organisation_name="Amber & Sons", customer_name="Acme", customer_external_id="C-1",
        contact_name="Ada" if late else "", sender_name="Sam", sender_email="sam@example.com",
        language="en", organisation_language="en", country="", today=date(2025, 3, 15),
        invoice=invoice, invoices=(invoice, invoice), totals=(sums,),
    )  # fmt: skip


_SAMPLES = (_sample(late=True), _sample(late=False))
