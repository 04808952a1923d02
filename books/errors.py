"""What can be wrong with a file: with all of it (``BookError``), or with one row (``RowError``)."""

from __future__ import annotations

from dataclasses import dataclass, field


class BookError(ValueError):
    """The file, or its map, cannot be used at all. ``line`` is 0 if no single line is wrong."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class RowError:
    """One error of a row. ``column`` is empty for an error of the whole row.

    ``cause`` is the reason without this row's value, so that rows can be grouped by it (empty: the
    same as the reason). ``value`` is that value, ``header`` the file's column that it is from.
    """

    line: int
    column: str
    reason: str
    cause: str = field(default="", compare=False)
    value: str = field(default="", compare=False)
    header: str = field(default="", compare=False)

    def __str__(self) -> str:
        where = f"line {self.line}, {self.column}" if self.column else f"line {self.line}"
        return f"{where}: {self.reason}"
