"""Which language a message is written in, and how that language writes amounts and dates."""

from __future__ import annotations

import re
from functools import lru_cache

from babel import Locale, UnknownLocaleError

from messages.content import MessageFacts
from messages.texts import DEFAULT_TEXTS

ENGLISH = Locale("en")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(_[A-Za-z0-9]{2,8}){0,3}")


def language_of(facts: MessageFacts, known: tuple[str, ...]) -> str:
    """The first known language of: the customer's, the organisation's, English."""
    for tag in (facts.language, facts.organisation_language):
        locale = parse(tag, "")
        if locale is not None and locale.language in known:
            return str(locale.language)
    return "en"


def locale_of(facts: MessageFacts, *, built_in: bool, language: str = "") -> Locale:
    """The customer's, else the organisation's, else English; for a built-in text, the text's.

    ``language`` is the text's own, if it is known: a French text has French dates, and for a
    customer in Switzerland Swiss French ones.
    """
    own = parse(language, "")
    for tag, country in ((facts.language, facts.country), (facts.organisation_language, "")):
        locale = parse(tag, country)
        if locale is None or (built_in and locale.language not in DEFAULT_TEXTS):
            continue
        if own is None or locale.language == own.language:
            return locale
    return own or ENGLISH


@lru_cache(maxsize=1024)
def parse(tag: str, country: str) -> Locale | None:
    """Babel's locale for ``fr``, ``pt-BR``, or ``fr`` with ``CH``; None for an unknown language."""
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
