"""The unapplied credit that is kept is always the sum of what was reported (rule 42)."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from backoffice.ledger.credits import CreditFact, credit_or_404, put_credit, reverse_credit
from backoffice.ledger.customers import CustomerFact, put_customer
from backoffice.ledger.find import find_customer, find_invoice
from backoffice.ledger.imports import ImportOptions, import_book
from backoffice.ledger.invoices import InvoiceFact, close_invoice, put_invoice
from backoffice.ledger.kinds import CREDIT_NOTE, PAYMENT
from books.row import BookRow
from dunning.ids import InvoiceId
from local.standalone import Services, create_database, drop_database
from rehearsal.apply import apply_all
from rehearsal.book import Event
from store import bulk
from store import tables as t
from store.engine import alembic_config, connect, transaction
from store.errors import DunningError
from store.load import load
from store.unit import Unit

NOW = datetime(2025, 6, 2, 9, tzinfo=UTC)
DAY = date(2025, 6, 2)

#: By the words of rule 42, over all that ever was: what the kept amount stands for.
SUM = sa.text(
    """
    SELECT customer_id, currency, sum(amount) FROM (
        SELECT customer_id, currency, amount FROM credit WHERE reversed_at IS NULL
        UNION ALL
        SELECT i.customer_id, i.currency, -least(sum(a.amount), i.total)
        FROM application a
        JOIN invoice i ON i.id = a.invoice_id AND i.status <> 'void'
        JOIN credit c ON c.id = a.credit_id AND c.reversed_at IS NULL
        GROUP BY i.id
    ) AS moves
    GROUP BY customer_id, currency HAVING sum(amount) <> 0
    """
)
KEPT = sa.text("SELECT customer_id, currency, amount FROM unapplied_credit WHERE amount <> 0")


def same(engine: Engine) -> dict[tuple[InvoiceId, str], Decimal]:
    """The kept amounts, which must be the sums."""
    with transaction(engine) as session:
        kept, summed = (
            {(row[0], row[1]): row[2] for row in session.connection().execute(statement)}
            for statement in (KEPT, SUM)
        )
    assert kept == summed
    return kept


class Ledger:
    """An organisation with two customers; each method is one thing that is reported."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        with transaction(engine) as session:
            organisation = t.Organisation(name="Amber & Sons", rehearsal_now=NOW)
            session.add(organisation)
            session.flush()
            self.id = organisation.id
            for key in ("C0", "C1"):
                put_customer(Unit(session, self.id, NOW), CustomerFact(key, key))

    def bill(self, unit: Unit, n: int, total: int) -> None:
        """Invoices 0 to 2 are C0's in EUR, 3 is its own in USD, 4 and 5 are C1's."""
        currency = "USD" if n == 3 else "EUR"
        fact = InvoiceFact(f"I{n}", f"C{n // 4}", f"I{n}", DAY, Decimal(total), currency, DAY)
        put_invoice(unit, fact)

    def credit(self, unit: Unit, n: int, amount: int, applied: dict[int, int], kind: str) -> None:
        customer = f"C{min(applied, default=0) // 4}"
        fact = CreditFact(
            kind,
            f"P{n}",
            customer,
            Decimal(amount),
            "USD" if applied.keys() == {3} else "EUR",
            DAY,
            {f"I{i}": Decimal(a) for i, a in applied.items()},
        )
        put_credit(unit, fact)

    def reverse(self, unit: Unit, n: int, kind: str) -> None:
        row = credit_or_404(unit, kind, f"P{n}")
        reverse_credit(unit, row, "bounced")

    def close(self, unit: Unit, n: int, status: str) -> None:
        row = find_invoice(unit, f"I{n}", lock=True)
        close_invoice(unit, row, status, "")

    def batch(self, unit: Unit, parts: list[tuple[str, tuple[Any, ...]]]) -> None:
        with bulk.batch(unit, ["C0", "C1"], [f"I{n}" for n in range(6)]):
            for name, arguments in parts:
                getattr(self, name)(unit, *arguments)

    def book(self, rows: list[tuple[int, int, bool]]) -> None:
        """A book of the invoices with other totals, negative ones as credit notes."""
        text = "customer,customer_name,email,invoice,issued_on,due_on,total,currency,paid_on\n"
        for n, total, paid in {row[0]: row for row in rows}.values():
            currency = "USD" if n == 3 else "EUR"
            key = f"I{n}" if total > 0 else f"N{n}"
            text += f"C{n // 4},,,{key},{DAY},{DAY},{total},{currency},"
            text += f"{DAY}\n" if paid and total > 0 else "\n"
        content = text.encode()
        options = ImportOptions(skip_bad_rows=True)
        import_book(self.engine, self.id, lambda: io.BytesIO(content), options)

    def live(self, step: tuple[str, tuple[Any, ...]]) -> None:
        name, arguments = step
        if name == "book":
            self.book(*arguments)
            return
        try:
            with transaction(self.engine) as session:
                getattr(self, name)(Unit(session, self.id, NOW, by="billing"), *arguments)
        except DunningError:
            pass  # refused as a whole: nothing of it is there


