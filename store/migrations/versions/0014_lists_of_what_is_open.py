"""lists of what is open

They do not read what is over.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_invoice_open_by_key",
        "invoice",
        ["organisation_id", "external_id"],
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index(
        "ix_action_live_by_age",
        "action",
        ["organisation_id", "seq"],
        postgresql_where=sa.text("status IN ('needs_review', 'planned', 'sending', 'to_do')"),
    )


def downgrade() -> None:
    op.drop_index("ix_action_live_by_age", table_name="action")
    op.drop_index("ix_invoice_open_by_key", table_name="invoice")
