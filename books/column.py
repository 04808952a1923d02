"""A column of a foreign file, and the choice of a column for a field."""

from __future__ import annotations

from dataclasses import dataclass, field

from books.fields import DATES
from books.formats import all_whole_floats, amount_forms, date_formats
from dunning.currency import CURRENCIES


@dataclass(frozen=True, slots=True)
class Choice:
    """Where a field comes from: the column ``header``, or a ``constant``; both empty if not found.

    ``others``: other headers that would fit. ``samples``: the column's first cells. ``why``
    explains a doubt, as a comment in the map.
    """

    name: str
    header: str = ""
    constant: str = ""
    date_format: str = ""
    other_format: str = ""  # a second format for every sample, if day and month are ambiguous
    sure: bool = True
    called: bool = True  # chosen by its header; False: only by its cells
    others: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()
    why: str = ""


@dataclass(slots=True)
class Column:
    """What is known of one column."""

    header: str
    cells: list[str] = field(default_factory=list)  # without empty cells
    nothing: set[str] = field(default_factory=set)  # texts that mean empty, such as NULL
    formats: list[str] | None = None
    whole: bool = False  # whole numbers that a program wrote as floats
    gaps: int = 0  # rows without a value

    def end(self) -> None:
        """Call it when all cells are added."""
        if all_whole_floats(self.cells):
            self.whole = True
            self.cells = [cell.partition(".")[0] for cell in self.cells]

    @property
    def dates(self) -> list[str]:
        if self.formats is None:
            self.formats = date_formats(self.cells)
        return self.formats

    def fits(self, name: str) -> bool:
        """Whether the cells can be values of this field. An empty column fits optional dates."""
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
            case "invoice":  # nearly every row has a different one
                return len(set(cells)) * 10 >= len(cells) * 9
        return True
