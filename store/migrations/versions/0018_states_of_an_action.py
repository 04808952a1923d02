"""states of an action

A CHECK constraint: the states that there are.
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_check_constraint(
        "ck_action_status",
        "action",
        """status IN ('done', 'failed', 'needs_review', 'obsolete', 'planned', 'sending', 'skipped',
        'to_do', 'withdrawn')""",
    )


def downgrade() -> None:
    # A database of an older version may have been made without it.
    op.execute("ALTER TABLE action DROP CONSTRAINT IF EXISTS ck_action_status")
