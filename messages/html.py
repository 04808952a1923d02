"""The HTML part of an email: made from the text, or from a step's own template and cleaned.

Cleaning keeps what mail programs show and readers need. Scripts, forms, frames, style sheets and
other kinds of links are removed without an error, as mail programs do.
"""

from __future__ import annotations

import re
from html import escape

import nh3
from babel import Locale

from messages import table
from messages.allowed_html import ATTRIBUTES, STYLES, TAGS
from messages.body import Body
from messages.lines import TEXT_CONTROL
from messages.table import Table

#: Cleaning takes quadratic time in the depth of nested tags: with this many, a third of a second.
MAX_TAGS = 10_000
_CLEANER = nh3.Cleaner(
    tags=TAGS,
    attributes=ATTRIBUTES,
    filter_style_properties=STYLES,
    clean_content_tags={"script", "style", "title"},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",  # a message has no URL of its own
)


def from_body(body: Body, locale: Locale) -> str:
    """Its texts as paragraphs, escaped, and its tables as HTML tables."""
    made: list[str] = []
    for part in body:
        if isinstance(part, Table):
            made.append(table.as_html(part, locale))
            continue
        for paragraph in re.split(r"\n\s*\n", part):
            if paragraph.strip():
                lines = escape(paragraph.strip("\n")).replace("\n", "<br>\n")
                made.append(f"<p>{lines}</p>")
    return "\n".join(made)


def cleaned(body: Body, locale: Locale) -> str:
    """The HTML of a body whose texts are HTML, with its tables. What ``messages.allowed_html`` does
    not list is removed.

    Raises ValueError for more than MAX_TAGS tags, not counting those of its tables.
    """
    if sum(part.count("<") for part in body if isinstance(part, str)) > MAX_TAGS:
        raise ValueError(f"has more than {MAX_TAGS} tags")
    html = "".join(p if isinstance(p, str) else table.as_html(p, locale) for p in body)
    # After the cleaner, because it turns "&#26;" into a control character.
    return TEXT_CONTROL.sub("", _CLEANER.clean(html).replace("\r", "")).strip()


def page(subject: str, content: str, locale: Locale) -> str:
    """The HTML document with this content, in its language and direction."""
    language = str(locale).replace("_", "-")
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}" dir="{locale.text_direction}">\n'
        f'<head><meta charset="utf-8"><title>{escape(subject)}</title></head>\n'
        '<body style="font-family: sans-serif; font-size: 15px; line-height: 1.5">\n'
        + content
        + "\n</body>\n</html>\n"
    )
