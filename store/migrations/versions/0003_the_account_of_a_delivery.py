"""the account of a delivery

What was claimed before has no mark. New columns keep a default in the database: a program of the
version before writes on while the new one is being started.
"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, column in (("delivery", "account"), ("callback", "account"), ("callback", "signer")):
        op.add_column(
            table,
            sa.Column(
                column, sqlmodel.sql.sqltypes.AutoString(), nullable=False, server_default=""
            ),
        )
    op.add_column(
        "delivery",
        sa.Column(
            "signers",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            server_default="[]",
        ),
    )


def downgrade() -> None:
    op.drop_column("delivery", "signers")
    op.drop_column("callback", "signer")
    op.drop_column("callback", "account")
    op.drop_column("delivery", "account")
