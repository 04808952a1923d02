"""The HTML part of an email: made from the text, or from a step's own template and cleaned.

Cleaning keeps what mail programs show and people need; scripts, forms, frames, style sheets and
links of other kinds are taken out without a word, as a mail program would.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

import nh3
from babel import Locale

from messages.message import TEXT_CONTROL

#: The cleaner's time grows with the square of how deep tags are nested: one third of a second.
MAX_TAGS = 10_000
_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "center", "code", "col", "colgroup", "dd",
    "div", "dl", "dt", "em", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "li",
    "ol", "p", "pre", "s", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot",
    "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"align", "bgcolor", "dir", "lang", "style", "title", "valign"},
    "a": {"href"},
    "col": {"span", "width"},
    "font": {"color", "face", "size"},
    "img": {"alt", "border", "height", "src", "width"},
    "ol": {"start", "type"},
    "table": {"border", "cellpadding", "cellspacing", "width"},
    "td": {"colspan", "height", "rowspan", "width"},
    "th": {"colspan", "height", "rowspan", "scope", "width"},
}
# None of them takes an address, moves a thing over another, or hides it.
_STYLES = {
    "background-color", "border", "border-bottom", "border-collapse", "border-color", "border-left",
    "border-radius", "border-right", "border-spacing", "border-style", "border-top", "border-width",
    "color", "direction", "font-family", "font-size", "font-style", "font-weight", "height",
    "letter-spacing", "line-height", "list-style-type", "margin", "margin-bottom", "margin-left",
    "margin-right", "margin-top", "max-width", "min-width", "padding", "padding-bottom",
    "padding-left", "padding-right", "padding-top", "text-align", "text-decoration",
    "text-transform", "vertical-align", "white-space", "width",
}  # fmt: skip
_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    filter_style_properties=_STYLES,
    clean_content_tags={"script", "style", "title"},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",  # a message has no address that they could be relative to
)


def from_text(text: str, parts: Mapping[str, str]) -> str:
    """Paragraphs of the text, escaped; where one of the marks stands, its HTML ``parts``."""
    marks = re.compile(f"([{''.join(map(re.escape, parts))}])")
    made: list[str] = []
    for piece in marks.split(text):
        if piece in parts:
            made.append(parts[piece])
            continue
        for paragraph in re.split(r"\n\s*\n", piece):
            if paragraph.strip():
                lines = escape(paragraph.strip("\n")).replace("\n", "<br>\n")
                made.append(f"<p>{lines}</p>")
    return "\n".join(made)


def cleaned(html: str, parts: Mapping[str, str]) -> str:
    """The HTML with its marks replaced, and nothing left in it but what is listed above.

    Raises ValueError for more than MAX_TAGS tags.
    """
    if html.count("<") > MAX_TAGS:
        raise ValueError(f"has more than {MAX_TAGS} tags")
    for mark, part in parts.items():
        html = html.replace(mark, part)
    # After the cleaner: "&#26;" is harmless before it and a control character behind it.
    return TEXT_CONTROL.sub("", _CLEANER.clean(html).replace("\r", "")).strip()


def page(subject: str, content: str, locale: Locale) -> str:
    """The whole document around it, in its language and direction."""
    language = str(locale).replace("_", "-")
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}" dir="{locale.text_direction}">\n'
        f'<head><meta charset="utf-8"><title>{escape(subject)}</title></head>\n'
        '<body style="font-family: sans-serif; font-size: 15px; line-height: 1.5">\n'
        + content
        + "\n</body>\n</html>\n"
    )
