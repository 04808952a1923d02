"""The rows of one organisation, read and changed by tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlmodel import col, select

from backoffice.ledger.find import find_customer
from dunning.ids import CustomerId, OrganisationId
from store import tables as t
from store.engine import transaction
from store.unit import Unit


class Watching:
    """Reads all rows, and changes them without the use cases."""

    engine: Engine
    id: OrganisationId
    now: datetime

    def key_of(self, customer: str) -> CustomerId:
        with transaction(self.engine) as session:
            return find_customer(Unit(session, self.id), customer).id

    def actions(self) -> list[tuple[str | None, str]]:
        """Step and status of every action that is not ``planned``, oldest first."""
        return [(a.step_key, a.status) for a in self.rows(t.Action) if a.status != "planned"]

    def rows(self, table: Any) -> Sequence[Any]:
        order = next(n for n in ("seq", "id", "customer_id") if hasattr(table, n))
        with transaction(self.engine) as session:
            return session.exec(select(table).order_by(col(getattr(table, order)))).all()

    def rows_of(self, table: Any) -> Sequence[Any]:
        """All rows, in order of the primary key."""
        with transaction(self.engine) as session:
            key = table.__table__.primary_key.columns.values()
            return session.exec(select(table).order_by(*key)).all()

    def nudges(self) -> Sequence[t.Nudge]:
        return self.rows_of(t.Nudge)

    def newest(self) -> str:
        """The id of the delivery that was claimed last."""
        rows = self.rows_of(t.Delivery)
        return str(max(rows, key=lambda row: row.claimed_at).id)

    def forget(self, table: Any, *names: str) -> None:
        self.change(table, **dict.fromkeys(names))

    def timeline(self, kind: str) -> list[str]:
        return [e.text for e in self.rows(t.TimelineEntry) if e.kind == kind]

    def change(self, table: Any, **fields: Any) -> None:
        """Change every row of a table without any use case."""
        with transaction(self.engine) as session:
            for row in session.exec(select(table)).all():
                for name, value in fields.items():
                    setattr(row, name, value)
