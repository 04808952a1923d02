"""what is pruned is found

Indexes by age, and by the files that actions and messages refer to.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_BY_AGE = {
    "callback": ["outcome", "ended_at"],
    "link": ["created_at"],
    "file": ["created_at"],
    "outbox": ["at"],
    "applied_signal": ["at"],
}
_ATTACHMENTS = {"action": "edits", "delivery": "message"}


def upgrade() -> None:
    for table, columns in _BY_AGE.items():
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns)
    for table, column in _ATTACHMENTS.items():
        op.create_index(
            f"ix_{table}_attachments",
            table,
            [sa.text(f"({column} -> 'attachments')")],
            postgresql_using="gin",
        )


def downgrade() -> None:
    for table in _ATTACHMENTS:
        op.drop_index(f"ix_{table}_attachments", table_name=table)
    for table, columns in _BY_AGE.items():
        op.drop_index(f"ix_{table}_{'_'.join(columns)}", table_name=table)
