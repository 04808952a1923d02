"""Long books, and several at once."""

from __future__ import annotations

import io
import random
import threading
import tracemalloc
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import BinaryIO

import pytest
from sqlalchemy import Engine

from backoffice.ledger.customers import CustomerFact, put_customer
from backoffice.ledger.imports import ImportOptions, import_book
from store import bulk
from store import tables as t
from store.engine import transaction
from store.unit import Unit
from tests.cast.imports import HEADER, NOW, Office


def many(count: int) -> Callable[[], BinaryIO]:
    """A book of that many rows, ten for each customer, two of three paid."""

    def rows() -> bytes:
        out = io.StringIO()
        out.write(HEADER + "\n")
        for n in range(count):
            issued, who = date(2024, 1, 1) + timedelta(days=n % 400), n % max(count // 10, 1)
            paid = issued + timedelta(days=20) if n % 3 else ""
            out.write(
                f"C{who},Customer {who},c{who}@example.com,INV-{n},{issued},"
                f"{issued + timedelta(days=30)},{100 + n % 77}.50,EUR,{paid}\n"
            )
        return out.getvalue().encode()

    content = rows()
    return lambda: io.BytesIO(content)


@pytest.mark.slow
def test_nine_thousand_invoices_do_not_pile_up_in_memory(engine: Engine) -> None:
    file, office, warm = many(9_000), Office(engine), Office(engine)
    size = len(file().read())
    seen: list[int] = []
    import_book(engine, warm.id, many(10))
    tracemalloc.start()
    try:
        report = import_book(office.engine, office.id, file, ImportOptions(progress=seen.append))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (report.invoices, report.payments) == (9_000, 6_000)
    assert peak < 6_000_000, f"{peak:,} bytes for a file of {size:,}"
    assert seen == sorted(seen)
    assert (seen[0] >= 0, seen[-1]) == (True, 2 * size)
    assert len(seen) > 15


def test_two_imports_of_the_same_file_at_once(office: Office) -> None:
    file = many(500)
    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(import_book, office.engine, office.id, file) for _ in range(3)]
        reports = sorted((job.result(timeout=60) for job in jobs), key=lambda r: r.unchanged)
    assert [r.invoices for r in reports] == [500, 0, 0]
    assert [r.unchanged for r in reports] == [0, 500, 500]
    assert len(office.rows(t.Nudge)) == 50
    assert sum(entry.kind == "invoice_created" for entry in office.rows(t.TimelineEntry)) == 500


def test_payments_over_the_api_go_on_during_imports(office: Office) -> None:
    """Batches that lock customers in their order, single facts, and imports: all get through."""
    import_book(office.engine, office.id, many(300))
    done = threading.Event()
    failures: list[Exception] = []

    def report_facts(seed: int) -> None:
        draw = random.Random(seed)
        while not done.is_set():
            try:
                with transaction(office.engine) as session:
                    some = draw.sample(range(30), 5)
                    unit = Unit(session, office.id, NOW)
                    with bulk.batch(unit, {f"C{n}" for n in some}, []):
                        for n in some:
                            name, parent = f"Batch {draw.random()}", f"C{n - 1}" if n else None
                            put_customer(unit, CustomerFact(f"C{n}", name, parent=parent))
                office.pays(f"P{uuid.uuid4()}", "C1", "1.00", "2025-05-10", "INV-1")
            except Exception as error:  # noqa: BLE001 - told below
                failures.append(error)

    threads = [threading.Thread(target=report_facts, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(8):
        import_book(office.engine, office.id, many(300))
    done.set()
    for thread in threads:
        thread.join(30)
    assert failures == []
