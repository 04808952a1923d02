"""external ids have not the form of ours

An external id that is a UUID could be taken for an id of ours, in addresses even be read in its
place. Such ids get a prefix, and are reported and asked for with it from now on; nothing else about
their rows changes. It is ``dunning.ids`` as it was when this was written.
"""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_PREFIX = "external:"
#: The payment that a book's ``paid_on`` became has the invoice's id behind this.
_OF_IMPORTS = "import/"
_AT_ONCE = 10_000

#: At least all that ``uuid.UUID`` reads: what it leaves out is taken away, and 32 signs stay.
_CANDIDATES = """
    SELECT id, organisation_id, {own} AS scope, external_id FROM {table}
    WHERE length(replace(translate(replace(replace(
        regexp_replace(external_id, '^import/', ''), 'urn:', ''), 'uuid:', ''), '{{}}', ''), '-', ''
    )) = 32
"""
_TAKEN = """
    SELECT organisation_id, {own} AS scope, external_id FROM {table}
    WHERE external_id LIKE 'external:%' OR external_id LIKE 'import/external:%'
"""
_RENAME = """
    UPDATE {table} SET external_id = new.key
    FROM unnest(CAST(:ids AS uuid[]), CAST(:keys AS text[])) AS new (id, key)
    WHERE {table}.id = new.id
"""


def upgrade() -> None:
    for table, own in (("customer", "''"), ("invoice", "''"), ("credit", "kind")):
        _rename(table, own)


def _rename(table: str, own: str) -> None:
    connection = op.get_bind()
    taken = {tuple(row) for row in connection.execute(sa.text(_TAKEN.format(table=table, own=own)))}
    named: list[tuple[str, str]] = []
    for row in connection.execute(sa.text(_CANDIDATES.format(table=table, own=own))).all():
        before = _OF_IMPORTS if own == "kind" and row.external_id.startswith(_OF_IMPORTS) else ""
        key = row.external_id.removeprefix(before)
        if not _is_uuid(key):
            continue
        key = _PREFIX + key
        while (row.organisation_id, row.scope, before + key) in taken:
            key = _PREFIX + key
        taken.add((row.organisation_id, row.scope, before + key))
        named.append((str(row.id), before + key))
    for start in range(0, len(named), _AT_ONCE):
        some = named[start : start + _AT_ONCE]
        ids, keys = [one for one, _ in some], [key for _, key in some]
        connection.execute(sa.text(_RENAME.format(table=table)), {"ids": ids, "keys": keys})


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def downgrade() -> None:
    """The version before takes these ids as they are."""
