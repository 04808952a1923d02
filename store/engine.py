"""Engine, transactions and migrations. One transaction per request or activity, opened here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, event, exc, text
from sqlalchemy.engine import ExceptionContext
from sqlmodel import Session, create_engine

from store import patience

_MIGRATIONS = Path(__file__).parent / "migrations"
#: Errors of the driver and of the pool.
ERRORS = (exc.DBAPIError, exc.TimeoutError)
#: query_canceled: the statement took too long, which is no outage.
_CANCELLED = "57014"
_POOL_SECONDS = 4.0
_SERVER_FIRST_SECONDS = 0.5
_LOCK_TIMEOUT = "55P03"  # lock_not_available
_READ_ONLY = "25006"  # read_only_sql_transaction


def connect(
    url: str,
    *,
    pool_size: int = 10,
    ping: bool = False,
    answer_within: float = patience.ANSWER_WITHIN,
) -> Engine:
    """An engine (psycopg 3); nothing connects before the first use.

    ``pool_size``: the most connections at a time, computed from what uses them (for a worker
    ``activities.slots``, for the API ``api.http.database``). Connections stay open. ``ping`` tests
    a pooled connection before its use, at the price of a round trip: for the API. An activity with
    a broken connection is simply retried. Errors do not show the parameters of a statement, which
    are people's names and addresses. ``answer_within``: the most seconds for one answer of the
    server (``store.patience``), and to wait for a free connection of the pool; a transaction that
    needs longer says so.
    """
    engine = create_engine(
        url,
        module=patience.driver(),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=min(answer_within, _POOL_SECONDS),
        pool_pre_ping=ping,
        pool_recycle=1800,
        hide_parameters=True,
    )
    event.listen(engine, "handle_error", _leave_a_read_only_server)

    # Longer than the server's own limit, so that the server's error comes first.
    usual = answer_within + _SERVER_FIRST_SECONDS

    @event.listens_for(engine, "do_connect")
    def _with_our_options(_dialect: Any, _record: Any, _args: Any, given: dict[str, Any]) -> None:
        for name, value in patience.parameters(answer_within).items():
            given.setdefault(name, value)

    @event.listens_for(engine, "connect")
    def _tell_our_limits(made: Any, _record: Any) -> None:
        made.answer_within = usual
        made.autocommit = True
        made.execute(patience.limits(answer_within))
        made.autocommit = False

    @event.listens_for(engine, "checkin")
    def _as_before(connection: Any, _record: Any) -> None:
        if connection is not None:
            connection.answer_within = usual

    return engine


def _leave_a_read_only_server(context: ExceptionContext) -> None:
    """After a fail-over pooled connections may still lead to the former primary: drop all of
    them."""
    if getattr(context.original_exception, "sqlstate", None) == _READ_ONLY:
        context.is_disconnect = True


def is_outage(error: BaseException) -> bool:
    """Whether the database is down, read-only (a standby), full, or has no connection left. The
    statement is not at fault, and may work later."""
    if not isinstance(error, ERRORS):
        return False
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    if state is None or getattr(error, "connection_invalidated", False):
        return not isinstance(error, exc.DataError | exc.IntegrityError | exc.ProgrammingError)
    return state == _READ_ONLY or (state[:2] in ("08", "53", "57", "58") and state != _CANCELLED)


def is_lock_timeout(error: BaseException) -> bool:
    """Whether a lock was not free within ``lock_timeout``."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) == _LOCK_TIMEOUT


def in_time() -> None:
    """Raises TimeoutError of SQLAlchemy when the time of the request is over
    (``store.patience``)."""
    if patience.is_over():
        raise exc.TimeoutError("the time of the request is over")


@contextmanager
def transaction(
    engine: Engine,
    *,
    lock_timeout: timedelta | None = None,
    answer_within: timedelta | None = None,
) -> Iterator[Session]:
    """One transaction: commits when the block ends, rolls back when it raises.

    ``lock_timeout``: the longest wait for each lock, None = no limit; after it OperationalError is
    raised (``is_lock_timeout``), or CustomerLocked (``store.locks``). ``answer_within``: the
    longest statement, if the engine's limit is too short. When the time of the request is over
    (``store.patience``) it neither begins nor commits: TimeoutError of SQLAlchemy.
    """
    in_time()
    with Session(engine, expire_on_commit=False) as session, session.begin():
        limits = {"lock_timeout": lock_timeout, "statement_timeout": answer_within}
        assignments = ", ".join(
            f"set_config('{name}', '{round(most.total_seconds() * 1000)}', true)"
            for name, most in limits.items()
            if most is not None
        )
        if assignments:
            session.connection().execute(text(f"SELECT {assignments}"))
        if answer_within is not None:
            driver: Any = session.connection().connection.driver_connection
            driver.answer_within = answer_within.total_seconds() + _SERVER_FIRST_SECONDS
        yield session
        in_time()


def alembic_config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["url"] = url
    return config


def migrate(url: str) -> None:
    """Upgrade the database to the newest migration."""
    command.upgrade(alembic_config(url), "head")


def check_migrations(url: str) -> None:
    """Raises alembic's CommandError if the tables and the migrations differ."""
    command.check(alembic_config(url))
