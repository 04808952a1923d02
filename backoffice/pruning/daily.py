"""Deletes rows and files that are old and to which nothing refers any more.

Each batch is one transaction, which locks only the rows that it deletes and skips locked rows, so
no other transaction waits. It may be stopped after any batch.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Engine

from backoffice.pruning.rehearsals import old_rehearsals, remove_rehearsal
from dunning.ids import DeliveryId
from store.engine import transaction

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """How many days each kind is kept; 0 = for ever. When the days start: docs/operations.md."""

    callbacks: int = 90
    unread_callbacks: int = 365
    links: int = 365
    files: int = 90
    outbox: int = 365
    signals: int = 365
    rehearsals: int = 30


@dataclass(frozen=True, slots=True)
class _Kind:
    """Rows ``x`` of a table. ``age``: a field of ``Ages``; ``since``: the indexed column from which
    the age counts; ``which``: a condition for rows to delete; ``unless``: a condition for rows to
    keep."""

    name: str
    age: str
    table: str
    since: str
    which: str = "true"
    unless: str = "false"


_KINDS = (
    _Kind("callbacks", "callbacks", "callback", "ended_at", "x.outcome = 'done'"),
    _Kind(
        "unmatched callbacks", "unread_callbacks", "callback", "ended_at", "x.outcome = 'unmatched'"
    ),
    _Kind("refused callbacks", "unread_callbacks", "callback", "ended_at", "x.outcome = 'refused'"),
    _Kind(
        "links",
        "links",
        "link",
        "created_at",
        unless="""EXISTS (
            SELECT FROM delivery d JOIN action a ON a.id = d.action_id
            JOIN invoice i ON i.id = a.invoice_id
            WHERE d.id = x.delivery_id AND (i.status = 'open'
                OR d.status IN ('planned', 'sending', 'unknown', 'needs_review')))""",
    ),
    # Sent messages keep their files, so that members can see what was sent.
    _Kind(
        "files",
        "files",
        "file",
        "created_at",
        unless="""EXISTS (SELECT FROM invoice i WHERE i.pdf_id = x.id)
            OR EXISTS (SELECT FROM action a
                WHERE a.edits -> 'attachments' @> to_jsonb(ARRAY[CAST(x.id AS text)]))
            OR EXISTS (SELECT FROM delivery d WHERE d.message -> 'attachments'
                @> jsonb_build_array(jsonb_build_object('file_id', CAST(x.id AS text))))""",
    ),
    # Rows of a rehearsal have times of its own clock, and are deleted with the rehearsal.
    _Kind(
        "messages in the outbox",
        "outbox",
        "outbox",
        "at",
        unless="""EXISTS (SELECT FROM organisation o
                WHERE o.id = x.organisation_id AND o.rehearsal_now IS NOT NULL)
            OR EXISTS (SELECT FROM delivery d WHERE d.id = x.delivery_id
                AND d.status IN ('planned', 'sending', 'unknown', 'needs_review'))""",
    ),
    _Kind(
        "applied signals",
        "signals",
        "applied_signal",
        "at",
        unless="""EXISTS (SELECT FROM customer c JOIN organisation o ON o.id = c.organisation_id
            WHERE c.id = x.customer_id AND o.rehearsal_now IS NOT NULL)""",
    ),
)


def prune(
    engine: Engine,
    ages: Ages,
    now: datetime,
    folder: Path | None = None,
    *,
    dry_run: bool = False,
    beat: Callable[[], object] = lambda: None,
) -> dict[str, int]:
    """How many of each kind were deleted, or would be with ``dry_run``. ``now``: the real time;
    ``folder``: the outbox on this machine; ``beat``: called after each batch."""
    done: dict[str, int] = {}
    for kind in _KINDS:
        before = _before(now, getattr(ages, kind.age))
        done[kind.name] = _prune(engine, kind, before, dry_run, beat) if before else 0
    before = _before(now, ages.outbox)
    done["files of the outbox"] = (
        _prune_folder(engine, folder, before, dry_run, beat) if before and folder else 0
    )
    before = _before(now, ages.rehearsals)
    found = old_rehearsals(engine, before) if before else []
    done["rehearsals"] = sum(dry_run or remove_rehearsal(engine, one, beat) for one in found)
    return done


def _before(now: datetime, days: int) -> datetime | None:
    return now - timedelta(days=days) if days else None


def _prune(
    engine: Engine, kind: _Kind, before: datetime, dry_run: bool, beat: Callable[[], object]
) -> int:
    """Oldest first. ``unless`` is checked after the rows are locked. So a file that is being
    attached now is either locked, and skipped, or already referred to, and kept."""
    old = f"({kind.which}) AND x.{kind.since} < :before"
    these = f"FROM {kind.table} AS x WHERE x.ctid = ANY(CAST(:rows AS tid[])) AND {old}"
    next_ones = sa.text(
        f"SELECT CAST(x.ctid AS text) AS row, x.{kind.since} AS since FROM {kind.table} AS x"
        f" WHERE {old} AND x.{kind.since} > :after"
        f" ORDER BY x.{kind.since} FETCH FIRST {_AT_ONCE} ROWS WITH TIES"
    )
    lock = sa.text(f"SELECT CAST(x.ctid AS text) {these} FOR UPDATE SKIP LOCKED")
    delete = sa.text(f"DELETE {these} AND NOT ({kind.unless})")
    count = sa.text(f"SELECT count(*) {these} AND NOT ({kind.unless})")
    after, done = datetime.min.replace(tzinfo=before.tzinfo), 0
    while True:
        with transaction(engine) as session:
            connection = session.connection()
            found = connection.execute(next_ones, {"before": before, "after": after}).all()
            if not found:
                return done
            after, values = found[-1].since, {"before": before, "rows": [row.row for row in found]}
            if dry_run:
                done += connection.execute(count, values).scalar_one()
            else:
                values["rows"] = list(connection.execute(lock, values).scalars())
                done += connection.execute(delete, values).rowcount
        beat()


_KEPT = sa.text(
    """
    SELECT x.delivery_id FROM outbox x WHERE x.delivery_id = ANY(:ids)
    AND (x.at >= :before OR """
    + next(kind.unless for kind in _KINDS if kind.table == "outbox")
    + ")"
)


def _prune_folder(
    engine: Engine, folder: Path, before: datetime, dry_run: bool, beat: Callable[[], object]
) -> int:
    """Files whose message is no longer in the table, and drafts left by a crash."""
    done = 0
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        old = [p for p in place.iterdir() if p.stat().st_mtime < before.timestamp()]
        for start in range(0, len(old), _AT_ONCE):
            some = {path: _delivery(path) for path in old[start : start + _AT_ONCE]}
            ids = [one for one in some.values() if one is not None]
            with transaction(engine) as session:
                found = session.connection().execute(_KEPT, {"ids": ids, "before": before})
                kept = set(found.scalars())
            for path, delivery in some.items():
                if delivery is not None and delivery not in kept:
                    done += 1
                    if not dry_run:
                        path.unlink(missing_ok=True)
            beat()
    return done


def _delivery(path: Path) -> DeliveryId | None:
    """The id in ``<delivery>.eml``, ``<delivery>.txt`` or a draft ``.<delivery>.…``; else None."""
    try:
        return DeliveryId(uuid.UUID(path.name.removeprefix(".").partition(".")[0]))
    except ValueError:
        return None
