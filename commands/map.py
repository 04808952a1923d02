"""``dunning map``: writes a map for a foreign file; on a terminal it asks about doubts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from books.book import read_book
from books.causes import Causes, by_cause
from books.column import Choice
from books.errors import BookError, RowError
from books.fields import DATES
from books.guess import Guess, guess
from books.read_map import read_map
from books.write_map import write_map
from commands.console import warn
from dunning.currency import CURRENCIES

#: Arguments: the question, its possible answers (empty: any text), the default for Enter.
Ask = Callable[[str, list[str], str], str]

_NOTHING = "none"
_MOST_LISTED = 100
_MEANS = {
    "customer": "your id of the customer",
    "invoice": "the number of the invoice",
    "issued_on": "the day on which the invoice was issued",
    "due_on": "the day on which it is due",
    "total": "its whole amount",
    "currency": "the currency",
    "paid_on": "the day on which it was paid in full",
}


def guessed(path: Path, ask: Ask | None) -> Guess:
    """The guess for a file; without ``ask`` the doubts stay. Raises BookError if it is not CSV."""
    with path.open("rb") as file:
        found = guess(file)
    if ask is None:
        return found
    for name in found.doubts:
        found = found.decide(_decided(found.choices[name], found, ask))
    forms = found.amount_forms
    if len(forms) > 1:
        signs = [form.decimal for form in forms]
        sign = ask("Which is the decimal sign of the amounts?", signs, "")
        found = replace(found, decided=forms[signs.index(sign)])
    return found


def _decided(choice: Choice, found: Guess, ask: Ask) -> Choice:
    """The choice, completed with the answers to its doubts."""
    if not (choice.header and choice.called):
        choice = _column(choice, found, ask)
    if choice.other_format:
        example = choice.samples[0]
        question = f"{choice.header!r} has {example!r}: how are its dates written?"
        form = ask(question, [choice.date_format, choice.other_format], "")
        choice = replace(choice, date_format=form, other_format="")
    return choice


def _column(choice: Choice, found: Guess, ask: Ask) -> Choice:
    taken = {c.header for c in found.choices.values() if c.sure}
    free = [header for header in found.columns if header not in taken]
    name = choice.name
    if name == "currency":
        text = ask("In which currency are all rows (a code such as EUR)?", sorted(CURRENCIES), "")
        return Choice(name, constant=text)
    answers = [*free, _NOTHING] if name in ("due_on", "paid_on") else free
    header = ask(f"Which column is {name}, {_MEANS.get(name, name)}?", answers, choice.header)
    if header == _NOTHING:
        return Choice(name)
    if header == choice.header:
        return choice
    column = found.columns[header]
    forms = [*(column.dates if name in DATES else ()), "", ""]
    return Choice(
        name, header, date_format=forms[0], other_format=forms[1], samples=tuple(column.cells[:3])
    )


def checked(path: Path, map_text: str) -> tuple[int, int, Causes]:
    """Reads the whole file with the map. Returns how many rows are good and how many amounts were
    rounded, and the causes of bad rows. Raises BookError for an incomplete map."""
    rows, rounded, causes = 0, 0, Causes()
    with path.open("rb") as file:
        for row in read_book(file, read_map(map_text)):
            if isinstance(row, RowError):
                causes.add(row)
            else:
                rows, rounded = rows + 1, rounded + row.rounded
    return rows, rounded, causes


def ask_on_terminal(say: Callable[[str], None], read: Callable[[], str]) -> Ask:
    """Asks until the answer is valid: the number or the text of an answer."""

    def ask(question: str, answers: list[str], default: str) -> str:
        say(question)
        listed = len(answers) <= _MOST_LISTED
        for number, answer in enumerate(answers if listed else (), 1):
            say(f"  {number}  {answer}{'   (Enter)' if answer == default else ''}")
        by_word = {answer.casefold(): answer for answer in answers}
        while True:
            text = read().strip() or default
            if text.casefold() in by_word:
                return by_word[text.casefold()]
            if listed and text.isdecimal() and 0 < int(text) <= len(answers):
                return answers[int(text) - 1]
            say(f"{text!r} is none of them" + (f"; 1 to {len(answers)}" if listed else ""))

    return ask


def write(
    file: Annotated[Path, typer.Argument(help="Invoices as CSV, in anybody's form.")],
    to: Annotated[Path | None, typer.Option("--out", help="MAP.toml; else the terminal.")] = None,
) -> None:
    """Write a map for a foreign file, guessed from its headers and samples; asks on a terminal
    where it is not sure. Then reads the file with it and says what is still wrong."""
    if to is not None and to.exists():
        raise ValueError(f"{to} is there already; name another file, or remove it")

    there = sys.stdin.isatty() and sys.stderr.isatty()
    found = guessed(file, ask_on_terminal(warn, input) if there else None)
    text = write_map(found, file.name)
    if to is None:
        sys.stdout.write(text)
    else:
        to.write_text(text, "utf-8")
    if found.plain:
        warn("the file is in our own form: it needs no map")
    if found.doubts:
        warn(f"in doubt, look at its comments: {', '.join(found.doubts)}")
    try:
        rows, rounded, causes = checked(file, text)
    except BookError as e:
        warn(f"the map is not complete: {e}")
        return
    more = f", {rounded:,} of them rounded" if rounded else ""
    warn(f"read with this map: {rows:,} rows are good{more}")
    for line in by_cause(causes, file.name):
        warn(f"  {line}")
