"""plan of the last decision

Rule 44 asks whether a customer has another plan than before; the plan of the last decision says
what it had, whichever way the other one came. Until now that was the plan it has now.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sequence", sa.Column("plan_id", sa.Uuid(), nullable=True))
    op.execute("""
        UPDATE sequence s SET plan_id = coalesce(c.plan_id, o.default_plan_id)
        FROM customer c JOIN organisation o ON o.id = c.organisation_id
        WHERE c.id = s.customer_id
    """)


def downgrade() -> None:
    op.drop_column("sequence", "plan_id")
