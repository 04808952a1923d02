"""Alembic's entry: runs the migrations over one connection, and compares with store/tables."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, pool
from sqlmodel import SQLModel

import store.tables  # noqa: F401  (fills the metadata)


def run() -> None:
    engine = create_engine(
        context.config.attributes["url"], poolclass=pool.NullPool, hide_parameters=True
    )
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=SQLModel.metadata,
            compare_type=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
