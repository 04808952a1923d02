"""The same book reported one by one, in a batch, as an import and in a rehearsal leaves the same
tables, to the last column."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from backoffice.ledger.applied import find_credit
from backoffice.ledger.credits import CreditFact, put_credit, reverse_credit
from backoffice.ledger.find import find_invoice
from backoffice.ledger.invoices import close_invoice
from backoffice.ledger.kinds import CREDIT_NOTE, PAYMENT
from books.book import read_book
from books.row import BookRow
from store.errors import DunningError
from store.unit import Unit
from tests.cast.resulting_tables import nudged, tables_of, timeline_of
from tests.cast.ways import Imported, InBatches, OneByOne, Rehearsed, Way

COLUMNS = (
    "customer,customer_name,email,invoice,issued_on,due_on,total,currency,paid_on,phone,language,"
    "country,terms_days,parent,plan"
)


def row_of(n: int, what: tuple[Any, ...]) -> str:
    """A row about the invoice or credit note ``n``. A name, an address or a due date may be left
    out, a total and a day corrected; its customer, currency and ``paid_on`` stay."""
    late, due, total, paid, name, email, phone, terms, plan = what
    issued = date(2025, 1, 1) + timedelta(days=3 * n + late)
    cells = [
        f"C{n % 3}",
        name,
        email,
        f"I{n}",
        issued,
        issued + timedelta(days=due) if due else "",
        f"-{total}" if n % 4 == 3 else total,
        "USD" if n == 5 else "EUR",
        date(2025, 3, 1) + timedelta(days=n) if paid and n % 4 != 3 else "",
        phone,
        "fr" if terms else "",
        "FR" if phone else "",
        terms,
        "C0" if n % 3 == 1 else "",
        plan,
    ]
    return ",".join(map(str, cells))


said = st.tuples(
    st.sampled_from([0, 1]),
    st.sampled_from([0, 14, 30]),
    st.sampled_from(["10.00", "25.50", "99.99"]),
    st.booleans(),
    st.sampled_from(["", "Ada", "Bea"]),
    st.sampled_from(["", "a@x.example", "B@x.example"]),
    st.sampled_from(["", "06 12 34 56 78"]),
    st.sampled_from(["", 30]),
    st.sampled_from(["", "", "Standard", "Gentle"]),
)
reports = st.dictionaries(st.integers(1, 8), said, min_size=1, max_size=6).flatmap(
    lambda some: said.map(lambda first: {0: first, **some})  # C0 is in each: it is a parent
)
amounts = st.sampled_from([Decimal(5), Decimal("25.50"), Decimal(120)])
between = st.one_of(
    st.tuples(
        st.just("credit"),
        st.sampled_from([PAYMENT, CREDIT_NOTE]),
        st.integers(0, 2),
        st.integers(0, 8),
        amounts,
    ),
    st.tuples(st.just("reverse"), st.integers(0, 2)),
    st.tuples(st.just("reverse the book's"), st.integers(0, 8)),
    st.tuples(st.just("close"), st.sampled_from(["void", "written_off"]), st.integers(0, 8)),
)


def happens(way: Way, event: tuple[Any, ...]) -> None:
    """Something that is told one by one, whichever way the book takes. What cannot be is refused in
    all of them."""

    def apply(unit: Unit) -> None:
        what, *rest = event
        if what == "credit":
            kind, number, n, amount = rest
            fact = CreditFact(
                kind, f"P{number}", f"C{n % 3}", amount, "EUR", date(2025, 5, 1), {f"I{n}": amount}
            )
            put_credit(unit, fact)
        elif what == "close":
            close_invoice(unit, find_invoice(unit, f"I{rest[1]}", lock=True), rest[0], "")
        else:
            key = f"P{rest[0]}" if what == "reverse" else f"{way.prefix}/I{rest[0]}"
            if (known := find_credit(unit, PAYMENT, key)) is not None:
                reverse_credit(unit, known, "bounced")

    with suppress(DunningError):
        way.do(apply)


@pytest.mark.slow
def test_a_book_leaves_the_same_tables_whichever_way_it_is_told(engine: Engine) -> None:
    @settings(
        max_examples=12,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.lists(st.tuples(reports, st.lists(between, max_size=3)), min_size=2, max_size=4))
    def any_book(life: list[tuple[dict[int, Any], list[tuple[Any, ...]]]]) -> None:
        ways = [kind(engine) for kind in (OneByOne, InBatches, Imported, Rehearsed)]
        for report, events in life:
            text = "\n".join([COLUMNS, *(row_of(n, report[n]) for n in sorted(report)), ""])
            rows = [row for row in read_book(io.BytesIO(text.encode())) if isinstance(row, BookRow)]
            assert len(rows) == len(report)
            for way in ways:
                way.report(rows, text)
                for event in events:
                    happens(way, event)
            assert_alike(ways)

    any_book()


def assert_alike(ways: Sequence[Way]) -> None:
    one_by_one, in_batches, imported, rehearsed = ways
    expected = tables_of(one_by_one)
    assert tables_of(in_batches) == expected
    assert tables_of(imported) == expected
    assert tables_of(rehearsed, rehearsed=True) == tables_of(one_by_one, rehearsed=True)
    assert timeline_of(in_batches) == timeline_of(one_by_one)
    # An import sees the last state of an invoice alone, not that it was open for a moment, and does
    # not say of a new customer which plan it was given.
    facts = {"customer_created", "invoice_created", "invoice_updated", "credit_note", "payment"}
    assert timeline_of(imported, facts) == timeline_of(one_by_one, facts)
    facts.remove("customer_created")  # a rehearsal knows no more than the row that it tells
    assert timeline_of(rehearsed, facts) == timeline_of(one_by_one, facts)
    who = nudged(one_by_one)
    assert (nudged(in_batches), nudged(imported)) == (who, who)
    assert nudged(rehearsed) >= who
