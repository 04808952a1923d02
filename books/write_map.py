"""Writes a guessed map as TOML, with samples and doubts as comments (docs/books.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from books.column import Choice
from books.fields import FIELDS, OPTIONAL
from books.formats import AmountForm
from books.guess import Guess
from dunning.excerpt import shorten


def write_map(found: Guess, name: str) -> str:
    """MAP.toml for the file ``name``. A doubtful field is a comment that lists fitting columns."""
    return "\n".join((*_lines(found, name), ""))


def _lines(found: Guess, name: str) -> Iterator[str]:
    yield f"# How {_plain(name)} reads as a book: a guess from its headers and {found.rows:,} rows."
    yield "# Look at every line. The whole form: docs/books.md."
    yield ""
    yield from _settings(found)
    for field_ in (*FIELDS, *OPTIONAL):
        choice = found.choices.get(field_)
        if choice is not None:
            yield from _field(choice)


def _settings(found: Guess) -> Iterator[str]:
    form, plain = found.amount_forms[0], AmountForm()
    for other in found.amount_forms[1:]:
        decimal, thousands = toml_text(other.decimal), toml_text(other.thousands)
        yield f"# In doubt: it could also be decimal = {decimal}, thousands = {thousands}"
    for key in ("decimal", "thousands", "strip"):
        if getattr(form, key) != getattr(plain, key):
            yield f"{key} = {toml_text(getattr(form, key))}"
    if found.round:
        yield "round = true     # amounts finer than their currency are rounded, half even"
    if found.whole_numbers:
        yield f"whole_numbers = {_texts(found.whole_numbers)}     # 7.0 stands for 7"
    if found.empty:
        yield f"empty = {_texts(found.empty)}     # stands for an empty cell"
    yield ""


def _field(choice: Choice) -> Iterator[str]:
    """The line of a field, after its comments."""
    if choice.samples:
        yield f"# {choice.name}: {', '.join(shorten(_plain(s), 40) for s in choice.samples)}"
    if not choice.sure:
        yield f"# In doubt: {choice.why}."
    if choice.others:
        others = ", ".join(toml_text(other) for other in choice.others[:8])
        yield f"# {'Other columns' if choice.header else 'Columns'} that would fit: {others}"
    if choice.other_format:
        yield f"# It could also be date_format = {toml_text(choice.other_format)}"
    if choice.constant:
        because = f"     # {choice.why}" if choice.why else ""
        yield f"{choice.name} = {{constant = {toml_text(choice.constant)}}}{because}"
    elif choice.date_format not in ("", "%Y-%m-%d"):
        form = f"date_format = {toml_text(choice.date_format)}"
        yield f"{choice.name} = {{column = {toml_text(choice.header)}, {form}}}"
    elif choice.header:
        yield f"{choice.name} = {{column = {toml_text(choice.header)}}}"
    elif choice.sure:
        yield f'{choice.name} = ""'
    else:
        yield f"# {choice.name} = {_EXAMPLES.get(choice.name, _ANY_COLUMN)}"


_ANY_COLUMN = '{column = "…"}'
_EXAMPLES = {
    "currency": '{constant = "EUR"}     # the currency of all rows',
    "paid_on": '{constant = ""}     # only if nothing in the file is paid',
    "due_on": '{constant = ""}     # due by the terms of each customer',
}


def toml_text(text: str) -> str:
    """A TOML string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _texts(texts: Sequence[str]) -> str:
    return f"[{', '.join(toml_text(text) for text in texts)}]"


def _plain(text: str) -> str:
    """The text without characters that a TOML comment must not have."""
    return "".join(c if c.isprintable() else " " for c in text)