amounts, invoices, numbers = st.integers(0, 120), st.integers(0, 5), st.integers(0, 3)
kinds = st.sampled_from([PAYMENT, CREDIT_NOTE])
applications = st.dictionaries(invoices, st.integers(1, 80), max_size=2)
single = st.one_of(
    st.tuples(st.just("bill"), st.tuples(invoices, amounts)),
    st.tuples(st.just("credit"), st.tuples(numbers, st.integers(1, 200), applications, kinds)),
)
steps = st.one_of(
    single,
    single,
    st.tuples(st.just("reverse"), st.tuples(numbers, kinds)),
    st.tuples(st.just("close"), st.tuples(invoices, st.sampled_from(["void", "written_off"]))),
    st.tuples(st.just("batch"), st.tuples(st.lists(single, min_size=2, max_size=6))),
    st.tuples(
        st.just("book"),
        st.tuples(
            st.lists(
                st.tuples(invoices, st.sampled_from([-30, 40, 90]), st.booleans()),
                min_size=1,
                max_size=4,
            )
        ),
    ),
)


def test_whatever_is_reported_the_kept_credit_is_the_sum(engine: Engine) -> None:
    seen: list[Decimal] = []

    @settings(max_examples=10, deadline=None, database=None, phases=[Phase.generate])
    @given(
        st.lists(st.tuples(invoices, st.integers(10, 120)), min_size=3, max_size=6),
        st.lists(steps, min_size=6, max_size=10),
    )
    def any_life(bills: list[tuple[int, int]], life: list[tuple[str, tuple[Any, ...]]]) -> None:
        ledger = Ledger(engine)
        for bill in bills:
            ledger.live(("bill", bill))
        for step in life:
            ledger.live(step)
            seen.extend(same(engine).values())

    any_life()
    assert seen, "no credit was ever left over"
    assert min(seen) > 0


def test_credit_that_no_invoice_needs_any_more_is_loaded(engine: Engine) -> None:
    ledger = Ledger(engine)

    def unapplied() -> dict[str, Decimal]:
        same(engine)
        with transaction(engine) as session:
            unit = Unit(session, ledger.id)
            customer = find_customer(unit, "C0")
            return dict(load(unit, customer.id).account.credits)

    steps: list[tuple[Callable[[Unit], object], dict[str, int]]] = [
        (lambda unit: ledger.bill(unit, 0, 100), {}),
        (lambda unit: ledger.credit(unit, 0, 80, {0: 80}, PAYMENT), {}),
        (lambda unit: ledger.bill(unit, 0, 50), {"EUR": 30}),  # the total is corrected
        (lambda unit: ledger.credit(unit, 1, 25, {}, CREDIT_NOTE), {"EUR": 55}),
        (
            lambda unit: ledger.credit(unit, 0, 80, {}, PAYMENT),
            {"EUR": 105},
        ),  # applied to nothing
        (lambda unit: ledger.credit(unit, 0, 80, {0: 80}, PAYMENT), {"EUR": 55}),
        (lambda unit: ledger.close(unit, 0, "void"), {"EUR": 105}),
        (lambda unit: ledger.reverse(unit, 0, PAYMENT), {"EUR": 25}),
        (lambda unit: ledger.reverse(unit, 1, CREDIT_NOTE), {}),
    ]
    for report, left in steps:
        with transaction(engine) as session:
            report(Unit(session, ledger.id, NOW, by="billing"))
        assert unapplied() == left


