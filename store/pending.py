"""When the pending rows of a transaction are written."""

from __future__ import annotations

import sqlalchemy as sa

from store import tables as t
from store.unit import Unit


def write(unit: Unit) -> None:
    """Flush, so that later statements find the pending rows. A batch does so at its end."""
    if unit.progress.batch is None:
        unit.session.flush()


def write_all(unit: Unit) -> None:
    """Flush, in a batch too: first the rows, then those that refer to them."""
    unit.session.flush()
    batch = unit.progress.batch
    if batch is None:
        return
    unit.session.add_all(batch.later)
    batch.later.clear()
    unit.session.flush()
    if batch.entries:
        unit.session.connection().execute(sa.insert(t.TimelineEntry), batch.entries)
        batch.entries.clear()
