"""Deletes old rehearsals: their organisations with all their rows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, col, select

from dunning.ids import OrganisationId
from store import tables as t
from store.engine import transaction

_log = logging.getLogger(__name__)

_CUSTOMERS_AT_ONCE = 100


def old_rehearsals(engine: Engine, before: datetime) -> list[OrganisationId]:
    """Rehearsals created before that real time, oldest first."""
    with transaction(engine) as session:
        return list(
            session.exec(
                select(col(t.Organisation.id))
                .where(col(t.Organisation.rehearsal_now).is_not(None))
                .where(t.Organisation.created_at < before)
                .order_by(col(t.Organisation.created_at))
            )
        )


def remove_rehearsal(
    engine: Engine, organisation_id: OrganisationId, beat: Callable[[], object] = lambda: None
) -> bool:
    """Deletes the rehearsal, some customers at a time. False if one of its sequences is still
    writing: the next call deletes the rest. ValueError for an organisation that is no rehearsal."""
    try:
        while _remove_customers(engine, organisation_id):
            beat()
        with transaction(engine) as session:
            _check(session.connection(), organisation_id)
            values = {"ids": [organisation_id]}
            for statement in (*_FREE_PLANS, *_deletes("organisation")):
                session.connection().execute(sa.text(statement), values)
    except IntegrityError as error:
        constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
        written = "rehearsal %s is still written to (%s); it is removed another time"
        _log.warning(written, organisation_id, constraint)
        return False
    return True


def _remove_customers(engine: Engine, organisation_id: OrganisationId) -> int:
    with transaction(engine) as session:
        connection = session.connection()
        _check(connection, organisation_id)
        ids = session.exec(
            select(t.Customer.id)
            .where(t.Customer.organisation_id == organisation_id)
            .order_by(col(t.Customer.id))
            .limit(_CUSTOMERS_AT_ONCE)
            .with_for_update()
        ).all()
        for statement in (_FREE_CHILDREN, *_deletes("customer")) if ids else ():
            connection.execute(sa.text(statement), {"ids": list(ids)})
        return len(ids)


def _check(connection: sa.Connection, organisation_id: OrganisationId) -> None:
    clock = sa.select(col(t.Organisation.rehearsal_now))
    found = connection.execute(clock.where(col(t.Organisation.id) == organisation_id))
    if found.scalar_one_or_none() is None:
        raise ValueError(f"{organisation_id} is no rehearsal")


_FREE_CHILDREN = "UPDATE customer SET parent_id = NULL WHERE parent_id = ANY(:ids)"
_FREE_PLANS = (
    "UPDATE organisation SET default_plan_id = NULL WHERE id = ANY(:ids)",
    "UPDATE plan SET current_version_id = NULL WHERE organisation_id = ANY(:ids)",
)


def _deletes(whose: str) -> list[str]:
    """DELETE statements for every table with rows of these customers or organisations (``:ids``). A
    table comes before the tables to which it refers."""
    found = []
    # A link refers to its delivery without a foreign key, because it is inserted before it.
    tables = list(reversed(SQLModel.metadata.sorted_tables))
    tables.sort(key=lambda table: "delivery_id" not in table.c)
    # Deleting credits and invoices writes its rows again.
    kept = SQLModel.metadata.tables["unapplied_credit"]
    tables.remove(kept)
    tables.insert(tables.index(SQLModel.metadata.tables["customer"]), kept)
    for table in tables:
        where = "id = ANY(:ids)" if table.name == whose else _belonging_to(table, f"{whose}_id")
        if where:
            found.append(f"DELETE FROM {table.name} WHERE {where}")
    return found


def _belonging_to(table: sa.Table, column: str) -> str:
    """The condition: by a column of the table or of a row to which it must refer; else empty."""
    if column in table.c:
        return f"{column} = ANY(:ids)"
    references = {
        key.parent.name: key.column.table for key in table.foreign_keys if not key.parent.nullable
    }
    if "delivery_id" in table.c:
        references["delivery_id"] = SQLModel.metadata.tables["delivery"]
    for name, parent in sorted(references.items(), key=lambda one: one[0]):
        if column in parent.c:
            return f"{name} IN (SELECT id FROM {parent.name} WHERE {column} = ANY(:ids))"
    return ""
