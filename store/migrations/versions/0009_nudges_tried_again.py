"""nudges tried again

New columns keep a default in the database: a program of the version before writes on while the new
one is being started.
"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("nudge", sa.Column("tries", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("nudge", sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "nudge",
        sa.Column("error", sqlmodel.sql.sqltypes.AutoString(), nullable=False, server_default=""),
    )
    op.create_index(op.f("ix_nudge_customer_id"), "nudge", ["customer_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_nudge_customer_id"), table_name="nudge")
    op.drop_column("nudge", "error")
    op.drop_column("nudge", "next_try_at")
    op.drop_column("nudge", "tries")
