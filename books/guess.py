"""Guesses how a foreign file reads as a book, from its headers and samples of its cells.

A guess that could be wrong is marked ``sure = False`` with the other columns that would fit:
whoever knows the file decides. ``books.map_text`` writes it as MAP.toml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from books.cells import parse_amount, round_amount
from books.formats import AmountForm, all_whole_floats, amount_forms, date_formats, is_nothing
from books.headers import HEADERS
from books.map import FIELDS, OPTIONAL, normal
from books.table import BinaryFile, RowError, read_table
from dunning.currency import CURRENCIES

_MOST_ROWS = 5000
#: Signs of one currency alone; "$" is that of many.
_SIGNS = {"€": "EUR", "£": "GBP"}
DATES = ("issued_on", "due_on", "paid_on")
#: What a book cannot be read without. A file without ``paid_on`` must say so: see docs/books.md.
NEEDED = ("customer", "invoice", "issued_on", "due_on", "total", "currency", "paid_on")


@dataclass(frozen=True, slots=True)
class Choice:
    """Where a field comes from: the ``header`` of a column, or a ``constant``. Neither: from
    nowhere. ``others``: more headers that would fit. ``samples``: first cells. ``why`` is for a
    comment."""

    name: str
    header: str = ""
    constant: str = ""
    date_format: str = ""
    other_format: str = ""  # reads every sample as well: day and month the other way round
    sure: bool = True
    called: bool = True  # the header says it, not the cells alone
    others: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()
    why: str = ""


@dataclass(slots=True)
class Column:
    """What there is to know of one column."""

    header: str
    cells: list[str] = field(default_factory=list)  # not empty, nothing that means empty
    nothing: set[str] = field(default_factory=set)
    formats: list[str] | None = None
    whole: bool = False  # whole numbers that a program wrote as floats
    gaps: int = 0  # rows without a value

    def end(self) -> None:
        """All cells are here."""
        if all_whole_floats(self.cells):
            self.whole = True
            self.cells = [cell.partition(".")[0] for cell in self.cells]

    @property
    def dates(self) -> list[str]:
        if self.formats is None:
            self.formats = date_formats(self.cells)
        return self.formats

    def fits(self, name: str) -> bool:
        """Whether the cells can be what the field is. An empty column may be anything."""
        cells = self.cells
        if name in DATES:
            return bool(self.dates) or (not cells and name != "issued_on")
        if not cells:
            return False
        match name:
            case "total":
                return bool(amount_forms(cells))
            case "currency":
                return all(cell.upper() in CURRENCIES for cell in cells)
            case "email":
                return all("@" in cell for cell in cells)
            case "country":
                return all(len(cell) == 2 and cell.isalpha() for cell in cells)
            case "language":
                return all(cell[:2].isalpha() and len(cell) in (2, 5) for cell in cells)
            case "terms_days":
                return all(cell.isdecimal() for cell in cells)
            case "invoice":  # nearly every row has another one
                return len(set(cells)) * 10 >= len(cells) * 9
        return True


@dataclass(frozen=True, slots=True)
class Guess:
    """A guessed map: where each field comes from, and what the columns say of the settings.

    ``decided``: how amounts are written, where somebody has said so.
    """

    choices: Mapping[str, Choice]
    columns: Mapping[str, Column]
    rows: int
    decided: AmountForm | None = None

    @property
    def doubts(self) -> list[str]:
        """The fields whose choice nobody should trust unseen."""
        return [name for name, choice in self.choices.items() if not choice.sure]

    @property
    def used(self) -> list[tuple[Choice, Column]]:
        return [(c, self.columns[c.header]) for c in self.choices.values() if c.header]

    @property
    def amount_forms(self) -> list[AmountForm]:
        """How the totals may be written, the likeliest first; more than one give other amounts."""
        if self.decided is not None:
            return [self.decided]
        forms: dict[tuple[Decimal, ...], AmountForm] = {}
        for form in amount_forms(self._totals):
            forms.setdefault(_values(form, self._totals), form)
        return list(forms.values()) or [AmountForm()]

    @property
    def empty(self) -> list[str]:
        """What stands for an empty cell in the columns that are used."""
        return sorted({text for _, column in self.used for text in column.nothing})

    @property
    def whole_numbers(self) -> list[str]:
        return [column.header for c, column in self.used if column.whole and c.name != "total"]

    @property
    def round(self) -> bool:
        """Whether amounts are finer than every currency of the file."""
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
        """Whether the file reads as it is, without a map."""
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
        """The guess with a choice that somebody has made: no longer in doubt."""
        decided = replace(choice, sure=True, why="")
        return replace(self, choices={**self.choices, choice.name: decided})


def _values(form: AmountForm, cells: Sequence[str]) -> tuple[Decimal, ...]:
    return tuple(parse_amount(c, form.decimal, form.thousands, form.strip) for c in cells)


def guess(file: BinaryFile) -> Guess:
    """Look at the file from its beginning, at most 5,000 rows of it. Raises BookError where it is
    no CSV file at all."""
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
    found = Guess(_choose(list(named.values())), named, rows)
    sign = next((sign for sign in _SIGNS if sign in found.amount_forms[0].strip), "")
    if sign and not found.choices["currency"].header:
        why = f"the amounts have the sign {sign}"
        euro = Choice("currency", constant=_SIGNS[sign], why=why)
        return replace(found, choices={**found.choices, "currency": euro})
    return found


def _choose(columns: Sequence[Column]) -> dict[str, Choice]:
    """The best column for each field; a column is taken once, by the field it fits best."""
    ranked = sorted(
        (rank, _GUESSED.index(name), column.header, name)
        for name in _GUESSED
        for column in columns
        if (rank := _rank(name, column)) is not None
    )
    by_header = {column.header: column for column in columns}
    choices: dict[str, Choice] = {}
    taken: set[str] = set()
    for rank, _, header, name in ranked:
        if name in choices or header in taken:
            continue
        taken.add(header)
        rivals = tuple(h for r, _, h, n in ranked if n == name and h != header and r < _BY_CONTENT)
        choices[name] = _choice(name, by_header[header], rivals, sure=rank < _BY_CONTENT)
    _same_dates(choices)
    for name in NEEDED:
        if name not in choices:
            fitting = tuple(c.header for c in columns if c.fits(name) and c.header not in taken)
            choices[name] = Choice(name, sure=False, others=fitting, why="no column is called so")
    return {name: choices[name] for name in (*FIELDS, *OPTIONAL) if name in choices}


#: ``parent`` and ``plan`` of a foreign file mean something else.
_GUESSED = tuple(HEADERS)


def _same_dates(choices: dict[str, Choice]) -> None:
    """A program writes all dates alike: a column in which day and month are clear tells others."""
    clear = {c.date_format for c in choices.values() if c.date_format and not c.other_format}
    for name, choice in choices.items():
        both = {choice.date_format, choice.other_format} & clear
        if choice.other_format and len(both) == 1:
            form = both.pop()
            choices[name] = replace(
                choice, date_format=form, other_format="", why="", sure=choice.called
            )


_NEVER_EMPTY = frozenset({"customer", "invoice", "issued_on", "total", "currency"})
_WITH_GAPS = 50  # added to the rank of a column that has rows without a value
_WITHIN = 100  # a rank: the header holds a known one
_BY_CONTENT = 200  # a rank: only the cells say so


def _rank(name: str, column: Column) -> int | None:
    """How well a column fits a field, 0 best; None where it does not."""
    header, known = _words(column.header), HEADERS[name]
    if not column.fits(name):
        return None
    missing = _WITH_GAPS if column.gaps and name in _NEVER_EMPTY else 0
    if header in known:
        return known.index(header) + missing
    words = header.split("_")
    within = [i for i, k in enumerate(known) if k in words or (len(k) > 4 and k in header)]
    if within:
        return _WITHIN + min(within) + missing
    return _BY_CONTENT if name in ("email", "currency") else None


def _words(header: str) -> str:
    """``InvoiceDate``, ``invoice.date`` and ``Invoice date`` are ``invoice_date``."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[.]+", "_", header)
    return normal(apart).strip("_")


def _choice(name: str, column: Column, rivals: tuple[str, ...], *, sure: bool) -> Choice:
    choice = Choice(
        name,
        column.header,
        sure=sure,
        called=sure,
        others=rivals,
        samples=tuple(dict.fromkeys(column.cells))[:3],
        why="" if sure else "its cells look like it; its header does not say so",
    )
    if name not in DATES or not column.dates:
        return choice
    form, *more = column.dates
    if not more:
        return replace(choice, date_format=form)
    why = "day and month cannot be told apart in this file"
    return replace(choice, date_format=form, other_format=more[0], sure=False, why=why)
