"""Engine, transactions and migrations. One transaction per request or activity, opened here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, event, exc, text
from sqlalchemy.engine import ExceptionContext
from sqlmodel import Session, create_engine

_MIGRATIONS = Path(__file__).parent / "migrations"
#: What the driver and the pool raise, for whatever reason.
ERRORS = (exc.DBAPIError, exc.TimeoutError)
#: A query that was cancelled for taking too long is the query's fault.
_CANCELLED = "57014"
_LOCK_TIMEOUT = "55P03"  # lock_not_available
_READ_ONLY = "25006"  # read_only_sql_transaction


def connect(url: str, *, pool_size: int = 10, ping: bool = False) -> Engine:
    """An engine (psycopg 3); nothing connects before the first use.

    ``pool_size``: the most connections at a time, computed from what uses them (for a worker
    ``activities.slots``, for the API ``api.database``). They stay open once they were needed.
    ``ping`` asks a pooled connection whether it still stands before it is used, at the price of a
    round trip: for the API. An activity that meets a broken one is simply tried again. Errors do
    not show the parameters of a statement, which are people's names and addresses.
    """
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=ping,
        pool_recycle=1800,
        hide_parameters=True,
    )
    event.listen(engine, "handle_error", _leave_a_read_only_server)
    return engine


def _leave_a_read_only_server(context: ExceptionContext) -> None:
    """After a fail-over pooled connections may still lead to the server that was the primary: none
    of them is used again."""
    if getattr(context.original_exception, "sqlstate", None) == _READ_ONLY:
        context.is_disconnect = True


def is_outage(error: BaseException) -> bool:
    """The database is away, refuses to write (a standby), is full, or has no connection left: what
    was asked is not to blame, and the same again may work."""
    if not isinstance(error, ERRORS):
        return False
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    if state is None or getattr(error, "connection_invalidated", False):
        return not isinstance(error, exc.DataError | exc.IntegrityError | exc.ProgrammingError)
    return state == _READ_ONLY or (state[:2] in ("08", "53", "57") and state != _CANCELLED)


def is_lock_timeout(error: BaseException) -> bool:
    """Somebody else held a lock for longer than ``transaction`` was told to wait."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) == _LOCK_TIMEOUT


@contextmanager
def transaction(engine: Engine, *, lock_timeout: timedelta | None = None) -> Iterator[Session]:
    """One transaction: commits when the block ends, rolls back when it raises. ``lock_timeout``:
    the longest wait for each lock, None = for ever; after it OperationalError is raised, of which
    ``is_lock_timeout`` is true, or CustomerLocked (``db.locks``)."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        if lock_timeout is not None:
            most = round(lock_timeout.total_seconds() * 1000)
            session.connection().execute(text(f"SET LOCAL lock_timeout = {most}"))
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
