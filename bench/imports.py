"""Imports 50,000 invoices of 5,000 customers, twice: time, rows a second, memory. PYTHONPATH=."""

from __future__ import annotations

import resource
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from backoffice.ledger.imports import import_book
from local.standalone import Embedded
from store import tables as t
from store.engine import connect, migrate, transaction

INVOICES, CUSTOMERS = 50_000, 5_000


def write_book(path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("customer,customer_name,email,invoice,issued_on,due_on,total,currency,paid_on\n")
        for n in range(INVOICES):
            issued, who = date(2024, 1, 1) + timedelta(days=n % 400), n % CUSTOMERS
            paid = issued + timedelta(days=20) if n % 3 else ""
            file.write(
                f"C{who},Customer {who},c{who}@example.com,INV-{n},{issued},"
                f"{issued + timedelta(days=30)},{100 + n % 77}.50,EUR,{paid}\n"
            )


def megabytes() -> float:
    """The most memory this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="dunning-") as folder,
        Embedded(Path(folder), temporal=None) as services,
    ):
        migrate(services.database_url)
        engine = connect(services.database_url)
        with transaction(engine) as session:
            organisation = t.Organisation(name="Bench")
            session.add(organisation)
        path = Path(folder) / "book.csv"
        write_book(path)
        before = megabytes()
        for word in ("first", "again"):
            began = time.perf_counter()
            report = import_book(engine, organisation.id, lambda: path.open("rb"))
            seconds = time.perf_counter() - began
            print(
                f"{word}: {seconds:.1f} s, {INVOICES / seconds:,.0f} rows a second, "
                f"{report.invoices:,} invoices, {report.payments:,} payments, "
                f"{report.unchanged:,} unchanged, {megabytes() - before:.0f} MB more"
            )
        engine.dispose()


if __name__ == "__main__":
    main()
