"""``dunning import``: a book of invoices into the database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands.console import bar, out, warn
from commands.target import Organisation, database, organisation_id_of
from logs import set_up_logging
from settings import load_settings
from store.engine import connect, migrate, transaction
from store.errors import DunningError


def import_book(
    file: Annotated[Path, typer.Argument(help="Invoices as CSV.")],
    map_: Annotated[Path | None, typer.Option("--map", help="How a foreign file reads.")] = None,
    skip_bad_rows: Annotated[bool, typer.Option("--skip-bad-rows")] = False,
    organisation: Organisation = None,
) -> None:
    """Import a book of invoices: all that is valid goes in, or nothing."""
    from backoffice.ledger.imports import ImportOptions
    from backoffice.ledger.imports import import_book as run
    from books.causes import by_cause
    from books.read_map import read_map

    settings = load_settings()
    set_up_logging("WARNING")
    book_map = read_map(map_.read_bytes()) if map_ else None
    size = file.stat().st_size
    with database(settings) as url, bar("importing", size * 2) as step:
        migrate(url)
        engine = connect(url, pool_size=2)
        with transaction(engine) as session:
            organisation_id = organisation_id_of(session, organisation)
        options = ImportOptions(book_map, skip_bad_rows, step)
        report = run(engine, organisation_id, lambda: file.open("rb"), options)
        engine.dispose()
    for line in by_cause(report.causes, file.name):
        warn(line, style="yellow")
    if report.bad_count and not skip_bad_rows:
        raise DunningError(
            f"{report.bad_count} bad rows: nothing was imported; mend them, or leave them out "
            "with --skip-bad-rows"
        )
    out.print(
        f"{report.customers} customers, {report.invoices} invoices, {report.payments} payments; "
        f"{report.unchanged} unchanged, {report.bad_count} bad rows left out"
        + (f"; {report.rounded} amounts rounded" if report.rounded else "")
    )
