"""Every good row of a book goes into the table ``import_row``, every bad one into the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from backoffice.ledger.import_statements import Statements, statements
from books.book import read_book
from books.causes import Causes
from books.errors import BookError, RowError
from books.map import BookMap
from books.row import BookRow

MOST_NAMED = 1000
#: Wrong rows of a file that is still read to its end.
MOST_BAD = 1_000_000
_ROWS_BETWEEN_REPORTS = 500


@dataclass
class ImportReport:
    """What an import did. ``customers`` and ``invoices`` (credit notes among them) are those made
    or changed, ``unchanged`` the rows that brought no news. ``bad_count`` counts bad rows, of which
    ``bad_rows`` names what is wrong with the first ones, and ``causes`` groups all of them.
    ``rounded``: good rows whose total was finer than its currency."""

    customers: int = 0
    invoices: int = 0
    payments: int = 0
    unchanged: int = 0
    bad_rows: list[RowError] = field(default_factory=list)
    bad_count: int = 0
    rounded: int = 0
    causes: Causes = field(default_factory=Causes, compare=False)


def read_rows(
    run: Statements,
    file: BinaryIO,
    book_map: BookMap | None,
    report: ImportReport,
    tell: Callable[[int], None],
) -> None:
    """``tell`` is given the bytes read so far. Raises BookError where the file is no book."""
    run("rows", "stage")
    counted = _Counted(file)
    connection: Any = run.connection.connection.driver_connection
    bad = _Bad(report)
    with connection.cursor() as cursor, cursor.copy(statements("rows")["copy"]) as copy:
        for number, row in enumerate(read_book(counted, book_map)):
            if number % _ROWS_BETWEEN_REPORTS == 0:
                tell(counted.done)
            if isinstance(row, RowError):
                bad.add(row)
            else:
                report.rounded += row.rounded
                copy.write_row(_cells(row))
    tell(counted.done)
    run("rows", "analyze_rows")


def _cells(row: BookRow) -> tuple[object, ...]:
    """As the columns of ``import_row``."""
    who = (row.line, row.customer, row.customer_name, row.email, row.phone, row.language)
    terms = (row.country, row.terms_days, row.parent, row.plan)
    what = (row.invoice, row.issued_on, row.due_on, row.total, row.currency, row.paid_on)
    return who + terms + what


class _Bad:
    """Bad rows go into the report: the first ones by name, all of them by cause."""

    def __init__(self, report: ImportReport) -> None:
        self._report = report
        self._last_line = 0

    def add(self, error: RowError) -> None:
        report = self._report
        report.bad_count += error.line != self._last_line
        self._last_line = error.line
        if report.bad_count > MOST_BAD:
            reason = f"with this row more than {MOST_BAD:,} are wrong; is this the right "
            raise BookError(f"{reason}file, and the right map?", error.line)
        report.causes.add(error)
        if len(report.bad_rows) < MOST_NAMED:
            report.bad_rows.append(error)


class _Counted:
    """A file that knows how far it has been read since it was last rewound."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.done = 0

    def read(self, size: int, /) -> bytes:
        found = self._file.read(size)
        self.done += len(found)
        return found

    def seek(self, offset: int, /) -> None:
        self.done = self._file.seek(offset)
