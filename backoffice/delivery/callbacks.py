"""The inbox of callbacks: the API stores them, a worker processes and keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Session, col, select

from dunning.learnt import CameIn
from store import tables as t
from store.unit import Unit

CHANNEL = "dunning_callback"
DONE, UNMATCHED, REFUSED = "done", "unmatched", "refused"
#: The most tries for a callback that raises, with a growing back-off; then it is refused.
MOST_TRIES = 12


def store(
    session: Session, came_in: CameIn, url: str, headers: dict[str, str], body: bytes
) -> None:
    """Stores a callback whose signature was valid, and wakes the worker."""
    values = {
        "provider": came_in.provider,
        "organisation": came_in.organisation_id,
        "account": came_in.account,
        "signer": came_in.signer,
        "url": url,
        "headers": headers,
        "body": body,
    }
    session.connection().execute(_STORE, values)


# One statement, because at hundreds a second each round trip counts.
_STORE = sa.text(
    f"""
    WITH stored AS (
        INSERT INTO callback (provider, organisation_id, account, signer, url, headers, body,
            received_at, outcome, error, tries)
        VALUES (:provider, :organisation, :account, :signer, :url, :headers, :body,
            clock_timestamp(), '', '', 0)
        RETURNING id
    )
    SELECT pg_notify('{CHANNEL}', '') FROM stored
    """
).bindparams(
    sa.bindparam("headers", type_=JSONB),
    sa.bindparam("organisation", type_=sa.Uuid),
    sa.bindparam("body", type_=sa.LargeBinary),
)


def waiting(session: Session, limit: int) -> Sequence[t.Callback]:
    """The oldest unprocessed callbacks, locked; skips rows that another process has locked."""
    now = datetime.now(UTC)
    return session.exec(
        select(t.Callback)
        .where(
            t.Callback.outcome == sa.literal_column("''"),  # a parameter: no partial index
            sa.or_(col(t.Callback.next_try_at).is_(None), col(t.Callback.next_try_at) <= now),
        )
        .order_by(col(t.Callback.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def end(row: t.Callback, outcome: str, error: str = "") -> None:
    row.outcome, row.error, row.ended_at = outcome, error[:1000], datetime.now(UTC)


def later(row: t.Callback, error: str) -> None:
    """An exception of ours: retried after 2, 4, 8 … seconds, at most an hour, up to MOST_TRIES."""
    row.tries += 1
    row.error = error[:1000]
    if row.tries >= MOST_TRIES:
        end(row, REFUSED, f"given up after {row.tries} tries: {error}")
        return
    row.next_try_at = datetime.now(UTC) + timedelta(seconds=min(2**row.tries, 3600))


def put_back(row: t.Callback, why: str, now: datetime) -> None:
    """Others held a lock: retried after half the callback's age, at least a second and at most a
    minute, without a limit of tries."""
    half = (now - row.received_at) / 2
    row.error = why
    row.next_try_at = now + max(timedelta(seconds=1), min(half, timedelta(minutes=1)))


def read(
    unit: Unit, outcome: str, *, before: int | None = None, limit: int = 50
) -> list[t.Callback]:
    """Callbacks of the organisation's own accounts, newest first, before the place ``before``
    (keyset pagination)."""
    statement = (
        select(t.Callback)
        .where(
            t.Callback.organisation_id == unit.organisation_id,
            t.Callback.outcome == sa.literal(outcome, literal_execute=True),
        )
        .order_by(col(t.Callback.id).desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(col(t.Callback.id) < before)
    return list(unit.session.exec(statement))


def left(session: Session) -> list[tuple[str, str, int]]:
    """Unmatched or refused callbacks of all accounts, also of the installation's: provider,
    outcome, how many."""
    found = session.exec(
        select(t.Callback.provider, t.Callback.outcome, sa.func.count())
        .where(col(t.Callback.outcome).in_((UNMATCHED, REFUSED)))
        .group_by(col(t.Callback.provider), col(t.Callback.outcome))
        .order_by(col(t.Callback.provider), col(t.Callback.outcome))
    )
    return [(provider, outcome, count) for provider, outcome, count in found]
