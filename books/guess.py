"""Guesses the map of a foreign file from its headers and samples of its cells.

A choice that may be wrong has ``sure = False`` and lists the other columns that would fit, so that
a person can decide. ``books.write_map`` writes the guess as MAP.toml.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from books.cells import parse_amount, round_amount
from books.column import Choice, Column
from books.encoding import BinaryFile
from books.errors import RowError
from books.formats import AmountForm, amount_forms, is_nothing
from books.header import normal
from books.ranking import choose
from books.synonyms import HEADERS
from books.table import read_table
from dunning.currency import CURRENCIES

_MOST_ROWS = 5000
#: Signs of a single currency; "$" is used by many.
_SIGNS = {"€": "EUR", "£": "GBP"}


@dataclass(frozen=True, slots=True)
class Guess:
    """A guessed map: the column of each field, and the settings found in the cells.

    ``decided``: the form of amounts, if a person has chosen it.
    """

    choices: Mapping[str, Choice]
    columns: Mapping[str, Column]
    rows: int
    decided: AmountForm | None = None

    @property
    def doubts(self) -> list[str]:
        """The fields whose column a person should check."""
        return [name for name, choice in self.choices.items() if not choice.sure]

    @property
    def used(self) -> list[tuple[Choice, Column]]:
        return [(c, self.columns[c.header]) for c in self.choices.values() if c.header]

    @property
    def amount_forms(self) -> list[AmountForm]:
        """How the totals may be written, the most likely first. Each gives different amounts."""
        if self.decided is not None:
            return [self.decided]
        forms: dict[tuple[Decimal, ...], AmountForm] = {}
        for form in amount_forms(self._totals):
            forms.setdefault(_values(form, self._totals), form)
        return list(forms.values()) or [AmountForm()]

    @property
    def empty(self) -> list[str]:
        """Texts that mean an empty cell, in the columns that are used."""
        return sorted({text for _, column in self.used for text in column.nothing})

    @property
    def whole_numbers(self) -> list[str]:
        return [column.header for c, column in self.used if column.whole and c.name != "total"]

    @property
    def round(self) -> bool:
        """Whether amounts have more decimals than every currency of the file."""
        form, currency = self.amount_forms[0], self.choices["currency"]
        named = {currency.constant or "EUR"}
        if currency.header:
            named = {cell.upper() for cell in self.columns[currency.header].cells}
        finest = max(named, key=lambda code: CURRENCIES.get(code, 0), default="EUR")
        return form.reads_all(self._totals) and any(
            amount != round_amount(amount, finest) for amount in _values(form, self._totals)
        )

    @property
    def plain(self) -> bool:
        """Whether the file can be read without a map."""
        settings = (self.amount_forms != [AmountForm()], self.round, self.whole_numbers, self.empty)
        return not any(settings) and all(
            c.sure and normal(c.header) == name and c.date_format in ("", "%Y-%m-%d")
            for name, c in self.choices.items()
        )

    @property
    def _totals(self) -> list[str]:
        header = self.choices["total"].header
        return self.columns[header].cells if header else []

    def decide(self, choice: Choice) -> Guess:
        """The guess with a choice that a person has made."""
        decided = replace(choice, sure=True, why="")
        return replace(self, choices={**self.choices, choice.name: decided})


def _values(form: AmountForm, cells: Sequence[str]) -> tuple[Decimal, ...]:
    return tuple(parse_amount(c, form.decimal, form.thousands, form.strip) for c in cells)


def guess(file: BinaryFile) -> Guess:
    """Reads at most the first 5,000 rows. Raises BookError if the file is not CSV."""
    known = {header for headers in HEADERS.values() for header in headers}
    table = read_table(file, known)
    columns = [Column(header.strip()) for header in table.header]
    rows = 0
    for _, cells in table.rows:
        if isinstance(cells, RowError):
            continue
        rows += 1
        for column, cell in zip(columns, cells, strict=True):
            text = cell.strip()
            if is_nothing(text) or not text:
                column.nothing.update({text} - {""})
                column.gaps += 1
            else:
                column.cells.append(text)
        if rows == _MOST_ROWS:
            break
    for column in columns:
        column.end()
    named = {column.header: column for column in columns if column.header}
    found = Guess(choose(list(named.values())), named, rows)
    sign = next((sign for sign in _SIGNS if sign in found.amount_forms[0].strip), "")
    if sign and not found.choices["currency"].header:
        why = f"the amounts have the sign {sign}"
        euro = Choice("currency", constant=_SIGNS[sign], why=why)
        return replace(found, choices={**found.choices, "currency": euro})
    return found
