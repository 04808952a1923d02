"""What can be wrong with a file: as a whole (``BookError``), or with one row (``RowError``)."""

from __future__ import annotations

from dataclasses import dataclass, field


class BookError(ValueError):
    """The file, or its map, cannot be used at all; ``line`` is 0 where no line is to blame."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class RowError:
    """One thing that is wrong with a row. ``column`` is empty when it is the row as a whole.

    ``cause`` is the reason without this row's own value, so that rows can be grouped by it (empty:
    the reason itself). ``value`` is that value, ``header`` the column of the file that it is from.
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
