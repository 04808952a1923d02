"""scripts apart from messages

What owners wrote for a call or a task stood where the words for the customer stand.
"""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        UPDATE action SET edits = edits - 'subject' - 'body' || jsonb_build_object('script', (
            SELECT jsonb_object_agg(key, value) FROM jsonb_each(edits)
            WHERE key IN ('subject', 'body')
        ))
        WHERE coalesce(executed_type, type) IN ('call', 'task')
            AND (jsonb_exists(edits, 'subject') OR jsonb_exists(edits, 'body'))
        """
    )


def downgrade() -> None:
    op.execute(
        """
        UPDATE action SET edits = edits - 'script' || CASE
            WHEN coalesce(executed_type, type) IN ('call', 'task') THEN edits->'script'
            ELSE '{}'::jsonb END
        WHERE jsonb_exists(edits, 'script')
        """
    )
