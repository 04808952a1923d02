"""A book of invoices into the database: checked whole first, then written in one transaction.

The file is read once, as a stream, into a table of this transaction alone; checks and writes are
then one statement each, for all rows together. So memory stays flat however long the file is, the
customers are locked only for as long as PostgreSQL writes, and what is checked is what is written.

The same file twice changes nothing. What a book leaves empty erases nothing: a name, an address, a
due date or a payment that is known stays.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, BinaryIO

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from backoffice.ledger import ahead
from backoffice.ledger import imports_sql as sql
from backoffice.ledger.contacts import take_along
from books.book import read_book
from books.causes import Causes
from books.errors import BookError, RowError
from books.map import BookMap
from store import tables as t
from store.calendars import calendar_of
from store.closures import EMAIL, PHONE
from store.engine import transaction
from store.errors import Conflict
from store.locks import lock_imports
from store.nudges import nudge_many
from store.races import repeated
from store.unit import Unit

MOST_NAMED = 1000
#: A statement writes all rows of a book.
ANSWER_WITHIN = timedelta(minutes=10)
#: Wrong rows of a file that is still read to its end.
MOST_BAD = 1_000_000
_ROWS_BETWEEN_REPORTS = 500
Progress = Callable[[int], None]


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


def import_book(
    engine: Engine,
    organisation_id: uuid.UUID,
    open_file: Callable[[], BinaryIO],
    book_map: BookMap | None = None,
    skip_bad_rows: bool = False,
    progress: Progress | None = None,
    answer_within: timedelta = ANSWER_WITHIN,
) -> ImportReport:
    """Import a book: everything valid, or nothing as long as a row is bad and none may be skipped.

    ``paid_on`` becomes a payment ``import/{invoice}`` of what is then open on the invoice, a
    negative total a credit note. One nudge for each customer with news. ``progress`` is given the
    bytes read, and then as many again for what is written: 0 to twice the size. ``answer_within``:
    the longest statement.

    Raises BookError where the file is no book at all, Conflict where the same customer or invoice
    was created elsewhere at the same moment, twice.
    """

    def once() -> ImportReport:
        return _import(
            engine, organisation_id, open_file, book_map, skip_bad_rows, progress, answer_within
        )

    try:
        return repeated(once)
    except IntegrityError:
        raise Conflict(
            "somebody else created a customer or invoice of the book just now; import it again"
        ) from None


def _import(
    engine: Engine,
    organisation_id: uuid.UUID,
    open_file: Callable[[], BinaryIO],
    book_map: BookMap | None,
    skip_bad_rows: bool,
    progress: Progress | None,
    answer_within: timedelta,
) -> ImportReport:
    report = ImportReport()
    tell = progress or (lambda _: None)
    with transaction(engine, answer_within=answer_within) as session:
        unit = Unit(session, organisation_id)
        write = _Write(unit)
        with open_file() as file:
            size = file.seek(0, 2)
            _read(write, file, book_map, report, lambda done: tell(min(done, size)))
        nothing = bool(report.bad_count) and not skip_bad_rows
        if not nothing:
            lock_imports(unit)
            write(sql.LOCK)
        while _check(write, report) and skip_bad_rows:
            pass  # a parent may be known by a bad row alone
        report.bad_rows = sorted(report.bad_rows, key=lambda bad: bad.line)[:MOST_NAMED]
        if report.bad_count and not skip_bad_rows:
            return report
        for statement in sql.CUSTOMERS:
            write(statement)
        _take_closures_along(unit.named("billing"), write)
        for place, statement in enumerate(sql.WRITE, 1):
            write(statement)
            tell(size + size * place // (len(sql.WRITE) + 1))
        counts = write(sql.COUNT).one()
        report.customers, report.invoices = counts.customers, counts.invoices
        report.payments, report.unchanged = counts.payments, counts.unchanged
        nudge_many(unit, list(write(sql.TOUCHED).scalars()))
    tell(size * 2)
    return report


def _take_closures_along(unit: Unit, write: _Write) -> None:
    """Before addresses and countries change: who does not want to be written to stays so."""
    for told in write(sql.CLOSED).all():
        customer = unit.session.get_one(t.Customer, told.customer_id)
        row = unit.session.get_one(t.Contact, told.contact_id)
        for kind, new in ((EMAIL, told.email), (PHONE, told.phone or row.phone)):
            take_along(unit, customer, row, kind, new, country=told.country)
    unit.session.flush()


class _Write:
    """Statements of one import: for its organisation, at the organisation's time."""

    def __init__(self, unit: Unit) -> None:
        self.connection = unit.session.connection()
        today = calendar_of(unit.organisation).today(unit.now)
        self._values = {
            "org": unit.organisation_id,
            "at": unit.now,
            "last_credit": today + ahead.CREDIT,
            "credit_far": ahead.reason(today, ahead.CREDIT),
            "last_invoice": today + ahead.INVOICE,
            "invoice_far": ahead.reason(today, ahead.INVOICE),
        }

    def __call__(self, statement: str) -> sa.CursorResult[Any]:
        clause = sa.text(statement)
        names = clause.compile().params
        return self.connection.execute(clause, {n: self._values[n] for n in names})


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


def _read(
    write: _Write,
    file: BinaryIO,
    book_map: BookMap | None,
    report: ImportReport,
    tell: Progress,
) -> None:
    """Every good row into the table ``import_row``, every bad one into the report."""
    write(sql.STAGE)
    counted = _Counted(file)
    rows = read_book(counted, book_map)
    connection: Any = write.connection.connection.driver_connection
    last_bad = 0
    with connection.cursor() as cursor, cursor.copy(sql.COPY) as copy:
        for number, row in enumerate(rows):
            if number % _ROWS_BETWEEN_REPORTS == 0:
                tell(counted.done)
            if isinstance(row, RowError):
                report.bad_count += row.line != last_bad
                if report.bad_count > MOST_BAD:
                    reason = f"with this row more than {MOST_BAD:,} are wrong; is this the right "
                    raise BookError(f"{reason}file, and the right map?", row.line)
                last_bad = row.line
                report.causes.add(row)
                if len(report.bad_rows) < MOST_NAMED:
                    report.bad_rows.append(row)
                continue
            report.rounded += row.rounded
            copy.write_row((
                row.line, row.customer, row.customer_name, row.email, row.phone, row.language,
                row.country, row.terms_days, row.parent, row.plan, row.invoice, row.issued_on,
                row.due_on, row.total, row.currency, row.paid_on,
            ))  # fmt: skip
    tell(counted.done)
    write("ANALYZE import_row")


def _check(write: _Write, report: ImportReport) -> bool:
    """Move what contradicts the database from the rows to the report; whether there was any."""
    write(sql.WRONG)
    write(sql.TOO_FAR)
    if write(sql.ANY_PARENT).scalar():
        write(sql.WRONG_TREE)
    found = write(sql.DROP_WRONG).scalar_one()
    report.bad_count += found
    if found:
        for row in write(sql.NAME_WRONG):
            report.bad_rows.append(RowError(row.line, row.place, row.reason))
        for row in write(sql.COUNT_WRONG):
            first = [RowError(line, row.place, reason) for line, reason in row.first]
            report.causes.add_all(row.place, row.cause, first, row.rows)
        write("TRUNCATE import_wrong")
    return bool(found)
