"""Engine, transactions and migrations. One transaction per request or activity, opened here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine
from sqlmodel import Session, create_engine

_MIGRATIONS = Path(__file__).parent / "migrations"


def connect(url: str, *, pool_size: int = 10, ping: bool = False) -> Engine:
    """An engine (psycopg 3); nothing connects before the first use.

    ``ping`` asks a pooled connection whether it still stands before it is used, at the price of a
    round trip: for the API. An activity that meets a broken one is simply tried again.
    """
    return create_engine(
        url, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=ping, pool_recycle=1800
    )


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """One transaction: commits when the block ends, rolls back when it raises."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


def alembic_config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["url"] = url
    return config


def migrate(url: str) -> None:
    """Bring the database to the newest migration."""
    command.upgrade(alembic_config(url), "head")


def check_migrations(url: str) -> None:
    """Raise alembic's CommandError where the tables and the migrations differ."""
    command.check(alembic_config(url))
