"""A book of invoices into the database: checked whole first, then written in one transaction.

The file is read once, as a stream, into a table of this transaction alone; checks and writes are
then one statement each, for all rows together (``sql/``). So memory stays flat however long the
file is, the customers are locked only for as long as PostgreSQL writes, and what is checked is what
is written.

The same file twice changes nothing. What a book leaves empty erases nothing: a name, an address, a
due date or a payment that is known stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from backoffice.ledger.closures import take_along
from backoffice.ledger.import_rows import MOST_NAMED, ImportReport, read_rows
from backoffice.ledger.import_statements import Statements
from books.errors import RowError
from books.map import BookMap
from dunning.ids import OrganisationId
from store import tables as t
from store.contacts import person_of
from store.engine import transaction
from store.errors import Conflict
from store.locks import lock_imports
from store.nudges import nudge_many
from store.races import repeated
from store.unit import Unit

#: A statement writes all rows of a book.
ANSWER_WITHIN = timedelta(minutes=10)
#: Files in ``sql/`` whose statements write what the rows say, in their order.
_WRITES = ("customers", "contacts", "invoices", "credits", "balances", "timeline")


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """``book_map``: how a foreign file reads. ``skip_bad_rows``: what is valid goes in all the
    same. ``progress`` is given the bytes read, and then as many again for what is written: 0 to
    twice the size. ``answer_within``: the longest statement."""

    book_map: BookMap | None = None
    skip_bad_rows: bool = False
    progress: Callable[[int], None] = lambda _: None
    answer_within: timedelta = ANSWER_WITHIN


def import_book(
    engine: Engine,
    organisation_id: OrganisationId,
    open_file: Callable[[], BinaryIO],
    options: ImportOptions = ImportOptions(),
) -> ImportReport:
    """Import a book: everything valid, or nothing as long as a row is bad and none may be skipped.

    ``paid_on`` becomes a payment ``import/{invoice}`` of what is then open on the invoice, a
    negative total a credit note. One nudge for each customer with news.

    Raises BookError where the file is no book at all, Conflict where the same customer or invoice
    was created elsewhere at the same moment, twice.
    """
    try:
        return repeated(lambda: _import(engine, organisation_id, open_file, options))
    except IntegrityError:
        raise Conflict(
            "somebody else created a customer or invoice of the book just now; import it again"
        ) from None


def _import(
    engine: Engine,
    organisation_id: OrganisationId,
    open_file: Callable[[], BinaryIO],
    options: ImportOptions,
) -> ImportReport:
    report = ImportReport()
    tell = options.progress
    with transaction(engine, answer_within=options.answer_within) as session:
        unit = Unit(session, organisation_id)
        run = Statements(unit)
        with open_file() as file:
            size = file.seek(0, 2)
            read_rows(run, file, options.book_map, report, lambda done: tell(min(done, size)))
        if options.skip_bad_rows or not report.bad_count:
            lock_imports(unit)
            run("rows", "lock")
        while _check(run, report) and options.skip_bad_rows:
            pass  # a parent may be known by a bad row alone
        report.bad_rows = sorted(report.bad_rows, key=lambda bad: bad.line)[:MOST_NAMED]
        if report.bad_count and not options.skip_bad_rows:
            return report
        _write(unit, run, lambda share: tell(size + int(size * share)))
        counts = run("counts", "count").one()
        report.customers, report.invoices = counts.customers, counts.invoices
        report.payments, report.unchanged = counts.payments, counts.unchanged
        nudge_many(unit, list(run("counts", "touched").scalars()))
    tell(size * 2)
    return report


def _check(run: Statements, report: ImportReport) -> bool:
    """Move what contradicts the database from the rows to the report; whether there was any."""
    run.all_of("wrong")
    if run("wrong_parents", "any_parent").scalar():
        run("wrong_parents", "wrong_tree")
    found = run("report", "drop_wrong").scalar_one()
    report.bad_count += found
    if found:
        for row in run("report", "name_wrong"):
            report.bad_rows.append(RowError(row.line, row.place, row.reason))
        for row in run("report", "count_wrong"):
            first = [RowError(line, row.place, reason) for line, reason in row.first]
            report.causes.add_all(row.place, row.cause, first, row.rows)
        run("report", "forget_wrong")
    return bool(found)


def _write(unit: Unit, run: Statements, tell: Callable[[float], None]) -> None:
    run("told", "customers")
    run("told", "analyze_customers")
    _take_closures_along(unit.named("billing"), run)
    for place, file in enumerate(_WRITES, 1):
        run.all_of(file)
        tell(place / (len(_WRITES) + 1))


def _take_closures_along(unit: Unit, run: Statements) -> None:
    """Before addresses and countries change: who does not want to be written to stays so."""
    for told in run("told", "closed").all():
        customer = unit.session.get_one(t.Customer, told.customer_id)
        person = person_of(unit, told.contact_id)
        if person is not None:
            new = told.address or person.value(told.kind)
            take_along(unit, customer, person, told.kind, new, told.country)
    unit.session.flush()
