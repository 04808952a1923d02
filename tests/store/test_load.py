"""The number of rows read to load an account does not grow with the customer's past."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlmodel import Session

from activities.deciding import decide_and_record
from addresses.kinds import key_of
from backoffice.delivery import callbacks
from backoffice.ledger.browse import InvoiceFilter, list_invoices
from backoffice.ledger.closures import KIND_OF, people_everywhere
from backoffice.worklist.lists import Wanted, list_actions
from dunning.ids import CustomerId
from dunning.learnt import CameIn
from dunning.model import ActionStatus
from dunning.plan import ActionType
from stand_ins.history import OPEN, organisation_with_history
from store import tables as t
from store.engine import transaction
from store.load import load
from store.unit import Unit

_READ = sa.text(
    "SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) AS read"
    " FROM pg_stat_xact_user_tables"
    " WHERE seq_tup_read + coalesce(idx_tup_fetch, 0) > 0"
)


def rows_read(engine: Engine, what: Callable[[Session], object]) -> dict[str, int]:
    """The number of rows that PostgreSQL reads of each table, with generic query plans."""
    with transaction(engine) as session:
        session.connection().execute(sa.text("SET LOCAL plan_cache_mode = force_generic_plan"))
        before = {row.relname: row.read for row in session.connection().execute(_READ)}
        what(session)
        after = {row.relname: row.read for row in session.connection().execute(_READ)}
        session.rollback()
    return {name: count - before.get(name, 0) for name, count in after.items()}


def test_loading_a_customer_reads_as_few_rows_with_1500_closed_invoices_as_with_3(
    engine: Engine,
) -> None:
    with transaction(engine) as session:
        others = {f"other-{n}": 3 for n in range(100)}
        organisation, known = organisation_with_history(
            session, {**others, "short": 3, "long": 1500}
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE"))
    now = datetime.now(UTC)

    def loads(customer: CustomerId) -> dict[str, int]:
        return rows_read(engine, lambda session: load(Unit(session, organisation), customer))

    def reviews(customer: CustomerId) -> dict[str, int]:
        return rows_read(
            engine,
            lambda session: decide_and_record(Unit(session, organisation, now), customer, 0),
        )

    assert loads(known["long"]) == loads(known["short"])
    assert reviews(known["long"]) == reviews(known["short"])
    with transaction(engine) as session:
        loaded = load(Unit(session, organisation), known["long"])
    assert len(loaded.invoices) == OPEN
    assert len(loaded.actions) == OPEN


def a_contact(customer_id: CustomerId, n: int) -> list[Any]:
    row = t.Contact(customer_id=customer_id, external_id=str(n))
    values = {"email": f"Eve{n}@b.example", "phone": f"+33 1 23 {n:06}"}
    whose: dict[str, Any] = {"contact_id": row.id}
    return [row, *(t.ContactAddress(**whose, kind=k, address=a) for k, a in values.items())]


def test_frequent_queries_use_an_index(engine: Engine) -> None:
    """Contacts by address and number, invoices by number, callbacks, lists of actions."""
    with transaction(engine) as session:
        organisation, known = organisation_with_history(session, {"one": 0, "other": 500})
        for n in range(1000):
            session.add_all(a_contact(known["other"], n))
        for _ in range(1000):
            callbacks.store(session, CameIn(provider="lob"), "/", {}, b"")
        session.connection().execute(
            sa.text(
                "UPDATE callback SET outcome = CASE id % 2 WHEN 0 THEN 'done' ELSE 'refused' END"
            )
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))

    member = t.Member(organisation_id=organisation, name="A", email="a@b.example", role="admin")
    in_doubt = Wanted(scope="all", status=ActionStatus.NEEDS_REVIEW)

    def sender(kind: ActionType, address: str) -> Callable[[Session], object]:
        key = key_of(KIND_OF[kind], address, "")
        return lambda session: people_everywhere(session, KIND_OF[kind], key)

    for what in (
        sender(ActionType.EMAIL, "eve7@B.example"),
        sender(ActionType.SMS, "+33123000007"),
        lambda s: list_invoices(Unit(s, organisation), InvoiceFilter(number="other-7")),
        lambda s: list_invoices(Unit(s, organisation), InvoiceFilter(status="open"), limit=2),
        lambda s: list_actions(Unit(s, organisation), member, in_doubt),
        lambda s: list_actions(Unit(s, organisation), member, Wanted(scope="without_owner")),
        lambda s: callbacks.waiting(s, 50),
        lambda s: callbacks.read(Unit(s, organisation), callbacks.REFUSED),
    ):
        assert sum(rows_read(engine, what).values()) <= 3  # an address, its contact, customer