def test_a_rehearsed_payment_leaves_no_credit(engine: Engine) -> None:
    ledger = Ledger(engine)
    with transaction(engine) as session:
        unit = Unit(session, ledger.id, NOW, by="billing")
        ledger.bill(unit, 0, 100)
        ledger.credit(unit, 0, 30, {0: 30}, PAYMENT)
    with transaction(engine) as session:
        row = BookRow(
            line=2,
            customer="C0",
            customer_name="",
            email="",
            invoice="I0",
            issued_on=DAY,
            due_on=DAY,
            total=Decimal(100),
            currency="EUR",
            paid_on=DAY,
        )
        apply_all(Unit(session, ledger.id, NOW), [Event(NOW, 0, row, paid=True)])
    assert same(engine) == {}


#: What an earlier version left behind: 5 EUR beyond a total, 40 EUR of which 20 were for an invoice
#: that is void, a payment that was reversed, and one that is used up.
BEFORE = """
    INSERT INTO organisation (id, name, timezone, sending_time, cut_off, working_days, holidays,
        days_off, currency, language, tolerance, spread_minutes, created_at)
    VALUES ('{org}', 'O', 'UTC', '08:30', '17:00', 'mon-fri', '', '[]', 'EUR', 'en', 0, 0, now());
    INSERT INTO customer (id, organisation_id, external_id, name, language, country, created_at)
    SELECT gen_random_uuid(), '{org}', key, key, '', '', now() FROM unnest('{{A,B}}'::text[]) key;
    INSERT INTO invoice (id, organisation_id, customer_id, external_id, number, issued_on, total,
        balance, currency, status, closed_reason, dispute_reason, created_at)
    SELECT gen_random_uuid(), '{org}', c.id, key, key, '2025-01-01', total, balance, 'EUR', status,
        '', '', now()
    FROM (VALUES ('A', 'I1', 100, 10, 'open'), ('A', 'I2', 60, 40, 'void'),
        ('B', 'I3', 10, 0, 'paid'), ('B', 'I4', 7, 7, 'open'))
        AS i (who, key, total, balance, status)
    JOIN customer c ON c.external_id = who;
    INSERT INTO credit (id, organisation_id, customer_id, kind, external_id, amount, currency,
        on_date, reversed_at, reversed_reason, created_at)
    SELECT gen_random_uuid(), '{org}', c.id, 'payment', key, amount, 'EUR', '2025-01-02',
        CASE WHEN key = 'P3' THEN now() END, '', now()
    FROM (VALUES ('A', 'P1', 130), ('B', 'P2', 15), ('A', 'P3', 500)) AS p (who, key, amount)
    JOIN customer c ON c.external_id = who;
    INSERT INTO application (credit_id, invoice_id, amount)
    SELECT c.id, i.id, a.amount
    FROM (VALUES ('P1', 'I1', 90), ('P1', 'I2', 20), ('P2', 'I3', 15))
        AS a (credit_key, invoice_key, amount)
    JOIN credit c ON c.external_id = credit_key
    JOIN invoice i ON i.external_id = invoice_key
"""


def test_the_migration_fills_it_for_what_there_is(postgres: Services) -> None:
    name = f"filled_{uuid.uuid4().hex[:8]}"
    url = create_database(postgres, name)
    config = alembic_config(url)
    (ours,) = (
        r
        for r in ScriptDirectory.from_config(config).walk_revisions()
        if r.doc == "unapplied credit is kept"
    )
    command.upgrade(config, str(ours.down_revision))
    engine = connect(url, pool_size=1)
    with transaction(engine) as session:
        session.connection().exec_driver_sql(BEFORE.format(org=uuid.uuid4()))
    command.upgrade(config, ours.revision)
    assert sorted(same(engine).values()) == [5, 40]
    engine.dispose()
    drop_database(postgres, name)
